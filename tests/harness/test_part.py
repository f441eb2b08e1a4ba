"""Parts of a run: every row in just one of them, what is scored together in the same."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.failures import UsageError
from harness.part import Dealer, Part, joined
from harness.run import start
from harness.store import RunDir
from reports.runs import caveats, load
from tests.harness.toy import config, numbered, objects, toy_task


def ids(run: RunDir) -> list[str]:
    return [row.id for row in run.plan("toy")]


@given(st.integers(1, 7), st.lists(st.none() | st.sampled_from("abcdefgh"), max_size=40))
def test_every_row_is_in_one_part_and_what_belongs_together_in_the_same(of: int, rows: list[str | None]) -> None:
    dealers = [Dealer(Part(frozenset({number}), of)) for number in range(1, of + 1)]
    taken = [[dealer.takes(row) for dealer in dealers].index(True) for row in rows]
    again = [Dealer(Part(frozenset({number}), of)) for number in range(1, of + 1)]
    assert all(sum(dealer.takes(row) for dealer in again) == 1 for row in rows)
    assert all(len({taken[i] for i, row in enumerate(rows) if row == name}) <= 1 for name in "abcdefgh")
    dealt = Counter(taken[i] for i, row in enumerate(rows) if row is None or row not in rows[:i])
    assert max(dealt.values(), default=0) - min((dealt[i] for i in range(of)), default=0) <= 1


@given(st.integers(1, 9).flatmap(lambda of: st.tuples(st.sets(st.integers(1, of), min_size=1), st.just(of))))
def test_a_part_is_read_as_it_is_written(part: tuple[set[int], int]) -> None:
    own = Part(frozenset(part[0]), part[1])
    assert Part.parse(str(own)) == own
    assert sorted([*own.numbers, *own.missing]) == list(range(1, own.of + 1))


@pytest.mark.parametrize("text", ["0/4", "5", "1/0", "a/4", "1,/4", "1/4/4", ""])
def test_a_part_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="part"):
        config(part=text)


def test_a_part_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="part 5/4: there are parts 1 to 4, none is 5"):
        start(config(part="5/4"), tmp_path / "run", objects(toy_task(numbered(8))))


def test_parts_of_different_wholes_are_not_joined() -> None:
    with pytest.raises(UsageError, match="different wholes"):
        joined([Part.parse("1/2"), Part.parse("2/3")])
    with pytest.raises(UsageError, match="part 2 of 3 is there twice"):
        joined([Part.parse("1,2/3"), Part.parse("2/3")])


def test_a_run_of_a_part_asks_every_nth_row_of_the_first_that_a_limit_leaves(tmp_path: Path) -> None:
    task = toy_task(numbered(20))
    assert ids(start(config(part="2/4"), tmp_path / "a", objects(task))) == ["1", "5", "9", "13", "17"]
    run = start(config(part="1,4/4", limit=9), tmp_path / "b", objects(task))
    assert ids(run) == ["0", "3", "4", "7", "8"]
    assert "only parts 1,4 of 4 of each task: `harness merge` joins the parts of a run" in caveats(load(run.path))
    with pytest.raises(UsageError, match="task toy has no rows in part 4 of 4 of mini"):
        start(config(part="4/4", limit=3), tmp_path / "c", objects(task))


def test_a_row_is_known_in_a_part_as_in_the_whole(tmp_path: Path) -> None:
    """A row without an id is known by its place, and the second of two with one id by that it is the second."""
    rows = [{"i": i} if i % 3 else {"i": i, "sample_id": "same"} for i in range(9)]
    whole = start(config(), tmp_path / "whole", objects(toy_task(rows)))
    parts = [start(config(part=f"{n}/2"), tmp_path / str(n), objects(toy_task(rows))) for n in (1, 2)]
    found = sorted((row for part in parts for row in part.plan("toy")), key=lambda row: row.place or 0)
    assert [(row.id, row.failure, row.doc) for row in found] == [
        (row.id, row.failure, row.doc) for row in whole.plan("toy")
    ]


def test_the_rows_of_a_group_are_asked_by_one_part(tmp_path: Path) -> None:
    task = toy_task(numbered(16), group=lambda members, profile: {"right": 1.0, "n": 1.0})
    parts = [ids(start(config(part=f"{n}/2"), tmp_path / str(n), objects(task))) for n in (1, 2)]
    assert parts == [["0", "1", "2", "3", "8", "9", "10", "11"], ["4", "5", "6", "7", "12", "13", "14", "15"]]
