"""VITA-1.5's prompts and whole model agree with the reference outputs, and the comparison has teeth."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from safetensors import safe_open
from safetensors.torch import save_file

from tests.parity.__main__ import DEFAULT_GOLDENS
from tests.parity.vita15_language import COMPONENTS


@pytest.mark.parametrize(
    "tensor",
    [
        "model.layers.1.self_attn.k_proj.bias",
        "image2tiles_audio.out.logits",
        "video3.in.pixel_values",
        "two_audios.out.greedy12",
        "two_audios.in.lengths_for_llm",
        "batch.out.labels",
        "batch.out.loss",
    ],
)
def test_one_changed_number_of_the_model_golden_is_found(tmp_path: Path, tensor: str) -> None:
    source = DEFAULT_GOLDENS / "vita15" / "omni.safetensors"
    with safe_open(source, "pt") as file:
        metadata = file.metadata()
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    tensors[tensor].view(-1)[0] += 1
    (tmp_path / "vita15").mkdir()
    save_file(tensors, tmp_path / "vita15" / "omni.safetensors", metadata)
    assert COMPONENTS["omni"](tmp_path).failed > 0


@pytest.mark.parametrize("place", [0, 1, 5, -1, -3])
def test_one_changed_id_of_the_prompt_golden_is_found(tmp_path: Path, place: int) -> None:
    golden = json.loads((DEFAULT_GOLDENS / "vita15" / "prompts.json").read_text(encoding="utf-8"))
    golden["cases"][-1]["input_ids"][place] += 1
    (tmp_path / "vita15").mkdir()
    (tmp_path / "vita15" / "prompts.json").write_text(json.dumps(golden), encoding="utf-8")
    assert COMPONENTS["prompts"](tmp_path).failed > 0
