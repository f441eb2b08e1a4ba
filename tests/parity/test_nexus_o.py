"""The parity components of NEXUS-O notice every kind of changed golden."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from models.nexus_o import firefly_mel
from tests.parity.__main__ import DEFAULT_GOLDENS
from tests.parity.nexus_o import COMPONENTS, FOLDER

FIREFLY = (
    "mel_fb",
    "encode_mel",
    "encode_backbone_unmasked",
    "encode_indices",
    "encode_feature_lengths",
    "fsq_implicit_codebook_1000x4",
    "decode_zq_bld",
    "decode_z",
    "decode_wav",
    "decode_audio_lengths",
)
DELAY = ("codes", "delayed", "delayed_bos", "train_inputs", "train_targets", "hf_pattern_from_bos")


@pytest.fixture
def goldens(tmp_path: Path) -> Path:
    for pattern in ("firefly_*", "delay_*"):
        for path in (DEFAULT_GOLDENS / FOLDER).glob(pattern):
            shutil.copy(path, tmp_path)
    return tmp_path


def test_the_recorded_numbers_are_met(goldens: Path) -> None:
    for component in COMPONENTS.values():
        check = component(goldens)
        assert check.checked > 10 and check.failed == 0, check.examples


@pytest.mark.parametrize("array", FIREFLY)
def test_one_changed_number_of_the_codec_is_noticed(array: str, goldens: Path) -> None:
    _change(goldens / "firefly_io.npz", array)
    assert COMPONENTS["nexus_o_firefly"](goldens).failed == 1


def test_a_changed_wave_is_noticed_whole_and_streamed(goldens: Path) -> None:
    _change(goldens / "firefly_io.npz", "decode_head_unmasked")
    assert COMPONENTS["nexus_o_firefly"](goldens).failed == 2


def test_a_little_more_or_less_in_the_spectrogram_is_noticed(goldens: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(firefly_mel, "POWER_FLOOR", 1e-7)
    check = COMPONENTS["nexus_o_firefly"](goldens)
    assert check.failed >= 1 and "encode_mel" in check.examples[0]


def test_a_changed_published_shape_is_noticed(goldens: Path) -> None:
    path = goldens / "firefly_full_keys_shapes.json"
    shapes = json.loads(path.read_text(encoding="utf-8"))
    shapes["head.conv_post.conv.bias"] = [2]
    path.write_text(json.dumps(shapes), encoding="utf-8")
    check = COMPONENTS["nexus_o_firefly"](goldens)
    assert check.failed == 1 and "head.conv_post.conv.bias" in check.examples[0]


@pytest.mark.parametrize("table", DELAY)
def test_one_changed_cell_of_the_delay_pattern_is_noticed(table: str, goldens: Path) -> None:
    _change(goldens / "delay_pattern.npz", f"K4_T9_pad1024__{table}")
    failed = COMPONENTS["nexus_o_delay_pattern"](goldens).failed
    assert failed == {"codes": 6, "delayed": 2}.get(table, 1)  # what is made of the number differs too


def _change(path: Path, array: str) -> None:
    with np.load(path) as file:
        arrays = dict(file)
    arrays[array] = arrays[array].copy()
    arrays[array].reshape(-1)[0] += 1
    np.savez(path, **arrays)
