"""Which frames of a video the model sees: one a second, at least 4 and at most 16.

Facts from the VITA-1.5 paper and the reference implementation. They differ at the short end: the paper
spreads four frames over a clip below 4 s, the implementation repeats frames of the one-a-second grid, as is
done here.
"""

from __future__ import annotations

import math

import numpy as np


def sample_frames(
    fps: float,
    total_frames: int,
    start_s: float | None = None,
    end_s: float | None = None,
    max_frames: int = 16,
    min_frames: int = 4,
) -> list[int]:
    """Indices of the frames to read, ascending; an index occurs more than once in a clip below 4 s.

    `start_s` and `end_s` cut out a part, in whole seconds (rounded down); given in reverse they are swapped.
    Where the average rate is 0.5 or less, every frame is in the grid (the reference implementation fails).
    Raises ValueError if the clip has no frame, its rate is not a positive number or the part lies outside.
    """
    if not (math.isfinite(fps) and fps > 0):
        raise ValueError(f"a video of {fps} frames a second: the rate must be a positive number")
    if total_frames < 1:
        raise ValueError(f"a video of {total_frames} frames: there must be at least one")
    if not 1 <= min_frames <= max_frames:
        raise ValueError(f"min_frames {min_frames} and max_frames {max_frames}: expected 1 <= min <= max")

    last = total_frames - 1
    first = 0
    if start_s is not None or end_s is not None:
        start = max(0, int(start_s or 0))
        end = max(start, math.ceil(total_frames / fps)) if end_s is None else max(0, int(end_s))
        start, end = min(start, end), max(start, end)
        if start == end:
            end += 1
        first = int(start * fps)
        if first > last:
            raise ValueError(
                f"the part from {start} s to {end} s lies outside a video of {total_frames / fps:.3g} s "
                f"({total_frames} frames at {fps:g} a second)"
            )
        last = min(int(end * fps), last)

    grid = range(first, last + 1, max(1, round(fps)))
    if len(grid) > max_frames:
        return [grid[i] for i in np.linspace(0, len(grid) - 1, max_frames, dtype=int)]
    if len(grid) < min_frames:
        return [grid[i] for i in np.linspace(0, len(grid) - 1, min_frames, dtype=int)]
    return list(grid)
