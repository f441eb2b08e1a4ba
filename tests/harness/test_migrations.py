"""Run directories that earlier versions left are read, shown and scored again."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from harness.failures import UsageError
from harness.run import resume, score_again
from harness.store import RunDir

RUNS = Path(__file__).parents[1] / "goldens" / "runs"


@pytest.fixture
def first(tmp_path: Path) -> Path:
    """A run of format 1: VITA-1.5 mini on four samples each of LibriSpeech and MME."""
    return Path(shutil.copytree(RUNS / "format-1", tmp_path / "run"))


def test_a_run_of_format_1_is_read(first: Path) -> None:
    run = RunDir.open(first)
    stored = json.loads((first / "results.json").read_text())["tasks"]["mme"]
    found = run.results().tasks["mme"]
    assert run.finished and found.profile == "vlmevalkit_vita"
    values = {name: metric.value for name, metric in found.headline.metrics.items()}
    assert values == {name: metric["value"] for name, metric in stored["metrics"].items()}
    record, scored = next(run.pairs("librispeech_test_clean"))
    assert record.id == scored.id
    assert scored.scores["qwen2"][""].wrong is False
    assert record.messages[0].parts[0].kind == "audio"


def test_a_run_of_format_1_is_scored_again_under_every_profile(first: Path) -> None:
    before = {task: entry.profile for task, entry in RunDir.open(first).results().tasks.items()}
    log = (first / "samples" / "mme.jsonl").read_bytes()
    results = score_again(first, {"librispeech_test_clean": "kimi"}).results()
    speech, seen = results.tasks["librispeech_test_clean"], results.tasks["mme"]
    assert (speech.profile, seen.profile) == ("kimi", before["mme"])
    assert {"qwen2", "kimi", "whisper"} <= speech.scores.keys() and speech.headline.metrics["wer"].value == 0
    assert seen.headline.metrics["perception"].value is None, "nine of its ten categories were not asked"
    assert (first / "samples" / "mme.jsonl").read_bytes() == log


def test_an_unfinished_run_of_format_1_is_left_to_its_version(first: Path) -> None:
    (first / "finished.json").unlink()
    with pytest.raises(UsageError, match="format 1"):
        resume(first)
