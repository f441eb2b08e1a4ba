"""A log that is not the one that was scored: samples keep their own scores, and it is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.api import load_run
from harness.exclusions import Exclusion, append
from harness.failures import UsageError
from harness.store import RunDir
from reports.page.efficiency import speed_of
from reports.plots.errors import spread
from reports.plots.timed import timed
from reports.runs import load
from reports.submission import export
from tests.reports.fake_run import entry, metric, sample, write_run

TASK = "librispeech_test_clean"


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Five answers, the last of which has all errors."""
    samples = [
        sample(str(n), float(n == 4), f"answer {n}", score={"parts": {"errors": 3.0 * (n == 4), "units": 3.0}})
        for n in range(5)
    ]
    results = entry({"wer": metric(20.0)}, n_expected=5, n_scored=5, version="2")
    return write_run(tmp_path / "run", {TASK: results}, {TASK: samples})


def without_the_second(run: Path) -> Path:
    log = run / "samples" / f"{TASK}.jsonl"
    lines = log.read_text(encoding="utf-8").splitlines(keepends=True)
    log.write_text("".join([lines[0], *lines[2:]]), encoding="utf-8")
    return run


def test_samples_keep_their_own_scores_where_the_log_lost_a_line(run: Path) -> None:
    found = load_run(without_the_second(run))
    table = found.samples(TASK)
    assert list(table["extracted"]) == list(table["response"]) == [f"answer {n}" for n in (0, 2, 3, 4)]
    assert not found.results.valid and "the log has 4 records" in found.results.tasks[TASK].problems[0]


@pytest.mark.parametrize("form", ["parquet", "csv"])
def test_an_export_of_such_a_run_says_so(run: Path, tmp_path: Path, form: str) -> None:
    place = without_the_second(run)
    if form == "csv":
        export(run, None, "parquet", place / "scores" / "1" / "samples.parquet")
    made = export(place, None, form, tmp_path / f"out.{form}")  # type: ignore[arg-type]
    assert made.rows == 4
    (told,) = made.told
    assert f"{TASK}: invalid: the log has 4 records" in told and "harness score" in told


def test_an_export_without_scores_says_so_and_damaged_ones_are_named(run: Path, tmp_path: Path) -> None:
    scores = run / "scores" / "1" / f"{TASK}.jsonl"
    scores.write_bytes(b"{}\n")
    with pytest.raises(UsageError, match=f"{TASK}.jsonl, line 1"):
        export(run, None, "parquet", tmp_path / "out.parquet")
    scores.unlink()
    made = export(run, None, "parquet", tmp_path / "out.parquet")
    assert made.rows == 0 and "5 records have no scores" in made.told[0]


def test_excluded_samples_are_in_no_plot(run: Path) -> None:
    before = load(run)
    assert spread(before, TASK).corpus == 20.0 and len(timed(before, TASK).answers) == 5  # type: ignore[union-attr]
    append(RunDir.open(run), [Exclusion(TASK, "4", "wrong gold", "2026-01-01")])
    after = load(run)
    assert spread(after, TASK).corpus == 0.0 and len(timed(after, TASK).answers) == 4  # type: ignore[union-attr]
    assert speed_of(after.counted_records(TASK)).answers == 4
