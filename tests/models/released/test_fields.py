"""Settings of a file: what is wrong is named."""

from __future__ import annotations

import pytest

from models.released import fields


@pytest.mark.parametrize("value", [None, 0, -1, 1.0, True, "3", [1]])
def test_no_positive_whole_number_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"size is .*: expected a positive whole number"):
        fields.whole({"size": value}, "size")
    with pytest.raises(ValueError, match=r"sizes is .*: expected a positive whole number"):
        fields.wholes({"sizes": [1, value]}, "sizes")


@pytest.mark.parametrize("value", [None, -0.1, float("inf"), float("nan"), True, "1"])
def test_no_number_of_at_least_0_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"rate is .*: expected a number of at least 0"):
        fields.number({"rate": value}, "rate")


@pytest.mark.parametrize("value", [None, [], 3, [3], [[]], [[1], [0]]])
def test_no_list_of_lists_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="steps is"):
        fields.lists({"steps": value}, "steps")


def test_what_is_right_is_read() -> None:
    data = {"head": {"size": 3, "rate": 0, "sizes": [1, 2], "steps": [[1, 3], [5]]}}
    head = fields.section(data, "head")
    assert fields.whole(head, "size") == 3
    assert fields.number(head, "rate") == 0.0
    assert fields.wholes(head, "sizes") == (1, 2)
    assert fields.lists(head, "steps") == ((1, 3), (5,))


@pytest.mark.parametrize("data", [None, [], {}, {"head": 3}])
def test_a_missing_section_is_named(data: object) -> None:
    with pytest.raises(ValueError, match="head is missing or no section"):
        fields.section(data, "head")
