"""Batches: every request once, within the budget, like lengths together."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from harness.plan import Planned
from harness.schedule import SPREAD, batches, halves
from harness.types import Generation, Request, Sample


def planned(tokens: int, index: int) -> Planned:
    sample = Sample(str(index), (), {})
    return Planned("toy", sample, Request(str(index), (), Generation()), "", tokens)


@given(
    lengths=st.lists(st.integers(1, 5000), max_size=60),
    budget=st.integers(1, 20_000),
    window=st.integers(1, 20),
)
def test_batches(lengths: list[int], budget: int, window: int) -> None:
    made = list(batches((planned(n, i) for i, n in enumerate(lengths)), budget, window))
    assert sorted(int(p.sample.id) for batch in made for p in batch) == list(range(len(lengths)))
    for batch in made:
        sizes = [p.tokens for p in batch]
        assert sizes == sorted(sizes, reverse=True)
        assert len(batch) == 1 or sizes[0] * len(batch) <= budget
        assert sizes[-1] >= SPREAD * sizes[0]


@given(st.lists(st.integers(), min_size=2))
def test_halves_are_smaller_and_lose_nothing(items: list[int]) -> None:
    first, second = halves(items)
    assert [*first, *second] == items
    assert max(len(first), len(second)) < len(items)
