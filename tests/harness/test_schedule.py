"""Groups: every request once, within the budget, like lengths and like settings together."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from harness.contracts import DataChoice
from harness.plan import Planned, TaskPlan
from harness.schedule import SPREAD, groups, halves
from harness.types import Generation, Request, Sample
from tests.harness.toy import TASK, timed

PLAN = TaskPlan(TASK, DataChoice("mini"), "plain", "", "exact", None)


def planned(tokens: int, index: int, plan: TaskPlan = PLAN, generation: Generation = Generation()) -> Planned:
    return Planned(plan, Sample(str(index), (), {}), Request(str(index), (), generation), "", tokens)


@given(
    lengths=st.lists(st.integers(1, 5000), max_size=60),
    budget=st.integers(1, 20_000),
    window=st.integers(1, 20),
)
def test_groups(lengths: list[int], budget: int, window: int) -> None:
    made = list(groups((planned(n, i) for i, n in enumerate(lengths)), budget, window))
    assert sorted(int(p.sample.id) for group in made for p in group.items) == list(range(len(lengths)))
    for group in made:
        sizes = [p.tokens for p in group.items]
        assert sizes == sorted(sizes, reverse=True)
        assert group.rows == 1 or sizes[0] * group.rows <= budget
        assert sizes[-1] >= SPREAD * sizes[0]


def test_only_requests_with_the_same_settings_are_grouped_whatever_their_seeds() -> None:
    sampled = Generation(temperature=1.0)
    items = [planned(9, i, generation=replace(sampled, seed=i)) for i in range(3)] + [planned(9, 3)]
    made = list(groups(items, 1000))
    assert [[p.sample.id for p in group.items] for group in made] == [["0", "1", "2"], ["3"]]


def test_a_timed_task_is_answered_one_by_one_and_by_itself() -> None:
    slow = replace(PLAN, task=timed(TASK))
    made = list(groups([planned(9, 0), planned(9, 1, slow), planned(9, 2, slow)], 1000))
    assert [(len(group.items), group.rows, group.timed) for group in made] == [(1, 1, False), (2, 1, True)]


@given(st.lists(st.integers(), min_size=2))
def test_halves_are_smaller_and_lose_nothing(items: list[int]) -> None:
    first, second = halves(items)
    assert [*first, *second] == items
    assert max(len(first), len(second)) < len(items)
