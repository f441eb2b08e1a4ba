"""Progress of a run on stderr: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from harness.terminal import tell

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress

PLAIN_EVERY_S = 10.0


class Progress(Protocol):
    def advance(self, failed: bool = False, status: str = "") -> None:
        """One sample more; `status` stands beside the count."""


class PlainProgress:
    """A line when a tenth of the samples or ten seconds have passed, and one at the end. A total of 0 is unknown."""

    def __init__(self, label: str, total: int, done: int) -> None:
        self._label, self._total, self._first = label, total, done
        self._done, self._failed = done, 0
        self._start = self._told = time.monotonic()
        self._told_at = done
        self._status = ""

    def advance(self, failed: bool = False, status: str = "") -> None:
        self._done += 1
        self._failed += failed
        self._status = status
        tenth = (self._done - self._told_at) * 10 >= self._total > 0
        if (tenth and time.monotonic() - self._told > 1) or time.monotonic() - self._told > PLAIN_EVERY_S:
            self.tell()

    def tell(self) -> None:
        self._told, self._told_at = time.monotonic(), self._done
        seconds = max(self._told - self._start, 1e-9)
        rate = (self._done - self._first) / seconds
        eta = ""
        if rate > 0 and self._done < self._total:
            eta = f", {_clock((self._total - self._done) / rate)} left"
        failed = f", {self._failed} failed" if self._failed else ""
        of = f"/{self._total}" if self._total else ""
        tell(
            f"{self._label}: {self._done}{of}, {rate:.3g} samples/s{eta}{failed}{self._status and f', {self._status}'}"
        )


class BarProgress:
    """A bar with samples a second and the time left."""

    def __init__(self, bar: RichProgress, label: str, total: int, done: int) -> None:
        self._bar = bar
        self._task = bar.add_task(label, total=total or None, completed=done, failed="", rate="", status="")
        self._start = time.monotonic()
        self._done = self._failed = 0

    def advance(self, failed: bool = False, status: str = "") -> None:
        self._done += 1
        self._failed += failed
        rate = self._done / max(time.monotonic() - self._start, 1e-9)
        told = f"{self._failed} failed" if self._failed else ""
        self._bar.update(self._task, advance=1, failed=told, rate=f"{rate:.3g} samples/s", status=status)


@contextmanager
def track(label: str, total: int = 0, done: int = 0) -> Iterator[Progress]:
    """Follow `total` samples, of which `done` are there already; 0 where their number is not known."""
    if not sys.stderr.isatty():
        plain = PlainProgress(label, total, done)
        yield plain
        if total:
            plain.tell()
        return
    from rich import progress
    from rich.console import Console

    columns = (
        progress.TextColumn("{task.description}"),
        progress.BarColumn(),
        progress.MofNCompleteColumn(),
        progress.TextColumn("{task.fields[rate]}"),
        progress.TimeRemainingColumn(),
        progress.TextColumn("{task.fields[status]}"),
        progress.TextColumn("{task.fields[failed]}", style="red"),
    )
    with progress.Progress(*columns, console=Console(stderr=True)) as bar:
        yield BarProgress(bar, label, total, done)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
