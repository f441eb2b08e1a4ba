"""New speech decoders for weights that ship: what is put there, and which lines of the card change."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from models.checkpoint_error import CheckpointError
from models.released.files import SINGLE
from models.training.revoice import main, put
from models.training.rounding import rounded
from models.training.vita15 import Training
from models.vita15.checkpoint import SPEECH_FOLDER
from models.vita15.speech_checkpoint import load_speech


@pytest.fixture
def weights(training: Training, tmp_path: Path) -> Path:
    return Path(shutil.copytree(training.folder("3.2"), tmp_path / "weights"))


def test_the_decoders_are_put_there_rounded_and_all_else_stays(training: Training, weights: Path):
    before = {path: path.read_bytes() for path in weights.rglob("*.safetensors")}
    put(training.folder("3.2"), weights)
    decoder = weights / SPEECH_FOLDER / "decoder" / SINGLE
    assert all(path.read_bytes() == held for path, held in before.items() if path != decoder)
    learnt, found = (load_speech(folder / SPEECH_FOLDER) for folder in (training.folder("3.2"), weights))
    says = found.decoder.state_dict()
    assert all(says[name].equal(rounded(value).float()) for name, value in learnt.decoder.state_dict().items())
    assert load_file(decoder)["out_fnn.weight"].dtype == torch.bfloat16


def test_decoders_for_other_words_are_refused(training: Training, weights: Path):
    tensors = load_file(weights / SINGLE)
    tensors["model.embed_tokens.weight"] += 1
    save_file(tensors, weights / SINGLE)
    with pytest.raises(CheckpointError, match="speaks the words of another model"):
        put(training.folder("3.2"), weights)


@pytest.mark.parametrize("card", [None, "# Weights\n"])
def test_a_card_that_cannot_take_the_figures_is_told_before_anything_is_written(
    training: Training, weights: Path, monkeypatch: pytest.MonkeyPatch, card: str | None
):
    if card is not None:
        (weights / "README.md").write_text(card, encoding="utf-8")
    held = {path: path.read_bytes() for path in weights.rglob("*") if path.is_file()}
    monkeypatch.setattr("sys.argv", ["revoice", "--training", str(training.out), "--weights", str(weights)])
    assert main() == 2
    assert {path: path.read_bytes() for path in weights.rglob("*") if path.is_file()} == held
