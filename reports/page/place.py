"""A folder that is made whole beside its place: whoever looks there sees the old one or the new one."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.failures import UsageError
from harness.files import real

MARK = "data/leaderboard.json"
"""What a folder has that an earlier report made; any other folder with something in it is left alone."""


@contextmanager
def replacing(out: Path) -> Iterator[Path]:
    """An empty folder that takes the place of `out` at the end; after an error `out` is what it was.

    What a killed report left beside it is taken away. Raises UsageError where `out` holds something else.
    """
    place = real(out)
    fresh, old = (place.with_name(f".{place.name}.report-{state}") for state in ("new", "old"))
    _check(out)
    try:
        if old.exists() and not place.exists():
            old.rename(place)
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True)
    except OSError as error:
        raise UsageError(f"{out} cannot be made: {error.strerror}; name another folder with -o") from error
    try:
        yield fresh
        if place.exists():
            shutil.rmtree(old, ignore_errors=True)
            place.rename(old)
        fresh.rename(place)
    except OSError as error:
        where = error.filename or out
        raise UsageError(f"{where}: {error.strerror or error}; no report was made, {out} is as it was") from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
        if place.exists():
            shutil.rmtree(old, ignore_errors=True)


def _check(out: Path) -> None:
    if out.exists() and not out.is_dir():
        raise UsageError(f"{out} is a file; name a folder with -o")
    if out.exists() and any(out.iterdir()) and not (out / MARK).is_file():
        raise UsageError(f"{out} is not empty and holds no earlier report; name a new folder with -o")
