"""A file of a training is there whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from models.training import whole
from models.training.whole import save_whole, write_whole


def test_what_is_stopped_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    tensors, texts = tmp_path / "state.safetensors", tmp_path / "texts.json"
    save_whole({"a": torch.ones(2)}, tensors, {"step": "1"})
    write_whole("[1]", texts)

    def cut(_: object, path: Path, metadata: object) -> None:
        path.write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(whole, "save_file", cut)
    with pytest.raises(KeyboardInterrupt):
        save_whole({"a": torch.zeros(2)}, tensors)
    with pytest.raises(UnicodeEncodeError):
        write_whole("\ud800", texts)
    assert load_file(tensors)["a"].tolist() == [1, 1] and texts.read_text() == "[1]"
