"""Leases: every request is handed out, and answered, once, whoever dies."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from harness.contracts import DataChoice
from harness.engines.leases import MOST, TRIES, Lease, Leases, cut, lease_size
from harness.plan import Planned, choose, given_to_all, planned, rows_of
from harness.schedule import Group
from tests.harness.toy import ToyModel, numbered, toy_task


def plan(n: int) -> list[Planned]:
    task = toy_task(numbered(n))
    chosen = choose(
        task, DataChoice("mini"), prompt=None, styles=("plain",), profile=None, limit=None, repeats=1
    )  # fmt: skip
    return list(planned(chosen, rows_of(chosen, task.rows(chosen.data), ToyModel()), 0, given_to_all(None, "mean")))


ITEMS = plan(60)


@given(n=st.integers(1, 5000), rows=st.integers(1, 800), workers=st.integers(1, 50))
def test_a_lease_is_never_empty_too_large_or_larger_than_a_workers_share(n: int, rows: int, workers: int) -> None:
    size = lease_size(n, rows, workers)
    assert 1 <= size <= MOST
    assert size <= -(-n // workers)


@given(n=st.integers(1, 60), rows=st.integers(1, 60), workers=st.integers(1, 8))
def test_a_group_is_cut_into_leases_that_have_each_request_once_in_order(n: int, rows: int, workers: int) -> None:
    leases = list(cut(Group(ITEMS[:n], rows), workers))
    assert [item for lease in leases for item in lease.waiting.values()] == ITEMS[:n]
    assert all(lease.rows <= min(rows, len(lease.waiting)) for lease in leases)


def test_a_timed_group_stays_whole() -> None:
    (lease,) = cut(Group(ITEMS, 1, timed=True), 4)
    assert lease.timed and len(lease.waiting) == len(ITEMS)


@given(st.data())
def test_every_request_is_answered_once_however_workers_die(data: st.DataObject) -> None:
    """A worker answers some of its lease and dies, or answers all. What kills always is given up in the end, alone."""
    poison = data.draw(st.sets(st.integers(0, len(ITEMS) - 1), max_size=2))
    leases = Leases(lease for group in (Group(ITEMS[:25], 4), Group(ITEMS[25:], 8)) for lease in cut(group, 3))
    answered: Counter[str] = Counter()
    lost: list[str] = []
    for _ in range(2000):
        if leases.peek() is None:
            break
        lease = leases.take()
        dies = data.draw(st.booleans()) if len(lease.waiting) > 1 else False
        for place, number in enumerate(list(lease.waiting)):
            item = lease.waiting[number]
            if ITEMS.index(item) in poison or (dies and place >= len(lease.waiting) // 2):
                dies = True
                break
            settled = lease.settle(number)
            assert settled is item and lease.settle(number) is None
            answered[item.key] += 1
        if dies and (given_up := leases.died(lease)) is not None:
            lost.append(given_up.key)
    assert leases.peek() is None
    assert set(answered.values()) <= {1}
    assert sorted([*answered, *lost]) == sorted(item.key for item in ITEMS)
    assert set(lost) == {ITEMS[place].key for place in poison}


def test_a_request_is_given_up_only_when_it_was_alone() -> None:
    lease = Lease({0: ITEMS[0]}, 1, False)
    leases = Leases[Planned]([])
    assert [leases.died(lease) for _ in range(TRIES)] == [None] * (TRIES - 1) + [ITEMS[0]]


def test_a_lease_that_was_answered_whole_is_not_handed_out_again() -> None:
    leases = Leases[Planned]([])
    assert leases.died(Lease({}, 1, False)) is None
    assert leases.peek() is None
