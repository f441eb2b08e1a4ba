"""Which frames the named rules show."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.media.frames import frame_times, sampled
from harness.types import FrameRule, Pictures
from tests.harness.video_files import Form, write

RULES: list[FrameRule] = ["uniform", "fps", "segments", "inner", "centres"]
rules = st.sampled_from(RULES)
counts, rates, numbers = st.integers(1, 20_000), st.floats(0.05, 120), st.integers(1, 64)


@given(rules, counts, rates, numbers, st.none() | st.floats(-5, 400), st.none() | st.floats(-5, 400))
def test_what_is_shown_lies_inside_and_is_no_more_than_asked_for(
    rule: FrameRule, n: int, fps: float, most: int, start: float | None, end: float | None
) -> None:
    try:
        found = sampled(rule, n, fps, most, start, end)
    except ValueError as error:
        assert "start_s" in str(error) and min(start or 0, math.inf if end is None else end) * fps >= n - 1
        return
    assert 1 <= len(found) <= most
    assert found == sorted(set(found)) and found[0] >= 0 and found[-1] < n
    low, high = sorted((max(0.0, start or 0), math.inf if end is None else max(0.0, end)))
    assert found[0] > low * fps - 1 and found[-1] <= high * fps


@given(counts, rates, numbers)
def test_uniform_is_the_cut_off_linspace(n: int, fps: float, most: int) -> None:
    found = sampled("uniform", n, fps, most)
    assert found == (list(range(n)) if n <= most else np.linspace(0, n - 1, most, dtype=int).tolist())


@given(counts, rates, numbers)
def test_fps_is_one_a_second_or_a_linspace_of_them(n: int, fps: float, most: int) -> None:
    grid = np.arange(0, n, max(1, round(fps)))
    kept = grid if len(grid) <= most else grid[np.linspace(0, len(grid) - 1, most, dtype=int)]
    assert sampled("fps", n, fps, most) == kept.tolist()


@given(counts, rates, numbers)
def test_segments_are_spread_over_the_same_grid(n: int, fps: float, most: int) -> None:
    grid = list(range(0, n, max(1, round(fps))))
    found = sampled("segments", n, fps, most)
    assert set(found) <= set(grid) and len(found) == min(most, len(grid))
    if len(grid) > most:  # each lies in its own part, give or take the rounding of its bounds
        part = (len(grid) - 1) / most
        for i, frame in enumerate(found):
            assert part * i - 1 <= grid.index(frame) <= part * (i + 1) + 1


@pytest.mark.parametrize(
    ("rule", "n", "fps", "most", "expected"),
    [
        ("uniform", 100, 25, 5, [0, 24, 49, 74, 99]),
        ("uniform", 3, 25, 5, [0, 1, 2]),
        ("uniform", 9, 25, 1, [0]),
        ("fps", 100, 25, 5, [0, 25, 50, 75]),
        ("fps", 250, 25, 4, [0, 75, 150, 225]),
        ("fps", 3, 0.3, 16, [0, 1, 2]),
        ("segments", 100, 25, 4, [0, 25, 50, 75]),
        # 10 points in 4 parts of 2.25: bounds 0, 2, 4 (4.5 to even), 7 (6.75), 9
        ("segments", 250, 25, 4, [25, 75, 125, 200]),
        ("segments", 250, 25, 1, [100]),
        ("inner", 90, 25, 8, [10, 20, 30, 40, 50, 60, 70, 80]),
        ("inner", 5, 25, 8, [0, 1, 2, 3, 4]),
        ("centres", 90, 25, 8, [5, 16, 27, 38, 49, 61, 72, 83]),
    ],
)
def test_examples(rule: FrameRule, n: int, fps: float, most: int, expected: list[int]) -> None:
    assert sampled(rule, n, fps, most) == expected


def test_segments_of_an_hour_are_those_of_the_published_script() -> None:
    """3,600 pictures at one a second, 16 of them: bounds are 0, 225, 450, 675, 900, 1125, 1350 (1349.625), ..."""
    found = sampled("segments", 3600 * 30, 30.0, 16)
    assert [frame // 30 for frame in found[:4]] == [112, 337, 562, 787]
    assert len(found) == 16 and found[-1] // 30 == (3374 + 3599) // 2


def test_a_cut_begins_with_the_frame_on_the_screen() -> None:
    assert sampled("fps", 250, 25, 16, 2.5, 5) == [62, 87, 112]
    assert sampled("fps", 250, 25, 16, 5, 2.5) == [62, 87, 112]
    assert sampled("uniform", 250, 25, 2, 9, 99) == [225, 249]
    assert sampled("uniform", 250, 25, 8, 4, 4) == [100]


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize(
    ("changed", "named"),
    [
        *(({"fps": fps}, "fps") for fps in (0, -1, math.nan, math.inf)),
        ({"n_frames": 0}, "n_frames"),
        ({"most": 0}, "most"),
        ({"start_s": 11}, "start_s"),
        ({"start_s": math.nan}, "start_s"),
        ({"end_s": math.nan}, "end_s"),
    ],
)
def test_what_cannot_be_is_told(rule: FrameRule, changed: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=rf"^{named} is "):
        sampled(**{"rule": rule, "n_frames": 250, "fps": 25, "most": 4} | changed)


def test_the_models_own_rule_is_not_known_here() -> None:
    with pytest.raises(ValueError, match="frame_rule is 'model'"):
        sampled("model", 250, 25, 4)


@pytest.mark.parametrize("ending", ["mp4", "mkv"])
def test_the_times_of_a_file_are_those_of_its_frames(tmp_path: Path, ending: str) -> None:
    times = [0, 3, 4, 5, 9, 20, 21, 22, 23, 30]
    path = write(tmp_path / f"a.{ending}", Form(ending, "libx264", {"g": "4", "bf": "2"}), times, rate=10)
    assert frame_times(path, Pictures(max_frames=4, frame_rule="uniform")) == pytest.approx([0, 0.5, 2.1, 3.0])
    assert frame_times(path, Pictures(max_frames=99, frame_rule="uniform")) == pytest.approx([t / 10 for t in times])


def test_times_for_a_model_of_its_own_rule_are_one_a_second(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mp4", Form("mp4", "libx264"), range(80))
    assert frame_times(path, Pictures(max_frames=16)) == pytest.approx([0, 1, 2, 3])
    assert frame_times(path, Pictures(max_frames=2, frame_rule="segments")) == pytest.approx([1, 2])
    with pytest.raises(ValueError, match="max_frames"):
        frame_times(path, Pictures())
