"""The speech parity components of VITA-Audio notice every kind of changed golden."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.parity.__main__ import DEFAULT_GOLDENS
from tests.parity.vita_audio_speech import COMPONENTS


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("glm_tokenizer", "codes"),
        ("glm_tokenizer", "codes_single"),
        ("glm_tokenizer", "hs3"),
        ("glm_tokenizer", "fe_features"),
        ("glm_tokenizer", "fe_ntokens"),
        ("flow", "enc_out"),
        ("flow", "t_span3"),
        ("flow", "mel_zero_spk_steps1"),
        ("flow", "mel_spk_steps10"),
        ("flow", "mel_prompted_steps10"),
        ("flow", "est_out"),
        ("hift", "f0"),
        ("hift", "wav_zero_noise"),
        ("hift", "stft_imag"),
    ],
)
def test_one_changed_number_is_noticed(name: str, array: str, tmp_path: Path) -> None:
    for path in (DEFAULT_GOLDENS / "vita_audio").glob(f"{name}_*"):
        shutil.copy(path, tmp_path)
    shutil.copy(DEFAULT_GOLDENS / "vita_audio" / "decoder_config.json", tmp_path)
    with np.load(tmp_path / f"{name}_io.npz") as file:
        arrays = dict(file)
    arrays[array] = arrays[array].copy()
    arrays[array].reshape(-1)[0] += 1
    np.savez(tmp_path / f"{name}_io.npz", **arrays)
    assert COMPONENTS[f"vita_audio_{name}"](tmp_path).failed == 1
