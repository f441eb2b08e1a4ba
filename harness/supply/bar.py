"""How far downloads are, on stderr: a bar on a terminal, lines elsewhere."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from harness import terminal
from harness.supply.transfer import Tell

EVERY_S = 10.0
_UNITS = ("B", "kB", "MB", "GB", "TB")


def in_bytes(count: int | None) -> str:
    """A size as people read it.

    >>> in_bytes(0), in_bytes(999), in_bytes(999_999), in_bytes(1_500_000), in_bytes(None)
    ('0 B', '999 B', '1 MB', '1.5 MB', 'size unknown')
    """
    if count is None:
        return "size unknown"
    value, unit = float(count), 0
    while float(f"{value:.3g}") >= 1000 and unit < len(_UNITS) - 1:
        value, unit = value / 1000, unit + 1
    return f"{value:.3g} {_UNITS[unit]}" if unit else f"{count} B"


@contextmanager
def downloading(label: str, total: int | None) -> Iterator[Tell]:
    """Gives what is to be told of bytes that came, by any thread."""
    if not sys.stderr.isatty():
        yield _lines(label, total)
        return
    from rich import progress
    from rich.console import Console

    columns = (
        progress.TextColumn("{task.description}"),
        progress.BarColumn(),
        progress.DownloadColumn(),
        progress.TransferSpeedColumn(),
        progress.TimeRemainingColumn(),
    )
    with progress.Progress(*columns, console=Console(stderr=True)) as shown:
        task = shown.add_task(label, total=total)
        yield lambda count: shown.advance(task, count)


def _lines(label: str, total: int | None) -> Tell:
    lock, done, told = threading.Lock(), 0, time.monotonic()

    def tell(count: int) -> None:
        nonlocal done, told
        with lock:
            done += count
            if time.monotonic() - told >= EVERY_S:
                told = time.monotonic()
                of = f" of {in_bytes(total)}" if total else ""
                terminal.tell(f"  {label}: {in_bytes(done)}{of}")

    return tell
