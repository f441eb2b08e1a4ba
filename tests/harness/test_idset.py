"""The id set against Python's own."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from harness.idset import IdSet


@given(st.lists(st.text(max_size=6)))
def test_it_is_a_set(ids: list[str]) -> None:
    known: set[str] = set()
    found = IdSet()
    for identity in ids:
        assert found.add(identity) == (identity not in known)
        known.add(identity)
        assert len(found) == len(known)
    assert all(identity in found for identity in known)
    assert "another id" not in found


def test_it_grows() -> None:
    found = IdSet()
    assert all(found.add(f"sample-{i}") for i in range(20_000))
    assert not any(found.add(f"sample-{i}") for i in range(20_000))
    assert "sample-20000" not in found
    assert len(found) == 20_000
