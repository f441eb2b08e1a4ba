"""The speech-output parity components pass on the goldens and notice every kind of changed golden."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from tests.parity.__main__ import DEFAULT_GOLDENS
from tests.parity.vita15_speech import COMPONENTS


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.mark.parametrize(
    ("name", "tensor"),
    [
        ("speech_decoder", "out.nar"),
        ("speech_decoder", "out.ar_prefill_hidden_no_norm"),
        ("speech_decoder", "out.step_logits"),
        ("speech_decoder", "out.teacher_loss_sum"),
        ("speech_decoder", "out.batch_logits"),
        ("speech_decoder", "out.greedy_tokens_penalty_window8_1.3"),
        ("speech_decoder", "out.top2_seed1234_tokens"),
        ("codec", "out.wav"),
        ("codec", "out.enc_codes"),
        ("codec", "stream.0.wav"),
        ("codec", "stream.3.segment_lengths"),
        ("codec", "cut.0.result_lengths_buffer_segment"),
    ],
)
def test_one_changed_number_is_noticed(name: str, tensor: str, tmp_path: Path) -> None:
    source = DEFAULT_GOLDENS / "vita15" / f"{name}.safetensors"
    with safe_open(source, "pt") as file:
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118, not a dict
        metadata = file.metadata()
    tensors[tensor].view(-1)[0] += 1
    (tmp_path / "vita15").mkdir()
    save_file(tensors, tmp_path / "vita15" / source.name, metadata)
    assert COMPONENTS[name](tmp_path).failed > 0


def test_one_changed_sentence_is_noticed(tmp_path: Path) -> None:
    cases = json.loads((DEFAULT_GOLDENS / "vita15" / "tts_text.json").read_text(encoding="utf-8"))
    cases[0]["server_tts_text"] += "!"
    (tmp_path / "vita15").mkdir()
    (tmp_path / "vita15" / "tts_text.json").write_text(json.dumps(cases), encoding="utf-8")
    assert COMPONENTS["tts_text"](tmp_path).failed == 1


@pytest.mark.parametrize("name", ["in.prefix", "in.prefix_hidden", "in.llm_hidden_prefix"])
def test_outputs_with_a_prefix_are_compared_with_it(name: str, tmp_path: Path) -> None:
    source = DEFAULT_GOLDENS / "vita15" / "speech_decoder.safetensors"
    with safe_open(source, "pt") as file:
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118, not a dict
        metadata = file.metadata()
    # With attention outputs and values of zero the prefix says nothing, but it still takes its share of attention.
    for key in [key for key in tensors if key.startswith("speech_decoder.layers.")]:
        weight = tensors[key]
        tensors[key.replace("layers.", "layers_prefix.")] = (
            torch.zeros_like(weight) if "proj" in key else weight.clone()
        )
    tensors[name] = torch.zeros(1, 3, tensors["in.hidden"].shape[2])
    path = tmp_path / "vita15" / source.name
    path.parent.mkdir()
    tensors["out.teacher_logits_with_prefix"] = tensors["out.teacher_logits"].clone()
    save_file(tensors, path, metadata)
    check = COMPONENTS["speech_decoder"](tmp_path)
    assert check.failed == 1
    assert "teacher_logits_with_prefix" in check.examples[0]
    del tensors["out.teacher_logits_with_prefix"], tensors[name]
    tensors["out.greedy_tokens_with_prefix"] = tensors["out.greedy_tokens_no_penalty"].clone()
    save_file(tensors, path, metadata)
    assert "a prefix among the inputs" in COMPONENTS["speech_decoder"](tmp_path).examples[0]
