"""Samples that are left out: their reason and count stand beside every number, the log stays as it is."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.exclusions import append, excluded
from harness.failures import UsageError
from harness.run import score_again, start
from harness.store import RunDir
from harness.upkeep.exclude import exclude, read_ids, undo
from reports.figures import counted
from reports.leaderboard import rows
from reports.runs import load
from tests.harness.conftest import Call
from tests.harness.faults import Half
from tests.harness.toy import TASK, Rows, accuracy, config, numbered, objects, toy_task

WHY = "wrong gold answer in the benchmark"
TOY = toy_task(numbered(12), source=Rows(numbered(12), published=12))
OWN = objects(TOY, model=Half())
"""Right for even numbers, wordy for odd ones: exact 50 %."""


def run(path: Path, **fields: object) -> RunDir:
    return start(config(data=str(path.parent), **fields), path, OWN)


def named(*ids: str) -> list[tuple[str | None, str]]:
    return [(None, one) for one in ids]


def test_what_is_left_out_leaves_the_denominator_and_is_told(tmp_path: Path) -> None:
    made = run(tmp_path / "run")
    log = made.samples_path("toy").read_bytes()
    assert accuracy(made.results()) == 50
    exclude(made.path, named("1", "3", "4"), WHY, "ids.txt", OWN)
    entry = made.results().tasks["toy"]
    assert entry.headline.metrics["accuracy"].value == pytest.approx(100 * 5 / 9)
    assert (entry.n_expected, entry.n_excluded, entry.n_scored, entry.coverage, entry.valid) == (12, 3, 9, 1.0, True)
    assert entry.excluded == {f"{WHY} (ids.txt)": 3}
    assert entry.problems == [f"3 samples excluded: {WHY} (ids.txt)", "9 of 12 published rows"]
    assert counted(entry) == "9 of 12 published rows"
    assert {(row.n_excluded, row.n_expected) for row in rows(load(made.path))} == {(3, 12)}
    assert made.samples_path("toy").read_bytes() == log


@settings(max_examples=15, deadline=None)
@given(out=st.sets(st.integers(0, 11), max_size=11), data=st.data())
def test_numbers_without_samples_are_those_of_a_run_that_never_had_them(
    out: set[int], data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("runs")
    less = toy_task([row for row in numbered(12) if row["i"] not in out])
    other = start(config(), folder / "less", objects(less, model=Half()))
    made = run(folder / "run")
    before = made.results()
    for one in data.draw(st.permutations(sorted(out))):
        exclude(made.path, named(str(one)), WHY, objects=OWN)
    assert made.results().tasks["toy"].scores == other.results().tasks["toy"].scores
    if out:
        undo(made.path, named(*map(str, out)), objects=OWN)
    assert made.results().tasks == before.tasks


def test_a_rescoring_keeps_what_is_left_out(tmp_path: Path) -> None:
    made = run(tmp_path / "run", repeats=1)
    exclude(made.path, named("1"), WHY, objects=OWN)
    score_again(made.path, {"toy": "loose"}, objects=OWN)
    entry = made.results().tasks["toy"]
    assert (entry.profile, entry.excluded, entry.n_scored) == ("loose", {WHY: 1}, 11)


def test_unknown_ids_are_listed_and_nothing_is_done(tmp_path: Path) -> None:
    made = run(tmp_path / "run")
    before = (made.path / "results.json").read_bytes()
    with pytest.raises(UsageError, match="has no sample 99, x; nothing was done"):
        exclude(made.path, named("1", "99", "x"), WHY, objects=OWN)
    with pytest.raises(UsageError, match="has no task tou"):
        exclude(made.path, [("tou", "1")], WHY, objects=OWN)
    with pytest.raises(UsageError, match="reason is empty"):
        exclude(made.path, named("1"), " ", objects=OWN)
    with pytest.raises(UsageError, match=r"not excluded in .*: toy 1; nothing was done"):
        undo(made.path, named("1"), objects=OWN)
    assert (made.path / "results.json").read_bytes() == before
    assert not (made.path / "exclusions.jsonl").exists()


def test_an_id_of_two_tasks_needs_the_task(tmp_path: Path) -> None:
    both = objects(TASK, replace(TASK, name="toy_two"))
    made = start(config(TASK, replace(TASK, name="toy_two")), tmp_path / "run", both)
    with pytest.raises(UsageError, match=r"in several tasks: 1 \(toy, toy_two\)"):
        exclude(made.path, named("1"), WHY, objects=both)
    exclude(made.path, [("toy_two", "1")], WHY, objects=both)
    found = made.results().tasks
    assert (found["toy"].n_excluded, found["toy_two"].n_excluded) == (0, 1)


def test_half_of_what_is_scored_together_is_refused_and_the_rest_named(tmp_path: Path) -> None:
    """The toy's rows are in clusters of four."""
    task = toy_task(numbered(12), group=lambda members, profile: {"right": float(len(members)), "n": 4.0})
    own = objects(task)
    made = start(config(), tmp_path / "run", own)
    with pytest.raises(UsageError, match=r"4, 5: with 6, 7"):
        exclude(made.path, named("4", "5"), WHY, objects=own)
    exclude(made.path, named("4", "5", "6", "7"), WHY, objects=own)
    entry = made.results().tasks["toy"]
    assert (entry.headline.metrics["accuracy"].n, entry.n_excluded) == (2, 4)
    with pytest.raises(UsageError, match=r"take them back too"):
        undo(made.path, named("4"), objects=own)


def test_numbers_that_leave_out_something_else_are_not_valid(tmp_path: Path) -> None:
    """As after a kill between the list and the numbers; the same command goes on."""
    made = run(tmp_path / "run")
    exclude(made.path, named("1"), WHY, objects=OWN)
    line = excluded(made).by_task["toy"]["1"]
    append(made, [msgspec.structs.replace(line, id="2")])
    assert any(
        "2 samples are excluded now, these numbers leave out 1" in p
        for p in load(made.path).results.tasks["toy"].problems
    )
    assert not load(made.path).results.valid
    exclude(made.path, named("2"), WHY, objects=OWN)
    found = load(made.path).results
    assert found.valid and found.tasks["toy"].n_excluded == 2


@pytest.mark.parametrize("content", ["1\n2\n", "\ufeff1\r\n\r\n2\r\n", "  1 \n2\n1\n", "1\n2"])
def test_an_ids_file_of_any_editor_is_read(tmp_path: Path, content: str) -> None:
    (tmp_path / "ids").write_bytes(content.encode())
    assert read_ids(tmp_path / "ids") == [(None, "1"), (None, "2")]
    assert read_ids(tmp_path / "ids", "toy") == [("toy", "1"), ("toy", "2")]


def test_an_ids_file_may_name_tasks(tmp_path: Path) -> None:
    (tmp_path / "ids").write_text("toy\t1\n7\n")
    assert read_ids(tmp_path / "ids") == [("toy", "1"), (None, "7")]
    (tmp_path / "empty").write_text("\n")
    with pytest.raises(UsageError, match="names no sample"):
        read_ids(tmp_path / "empty")
    (tmp_path / "bytes").write_bytes(b"\xff\xfe1")
    with pytest.raises(UsageError, match="not UTF-8"):
        read_ids(tmp_path / "bytes")
    with pytest.raises(UsageError, match="ids file cannot be read"):
        read_ids(tmp_path / "absent")


def test_the_command(toys: None, call: Call, tmp_path: Path) -> None:
    out, ids = tmp_path / "run", tmp_path / "ids.txt"
    ids.write_text("3\n5\n")
    assert call("run", "-m", "toy-model", "-t", "toy", "--data", "mini", "--out", out).code == 0
    told = call("exclude", out, "--ids", ids, "--reason", WHY)
    assert told.code == 0 and f"! 2 samples excluded: {WHY} (ids.txt)" in told.out
    shown = json.loads(call("show", out, "--json").out)
    assert (shown["tasks"]["toy"]["n_excluded"], shown["tasks"]["toy"]["n_expected"]) == (2, 40)
    listed = json.loads(call("exclude", out, "--list", "--json").out)["excluded"]
    assert [(line["task"], line["id"], line["reason"], line["source"]) for line in listed] == [
        ("toy", "3", WHY, "ids.txt"),
        ("toy", "5", WHY, "ids.txt"),
    ]
    assert "toy\t3\t" in call("exclude", out, "--list").out
    assert call("exclude", out, "--ids", ids, "--undo").code == 0
    assert call("exclude", out, "--list").out == "nothing is excluded\n"
    assert len((out / "exclusions.jsonl").read_text().splitlines()) == 4
    assert call("exclude", out).code == 2
    assert call("exclude", tmp_path, "--ids", ids, "--reason", WHY).code == 2
