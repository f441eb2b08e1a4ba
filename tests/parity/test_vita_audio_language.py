"""The parity components of VITA-Audio's language model notice every kind of changed golden."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.parity.__main__ import DEFAULT_GOLDENS
from tests.parity.vita_audio_language import COMPONENTS


@pytest.mark.parametrize(
    ("name", "file", "array"),
    [
        ("mtp_small", "mtp_small_io", "gen_1_5_tokens"),
        ("mtp_small", "mtp_small_io", "gen_1_3_source"),
        ("mtp_small", "mtp_small_io", "gen_1_3_2_3_logits"),
        ("mtp_small", "mtp_small_io", "gen_8192_0_calls"),
        ("mtp_small", "mtp_small_io", "eos_1_3_tokens"),
        ("mtp_small", "mtp_small_io", "tf_main_logits"),
        ("mtp_small", "mtp_small_io", "tf_mtp2_hidden"),
        ("mtp_small", "mtp_small_io", "tf_mtp2_loss"),
        ("mtp_small", "mtp_small_io", "pack_loss_lmhead_trainable"),
        ("mtp_small", "mtp_small_io", "pack_loss_lmhead_frozen"),
        ("mtp_small", "mtp_small_io", "pack_main_logits"),
        ("mtp10", "mtp10_io", "tf_loss"),
        ("mtp10", "mtp10_io", "pack_mtp9_loss"),
        ("mtp10", "mtp10_extra", "boost_tokens"),
        ("mtp10", "mtp10_extra", "turbo_prompt1_tokens"),
        ("plus", "plus_io", "gen_turbo4_tokens"),
        ("plus", "plus_io", "gen_vanilla_logits"),
    ],
)
def test_one_changed_number_is_noticed(name: str, file: str, array: str, tmp_path: Path) -> None:
    for path in (DEFAULT_GOLDENS / "vita_audio").glob(f"{name}_*"):
        shutil.copy(path, tmp_path)
    with np.load(tmp_path / f"{file}.npz") as content:
        arrays = dict(content)
    arrays[array] = arrays[array].copy()
    arrays[array].reshape(-1)[0] += 1
    np.savez(tmp_path / f"{file}.npz", **arrays)
    assert COMPONENTS[f"vita_audio_{name}"](tmp_path).failed == 1


def test_another_source_in_the_schedule_is_noticed(tmp_path: Path) -> None:
    content = json.loads((DEFAULT_GOLDENS / "vita_audio" / "schedule.json").read_text())
    content["turbo"]["source"][11] = 10
    (tmp_path / "schedule.json").write_text(json.dumps(content))
    assert COMPONENTS["vita_audio_schedule"](tmp_path).failed == 1
