import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.vita15.video_frames import sample_frames

RATES = st.floats(0.01, 240)


@given(RATES, st.integers(1, 100_000), st.integers(1, 8), st.integers(0, 60))
def test_indices_are_sorted_in_range_and_as_many_as_asked(fps: float, total: int, low: int, more: int) -> None:
    indices = sample_frames(fps, total, min_frames=low, max_frames=low + more)
    assert low <= len(indices) <= low + more
    assert indices == sorted(indices)
    assert indices[0] == 0
    assert indices[-1] < total


@given(RATES, st.integers(1, 10_000), st.integers(0, 100), st.integers(0, 100))
def test_a_part_stays_within_its_seconds(fps: float, total: int, start: int, end: int) -> None:
    first = int(min(start, end) * fps)
    if first >= total:
        with pytest.raises(ValueError, match="outside a video"):
            sample_frames(fps, total, start, end)
        return
    indices = sample_frames(fps, total, start, end)
    last = int((max(start, end) + (start == end)) * fps)
    assert all(first <= index <= last for index in indices)
    assert indices == sample_frames(fps, total, end, start)


def test_one_frame_a_second_between_the_bounds() -> None:
    assert sample_frames(25, 200) == list(range(0, 200, 25))


def test_a_long_clip_is_spread_and_a_short_one_repeats() -> None:
    assert len(sample_frames(30, 108_000)) == 16
    assert sample_frames(30, 90) == [0, 0, 30, 60]


def test_half_is_rounded_to_even() -> None:
    assert sample_frames(12.5, 60) == [0, 12, 24, 36, 48]


def test_a_slow_video_uses_every_frame() -> None:
    assert sample_frames(0.4, 8) == list(range(8))


def test_one_open_end_reaches_the_end_of_the_clip() -> None:
    assert sample_frames(10, 100, start_s=4) == [40, 50, 60, 70, 80, 90]
    assert sample_frames(10, 100, end_s=5) == [0, 10, 20, 30, 40, 50]
    with pytest.raises(ValueError, match="from 30 s to 31 s"):
        sample_frames(10, 100, start_s=30)


@pytest.mark.parametrize(
    ("fps", "total", "settings", "message"),
    [
        (0, 10, {}, "rate must be a positive number"),
        (-1, 10, {}, "rate must be a positive number"),
        (math.nan, 10, {}, "rate must be a positive number"),
        (math.inf, 10, {}, "rate must be a positive number"),
        (30, 0, {}, "at least one"),
        (30, 10, {"min_frames": 5, "max_frames": 4}, "min_frames 5"),
        (30, 10, {"min_frames": 0}, "min_frames 0"),
    ],
)
def test_impossible_videos_are_refused(fps: float, total: int, settings: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        sample_frames(fps, total, **settings)
