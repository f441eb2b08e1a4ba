"""The leaderboard as a value: who is ranked, how often each is better, and what a cell says."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.registry import SUITES, get_task
from harness.schema import TaskResult
from reports.page.board import OVERVIEW, Board, BoardRow, board_of
from reports.page.cells import Cell, outcome, placed
from reports.page.failures import LINKS, Failed, kinds
from reports.page.pages import at_sample
from reports.page.site import write_site
from reports.runs import load
from reports.suites import suite_of
from tests.reports.fake_run import entry, metric, numbers, write_run

Tasks = dict[str, TaskResult]


def accuracy(value: float | None, **changes: Any) -> TaskResult:
    ci = None if value is None else (value - 1, value + 1)
    return entry({"accuracy": metric(value, ci, higher=True)}, "strict", **changes)


def wer(value: float | None, **changes: Any) -> TaskResult:
    return entry({"wer": metric(value, None if value is None else (value - 0.1, value + 0.1))}, "qwen2", **changes)


def board(folder: Path, runs: dict[str, Tasks], **options: Any) -> Board:
    """A board of runs, each named after its model."""
    paths = [write_run(folder / name, tasks, model=name, **options.get(name, {})) for name, tasks in runs.items()]
    return board_of([(n, load(path)) for n, path in enumerate(paths)], {})


def row(found: Board, model: str) -> BoardRow:
    return next(one for one in found.rows if one.model == model)


def test_runs_are_ranked_by_how_often_they_are_better_in_their_tasks_own_direction(tmp_path: Path) -> None:
    runs = {
        "a": {"mmstar": accuracy(60.0), "aishell1": wer(3.0)},
        "b": {"mmstar": accuracy(50.0), "aishell1": wer(2.0)},
        "c": {"mmstar": accuracy(40.0), "aishell1": wer(2.5)},
    }
    found = board(tmp_path, runs)
    assert [(one.model, one.standings[OVERVIEW].wins, one.standings[OVERVIEW].rank) for one in found.rows] == [
        ("b", 75.0, 1),
        ("a", 50.0, 2),
        ("c", 25.0, 3),
    ]
    assert [one.model for one in found.ordered("image")] == ["a", "b", "c"]
    assert row(found, "a").standings["image"].wins == 100.0 and row(found, "a").standings["asr"].wins == 0.0


def test_a_task_with_several_metrics_counts_once_and_a_draw_is_half(tmp_path: Path) -> None:
    def latency(one: float, two: float) -> TaskResult:
        return entry({"ttft_p50_ms": metric(one, unit="ms"), "ttft_p95_ms": metric(two, unit="ms")}, "wall")

    runs = {
        "a": {"latency_fixed": latency(1.0, 2.0), "mmstar": accuracy(1.0)},
        "b": {"latency_fixed": latency(2.0, 2.0), "mmstar": accuracy(2.0)},
    }
    found = board(tmp_path, runs)
    assert row(found, "a").standings["latency"].wins == 75.0
    assert row(found, "a").standings[OVERVIEW].wins == pytest.approx((75.0 + 0.0) / 2)


def test_equal_rates_share_a_rank(tmp_path: Path) -> None:
    found = board(tmp_path, {"a": {"mmstar": accuracy(5.0)}, "b": {"mmstar": accuracy(5.0)}})
    assert [one.standings[OVERVIEW].rank for one in found.rows] == [1, 1]
    assert [one.cells["mmstar.accuracy"].place for one in found.rows] == ["best", "best"]


@pytest.mark.parametrize(
    ("options", "changes", "why"),
    [
        ({"data": "mini"}, {}, "mini world"),
        ({"note": "random weights"}, {}, "random weights"),
        ({"finished": False}, {}, "incomplete run"),
        ({"limit": 3}, {}, "first 3 samples"),
        ({}, {"valid": False}, "mmstar: invalid"),
        ({}, {"n_published": 1500}, "mmstar: 3 of 1,500 published rows"),
    ],
)
def test_what_is_no_benchmark_number_is_not_ranked_and_says_why(
    tmp_path: Path, options: dict[str, Any], changes: dict[str, Any], why: str
) -> None:
    runs = {
        "odd": {"mmstar": accuracy(99.0, **changes)},
        "a": {"mmstar": accuracy(1.0)},
        "b": {"mmstar": accuracy(2.0)},
    }
    found = board(tmp_path, runs, odd=options)
    assert [one.model for one in found.rows] == ["b", "a", "odd"]
    odd = row(found, "odd")
    assert any(why in told for told in odd.why) and odd.standings[OVERVIEW].rank is None
    assert odd.standings[OVERVIEW].wins is None and odd.cells["mmstar.accuracy"].place == ""
    assert row(found, "b").standings[OVERVIEW].wins == 100.0, "nobody wins or loses against it"
    assert row(found, "b").cells["mmstar.accuracy"].place == "best"


def test_a_run_that_lacks_tasks_is_ranked_only_where_it_has_all(tmp_path: Path) -> None:
    runs = {
        "whole": {"mmstar": accuracy(1.0), "aishell1": wer(3.0)},
        "part": {"mmstar": accuracy(2.0)},
        "other": {"mmstar": accuracy(3.0), "aishell1": wer(2.0)},
    }
    part = row(board(tmp_path, runs), "part")
    assert (part.standings[OVERVIEW].done, part.standings[OVERVIEW].needed, part.standings[OVERVIEW].rank) == (
        1,
        2,
        None,
    )
    assert part.standings["image"].rank == 2 and part.standings["asr"].rank is None
    assert part.competes and part.cells["aishell1.wer"].text == "–"


def test_numbers_that_were_scored_otherwise_are_not_compared(tmp_path: Path) -> None:
    other = entry({"accuracy": metric(90.0, (89.0, 91.0), higher=True)}, "loose")
    judged = accuracy(95.0, judges={"llm": "grader"})
    runs = {
        "a": {"mmstar": accuracy(1.0)},
        "b": {"mmstar": accuracy(2.0)},
        "c": {"mmstar": other},
        "d": {"mmstar": judged},
    }
    found = board(tmp_path, runs)
    places = {one.model: one.cells["mmstar.accuracy"].place for one in found.rows}
    assert places == {"a": "tied", "b": "best", "c": "", "d": ""}
    assert row(found, "c").standings[OVERVIEW].wins is None and row(found, "d").standings[OVERVIEW].wins is None


def test_latencies_of_two_machines_are_not_compared(tmp_path: Path) -> None:
    def slow(value: float) -> Tasks:
        return {"latency_fixed": entry({"ttft_p50_ms": metric(value, unit="ms")}, "wall")}

    for name, value in (("a", 1.0), ("b", 2.0)):
        write_run(tmp_path / name, slow(value), model=name)
    told = json.loads((tmp_path / "b" / "manifest.json").read_bytes())
    told["device"] = "cuda"
    (tmp_path / "b" / "manifest.json").write_text(json.dumps(told))
    found = board_of([(0, load(tmp_path / "a")), (1, load(tmp_path / "b"))], {})
    assert [one.standings[OVERVIEW].wins for one in found.rows] == [None, None]


@pytest.mark.parametrize(
    ("result", "state", "text"),
    [
        (accuracy(None), "missing", "–"),
        (accuracy(None, n_failed=2, n_scored=0, coverage=0.0, valid=False), "failed", "error (2)"),
        (accuracy(None, valid=False), "invalid", "invalid"),
        (accuracy(0.0), "ok", "0.00"),
        (accuracy(5.0, valid=False), "invalid", "5.00"),
    ],
)
def test_a_missing_or_failed_number_is_never_nought(tmp_path: Path, result: TaskResult, state: str, text: str) -> None:
    cell = board(tmp_path, {"a": {"mmstar": result}}).rows[0].cells["mmstar.accuracy"]
    assert (cell.state, cell.text) == (state, text)


def test_another_profile_has_its_own_best(tmp_path: Path) -> None:
    def two(strict: float, loose: float) -> Tasks:
        result = accuracy(strict)
        result.scores["loose"] = {"": numbers({"accuracy": metric(loose, (loose - 0.1, loose + 0.1), higher=True)})}
        return {"mmstar": result}

    found = board(tmp_path, {"a": two(10.0, 50.0), "b": two(20.0, 40.0)})
    places = {n: cell.place for (n, _), cell in found.others["loose"].items()}
    assert found.profiles == ("loose",) and places == {0: "best", 1: ""}


def test_a_run_that_kept_silent_is_no_better_under_a_profile_that_leaves_silence_out(tmp_path: Path) -> None:
    def two(dropped: float, silent: int) -> Tasks:
        result = accuracy(10.0)
        counts = {"n_scored": 3 - silent, "n_unscored": silent}
        result.scores["dropped"] = {"": numbers({"accuracy": metric(dropped, higher=True)}, **counts)}
        return {"mmstar": result}

    found = board(tmp_path, {"a": two(50.0, 0), "b": two(90.0, 2)})
    assert {cell.place for cell in found.others["dropped"].values()} == {""}
    assert [cell.n for cell in found.others["dropped"].values()] == [3, 1]


def test_a_blind_run_is_no_row(tmp_path: Path) -> None:
    found = board(tmp_path, {"a": {"mmstar": accuracy(1.0)}, "b": {"mmstar": accuracy(2.0)}}, b={"ablate": "image"})
    assert [one.model for one in found.rows] == ["a"]


def test_groups_are_the_suites_and_every_task_has_one() -> None:
    for suite, tasks in SUITES.items():
        for task in tasks:
            assert suite_of(task, sorted(get_task(task).inputs)) == suite
    assert suite_of("mmbench_en_test", ["image", "text"]) == "image"
    assert suite_of("of_a_plugin", ["text"]) == "other"


@given(st.lists(st.floats(0, 100), min_size=2, max_size=6), st.booleans())
def test_the_best_is_the_best_and_pairs_add_up(values: list[float], higher: bool) -> None:
    cells = [Cell("ok", "", value, (value - 5, value + 5), scored="alike") for value in values]
    found = placed(cells, higher)
    top = max(values) if higher else min(values)
    for cell, value in zip(found, values, strict=True):
        assert (cell.place == "best") == (value == top)
        if cell.place == "tied":
            assert abs(value - top) <= 10 + 1e-9
    one, two = cells[:2]
    assert outcome(one, two, higher) + outcome(two, one, higher) == 1


def test_the_tables_are_files_too(tmp_path: Path) -> None:
    runs = {"a": {"mmstar": accuracy(60.0)}, "=b": {"mmstar": accuracy(50.0, n_failed=1)}}
    paths = [write_run(tmp_path / str(n), tasks, model=name) for n, (name, tasks) in enumerate(runs.items())]
    data = write_site(paths, tmp_path / "site").parent / "data"
    rows = list(csv.DictReader(io.StringIO((data / "board-image.csv").read_text())))
    assert [one["model"] for one in rows] == ["a", "'=b"]
    assert [one["mmstar accuracy % ↑"] for one in rows] == ["60.0", "50.0"] and rows[0][
        "mmstar accuracy % ↑ n"
    ] == "3.0"
    told = json.loads((data / "board-image.json").read_bytes())
    assert told["rows"][0]["cells"][-1]["number"] == 60.0 and "1 failed" in told["notes"].values()
    assert r"\toprule" in (data / "board-image.tex").read_text()
    assert {path.name for path in data.glob("board-all.*")} == {"board-all.csv", "board-all.json", "board-all.tex"}


def test_failures_that_are_alike_stand_together_the_commonest_first() -> None:
    def failed(message: str, sample: str, run: str = "r") -> Failed:
        return Failed("t", "generate", "limit", message, sample, "m", run, f"tasks/{run}-t.html")

    found = kinds(
        [failed("odd", "x"), *(failed("full", f"s {n}/#") for n in range(LINKS + 2)), failed("full", "y", "q")]
    )
    assert [(kind.message, kind.count) for kind in found] == [("full", LINKS + 3), ("odd", 1)]
    first, second = found[0].wheres
    assert (len(first.links), first.more, second.more) == (LINKS, 2, 0)
    assert first.links[0].href == "tasks/r-t.html#id=s%200%2F%23" == at_sample("tasks/r-t.html", "s 0/#")
