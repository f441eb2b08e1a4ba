"""How many requests are under way at once: slowly more while all goes well, half where the endpoint is busy."""

from __future__ import annotations

import time
from threading import Condition

FIRST = 4
"""Requests that are begun with."""


class Gate:
    """Additive growth (one more for each round of good replies), multiplicative cut, and a pause that holds for all."""

    def __init__(self, most: int, first: int = FIRST) -> None:
        self._most = most
        self._width = float(min(first, most))
        self._under_way = 0
        self._cut = self._not_before = 0.0
        self._closed = False
        self._free = Condition()

    @property
    def width(self) -> int:
        """Requests that may be under way now."""
        return max(1, min(int(self._width), self._most))

    def enter(self) -> float | None:
        """Wait for a place; the moment (time.monotonic) at which it was had, None once the gate is closed."""
        with self._free:
            while not self._closed:
                now = time.monotonic()
                if now < self._not_before:
                    self._free.wait(self._not_before - now)
                elif self._under_way >= self.width:
                    self._free.wait()
                else:
                    self._under_way += 1
                    return now
            return None

    def leave(self, entered: float, good: bool = False, busy: bool = False, pause_s: float = 0.0) -> None:
        """Give the place back. Of the requests that were under way together only the first busy one makes a cut."""
        with self._free:
            self._under_way -= 1
            now = time.monotonic()
            if good:
                self._width = min(self._most, self._width + 1 / self._width)
            if busy and entered >= self._cut:
                self._width, self._cut = max(1.0, self._width / 2), now
            self._not_before = max(self._not_before, now + pause_s)
            self._free.notify_all()

    def wait(self, seconds: float) -> bool:
        """Wait outside of the gate; False once it is closed."""
        until = time.monotonic() + seconds
        with self._free:
            while not self._closed and (left := until - time.monotonic()) > 0:
                self._free.wait(left)
            return not self._closed

    def close(self) -> None:
        """Nobody enters any more."""
        with self._free:
            self._closed = True
            self._free.notify_all()
