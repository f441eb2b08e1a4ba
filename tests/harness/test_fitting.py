"""What parts a metric allows."""

from __future__ import annotations

import pytest

from harness.fitting import beyond
from harness.task import Ratio


@pytest.mark.parametrize(
    ("lower", "right", "whole", "said"),
    [
        (0.0, 0.0, 1.0, ""),
        (0.0, 1.0, 1.0, ""),
        (0.0, -1.0, 1.0, "the part 'right' is -1; metric accuracy allows none under 0"),
        (0.0, 2.0, 1.0, "upper limit 100"),
        (0.0, 0.0, -1.0, "the part 'n' is -1; metric accuracy allows none under 0"),
        (-100.0, -1.0, 1.0, ""),
        (-100.0, -3.0, 2.0, "the part 'right' is -3; metric accuracy allows none under -2"),
    ],
)
def test_parts_outside_of_what_a_ratio_allows_are_named(lower: float, right: float, whole: float, said: str) -> None:
    found = beyond([Ratio("accuracy", "%", True, "right", "n", lower=lower)], {"right": right, "n": whole})
    assert said in found and bool(said) == bool(found)
