"""The hearing parity components of VITA-Audio notice every kind of changed golden."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from tests.parity.__main__ import DEFAULT_GOLDENS
from tests.parity.vita_audio_hearing import COMPONENTS

FILES = ("fbank_io.npz", "am.mvn", "plus_io.npz", "plus_meta.json", "plus_model.safetensors")


@pytest.fixture
def goldens(tmp_path: Path) -> Path:
    for name in FILES:
        shutil.copy(DEFAULT_GOLDENS / "vita_audio" / name, tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("component", "file", "array", "failed"),
    [
        ("vita_audio_fbank", "fbank_io", "am_shift", 1),
        ("vita_audio_fbank", "fbank_io", "am_scale", 1),
        ("vita_audio_fbank", "fbank_io", "fbank80", 1),
        ("vita_audio_fbank", "fbank_io", "lfr_cmvn", 1),
        ("vita_audio_fbank", "fbank_io", "short_lfr_cmvn", 1),
        ("vita_audio_plus_encoder", "plus_io", "single_enc", 1),
        ("vita_audio_plus_encoder", "plus_io", "batch_enc", 1),
        ("vita_audio_plus_encoder", "plus_io", "proj_in", 1),
        ("vita_audio_plus_encoder", "plus_io", "proj_out", 2),  # of the projector alone, and of the whole way
        ("vita_audio_plus_answers", "plus_io", "gen_vanilla_tokens", 1),
        ("vita_audio_plus_answers", "plus_io", "gen_boost4_tokens", 1),
    ],
)
def test_one_changed_number_is_noticed(goldens: Path, component: str, file: str, array: str, failed: int) -> None:
    path = goldens / f"{file}.npz"
    with np.load(path) as opened:
        arrays = dict(opened)
    arrays[array] = arrays[array].copy()
    first = arrays[array].reshape(-1)
    first[0] += 1 if first.dtype == np.int64 else 0.01
    np.savez(path, **arrays)
    assert COMPONENTS[component](goldens).failed == failed


def test_a_changed_length_is_noticed(goldens: Path) -> None:
    with np.load(goldens / "plus_io.npz") as opened:
        arrays = dict(opened)
    arrays["batch_lens"] = arrays["batch_lens"] - np.array([0, 1])
    np.savez(goldens / "plus_io.npz", **arrays)
    assert COMPONENTS["vita_audio_plus_encoder"](goldens).failed == 2  # the length, and that row's states


@pytest.mark.parametrize(
    "name",
    [
        "audio_model.model.embed.weight",
        "audio_model.model.encoder.encoders0.0.self_attn.fsmn_block.weight",
        "audio_model.model.encoder.encoders.1.self_attn.linear_q_k_v.weight",
        "audio_model.model.encoder.tp_encoders.1.feed_forward.w_2.bias",
        "audio_model.model.encoder.after_norm.weight",
        "audio_projection.mlp.0.weight",
    ],
)
def test_one_changed_weight_is_noticed(goldens: Path, name: str) -> None:
    path = goldens / "plus_model.safetensors"
    weights = load_file(path)
    weights[f"model.{name}"] = weights[f"model.{name}"].copy()
    weights[f"model.{name}"].reshape(-1)[0] += 0.5
    save_file(weights, path)
    assert COMPONENTS["vita_audio_plus_encoder"](goldens).failed >= 1
