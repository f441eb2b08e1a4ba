"""From the network's scores to a text: the best path of CTC (Graves et al. 2006, section 3.2)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tasks.judges.mini_ctc.alphabet import BLANK


def best_path(scores: NDArray[np.float32]) -> list[int]:
    """[frames, units] -> the best unit of each frame, runs taken as one, blanks left out.

    >>> best_path(np.eye(3, dtype=np.float32)[[1, 1, 0, 1, 2]])
    [1, 1, 2]
    """
    return collapse(scores.argmax(axis=-1))


def collapse(path: NDArray[np.int64]) -> list[int]:
    """A unit for each frame -> the units that are said: runs taken as one, then blanks left out."""
    first = np.ones(len(path), bool)
    first[1:] = path[1:] != path[:-1]
    kept: list[int] = path[first & (path != BLANK)].tolist()
    return kept
