"""Random choices for pictures."""

from __future__ import annotations

import random


class Dice(random.Random):
    """Python's generator, with coarse positions: steps keep pictures of one kind apart by more than a pixel."""

    def number(self, low: int, high: int, step: int = 1) -> int:
        """low, low + step, ... up to high, which is included where a step meets it."""
        return self.randrange(low, high + 1, step)
