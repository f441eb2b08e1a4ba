"""The stages at the tiny size, two steps each: what moves, what stays, what is left behind."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from safetensors.torch import load_file

from models.released.files import SINGLE
from models.training import nexus_o, vita_audio
from models.training.loop import LOSSES, STATE
from models.training.recipes import SIZES, SPEAKING, STAGES
from models.training.vita15 import CMVN, CTC_WEIGHTS, REPORT, Training, main
from models.vita15.adapter import MINI
from models.vita15.audio_features import load_cmvn
from models.vita15.checkpoint import load

UNDERSTANDING = [name for name in STAGES if name not in SPEAKING]


def start_of(out: Path, name: str) -> Path:
    return out / f"stage-{STAGES[name].after[0]}" if STAGES[name].after else out / "initial"


@pytest.mark.parametrize("name", UNDERSTANDING)
def test_a_stage_moves_what_it_trains_and_nothing_else(out: Path, name: str):
    stage = STAGES[name]
    before, after = load_file(start_of(out, name) / SINGLE), load_file(out / f"stage-{name}" / SINGLE)
    inherited = tuple(prefix for other in stage.after[1:] for prefix in STAGES[other].trainable)
    moved = {key for key in after if not before[key].equal(after[key])}
    for prefix in stage.trainable:
        matching = {key for key in after if key.startswith(prefix)}
        assert matching & moved or not matching, f"nothing below {prefix} was trained"
    assert all(key.startswith((*stage.trainable, *inherited)) for key in moved)


def test_the_adapter_stage_takes_the_encoder_from_its_own_stage(out: Path):
    trained, used = load_file(out / "stage-2.1a" / SINGLE), load_file(out / "stage-2.1b" / SINGLE)
    keys = [key for key in used if key.startswith("model.audio_encoder.encoder.")]
    assert keys and all(trained[key].equal(used[key]) for key in keys)


@pytest.mark.parametrize("name", UNDERSTANDING)
def test_a_stage_leaves_a_folder_in_the_released_layout_with_its_losses(out: Path, name: str):
    folder = out / f"stage-{name}"
    loaded = load(folder)
    statistics = loaded.model.model.audio_encoder.encoder.global_cmvn
    assert statistics.mean.allclose(load_cmvn(folder / CMVN).mean) and float(statistics.mean.abs().sum()) > 0
    report = json.loads((folder / REPORT).read_text())
    assert report["steps"] == 2 and report["trained_parameters"] > 0
    assert set(report["held_out_loss"]) == {"true", "blank", "shuffled"}
    assert len((folder / LOSSES).read_text().splitlines()) == 3
    assert (folder / "losses.svg").read_text().lstrip().startswith("<?xml")
    assert not (folder / STATE).exists()
    assert (folder / CTC_WEIGHTS).exists() == (STAGES[name].loss == "ctc")


def test_a_stage_that_is_done_is_not_done_again(training: Training, capsys: pytest.CaptureFixture[str]):
    weights = training.folder("1.1") / SINGLE
    before = weights.stat().st_mtime_ns
    training.run(STAGES["1.1"])
    assert weights.stat().st_mtime_ns == before and "done before" in capsys.readouterr().err


def test_the_same_seed_gives_the_same_weights(out: Path, tmp_path: Path):
    assert main(["--size", "tiny", "--stage", "2.1a", "--out", str(tmp_path)]) == 0
    for name in (SINGLE, CTC_WEIGHTS):
        first, again = (load_file(folder / "stage-2.1a" / name) for folder in (out, tmp_path))
        assert first.keys() == again.keys() and all(first[key].equal(again[key]) for key in first), name


def test_a_stage_says_which_one_it_needs(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["--size", "tiny", "--stage", "1.2", "--out", str(tmp_path)]) == 2
    assert "stage 1.2 starts from stage 1.1" in capsys.readouterr().err
    assert not (tmp_path / "stage-1.2").exists()


def test_every_size_says_how_long_each_stage_lasts():
    for size in SIZES.values():
        assert size.efforts.keys() == STAGES.keys()
        assert all(effort.batch >= len(STAGES[name].shares) for name, effort in size.efforts.items())


def test_given_weights_of_another_size_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    arguments = ["--size", "tiny", "--stage", "4.1", "--out", str(tmp_path), "--understanding", str(MINI)]
    assert main(arguments) == 2
    assert "of another size than --size says: " in capsys.readouterr().err
    assert not (tmp_path / "stage-4.1").exists()


def test_a_stage_is_not_taken_for_one_that_started_from_other_weights(
    training: Training, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    def trained(stage: str, start: str) -> int:
        given = ["--understanding", str(training.folder(start))] if start else []
        return main(["--size", "tiny", "--out", str(tmp_path), "--stage", stage, "--steps", "1", *given])

    assert trained("4.1", "2.2") == 0 and trained("4.1", "2.2") == 0
    assert trained("4.1", "1.3") == 2 and "stage 4.1 was done with understanding" in capsys.readouterr().err
    assert trained("4.2", "1.3") == 0
    assert trained("4.3", "") == 2 and "4.1 and 4.2 started from different weights" in capsys.readouterr().err


def test_stages_of_another_size_are_not_gone_on_from(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    for name in ("0", "0v"):
        shutil.copytree(MINI, tmp_path / f"stage-{name}")
        (tmp_path / f"stage-{name}" / REPORT).write_text(json.dumps({"stage": name, "seed": 0}), encoding="utf-8")
    assert main(["--size", "tiny", "--stage", "1.1", "--out", str(tmp_path)]) == 2
    assert f"{tmp_path / 'stage-0'}: of another size than --size says" in capsys.readouterr().err


def test_weights_to_start_from_and_a_voice_of_another_size_are_told(
    out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    assert main(["--size", "tiny", "--stage", "0", "--from", str(MINI), "--out", str(tmp_path / "a")]) == 2
    assert "Take weights of the same sizes, or another --size" in capsys.readouterr().err
    given = ["--understanding", str(out / "stage-2.2"), "--voice", str(MINI / "vita_tts_ckpt")]
    assert main(["--size", "tiny", "--stage", "3.2", *given, "--out", str(tmp_path / "b")]) == 2
    assert "take another --size" in capsys.readouterr().err


@pytest.mark.parametrize("content", ["", '{"stage": "0", "se', "[]"])
@pytest.mark.parametrize("recipe", [main, nexus_o.main, vita_audio.main])
def test_a_damaged_report_of_a_stage_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str, recipe: Callable[[list[str]], int]
):
    stage = "0" if recipe is main else "1"
    report = tmp_path / f"stage-{stage}" / REPORT
    report.parent.mkdir()
    report.write_text(content, encoding="utf-8")
    assert recipe(["--size", "tiny", "--stage", stage, "--out", str(tmp_path)]) == 2
    told = capsys.readouterr().err
    assert str(report) in told and f"Delete {report.parent} and train the stage again" in told
