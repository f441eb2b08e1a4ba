"""What the readers share: errors that say what is missing and what was found, the walk over files, text lines.

Structural faults (a missing folder, two sources, no rows) are a `LayoutError` and end the reading. What is wrong with
one row is a `RowError`; readers turn it into a row that carries the message in `error` (`tasks.readers.rows`).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from harness.failures import UsageError

AUDIO_SUFFIXES = (
    ".flac", ".wav", ".mp3", ".ogg", ".opus", ".m4a", ".mp4", ".aac", ".webm", ".amr", ".aif", ".aiff", ".w64",
)  # fmt: skip
IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".gif", ".tif", ".tiff", ".avif")
"""Endings of media files, in lower case; a file's own ending may be in upper case."""

ALIASES = {
    "AISHELL-2": ("AISHELL-DEV-TEST-SET",),
    "MME": ("MME_Benchmark_release_version",),
    "seedtts_testset": ("seed-tts-eval",),
}
"""Other names of a benchmark's folder: those that the publishers' archives unpack to, or that a mirror has."""

_UNSOUND = re.compile("[\0\ud800-\udfff]")


class LayoutError(UsageError):
    """A data folder is not laid out as the benchmark publishes it."""


class OtherSplit(LayoutError):
    """A copy of the hub's files holds none of the split that is asked for."""


class TwoSources(LayoutError):
    """The same rows are there twice, and it is not for the program to choose."""


class RowError(ValueError):
    """One row cannot be used; the message says why and what mends it."""


class Line(NamedTuple):
    number: int
    text: str
    fault: str = ""
    """What is wrong with the line's text, "" when nothing is."""


def need_folder(path: Path) -> Path:
    if not path.is_dir():
        raise LayoutError(f"folder not found: {path}. {found_instead(path)}")
    return path


def need_file(path: Path) -> Path:
    if not path.is_file():
        raise LayoutError(f"file not found: {path}. {found_instead(path)}")
    return path


def only_one(candidates: Sequence[Path], what: str) -> Path | None:
    """The only candidate, or None when there is none. Raises LayoutError naming the first two."""
    if len(candidates) > 1:
        raise TwoSources(f"two sources of {what}: {candidates[0]} and {candidates[1]}. Keep one of them")
    return candidates[0] if candidates else None


def names_of(name: str) -> tuple[str, ...]:
    """A benchmark folder's name and its other names."""
    return (name, *ALIASES.get(name, ()))


def found_instead(path: Path) -> str:
    """What the nearest folder above `path` that exists holds, as a sentence."""
    folder = next((parent for parent in path.parents if parent.is_dir()), Path.cwd())
    return f"{folder} holds {listing(p.name + '/' * p.is_dir() for p in folder.iterdir())}."


def listing(names: Iterable[str], most: int = 8) -> str:
    """A few of the names in order, then how many more there are."""
    ordered = sorted(names)
    more = f" and {len(ordered) - most} more" if len(ordered) > most else ""
    return (", ".join(ordered[:most]) or "nothing") + more


def is_hidden(name: str) -> bool:
    """`._*` and `.DS_Store`, which archives bring along that passed through a Mac, and whatever else starts so."""
    return name.startswith(".")


def matches(folder: Path, pattern: str) -> list[Path]:
    """Paths below a folder that match a pattern, sorted, without those that are hidden or lie in hidden folders."""
    found = folder.glob(pattern)
    return sorted(path for path in found if not any(is_hidden(part) for part in path.relative_to(folder).parts))


def folders_in(folder: Path) -> list[Path]:
    return [path for path in matches(folder, "*") if path.is_dir()]


def files_below(folder: Path) -> list[Path]:
    """All regular files below a folder that are not hidden, sorted. Links to folders are followed, loops are not."""
    return sorted(_walk(folder, frozenset()))


def _walk(folder: Path, above: frozenset[tuple[int, int]]) -> Iterator[Path]:
    try:
        status = folder.stat()
        here = (status.st_dev, status.st_ino)
        if here in above:
            return
        with os.scandir(folder) as entries:
            visible = [(folder / e.name, e.is_dir(), e.is_file()) for e in entries if not is_hidden(e.name)]
    except OSError as error:
        raise LayoutError(f"folder cannot be read: {folder}: {error.strerror}") from error
    for path, is_folder, is_file in visible:
        if is_folder:
            yield from _walk(path, above | {here})
        elif is_file:
            yield path


def lines(path: Path) -> Iterator[Line]:
    """The lines of a UTF-8 text that are not blank, with their numbers from 1.

    A line ends at a line feed, a carriage return or both, and at nothing else: transcripts may hold U+2028 and the
    like, which `str.splitlines` takes for line ends. A line that is not UTF-8 comes with its fault.
    """
    with need_file(path).open(encoding="utf-8-sig", errors="surrogateescape", newline=None) as file:
        for number, raw in enumerate(file, start=1):
            if text := raw.strip():
                fault = text_fault(text)
                yield Line(number, readable(text), f"{path}:{number}: {fault}" if fault else "")


def text_fault(text: str) -> str:
    """Why a text cannot be stored as UTF-8 or shown, "" when it can."""
    found = _UNSOUND.search(text)
    if found is None:
        return ""
    return "the text holds a NUL character; remove it" if found[0] == "\0" else "not UTF-8 text; save it as UTF-8"


def readable(text: str) -> str:
    """The text with U+FFFD in place of each NUL and each lone surrogate (a byte that was not UTF-8)."""
    return _UNSOUND.sub("\ufffd", text)


class KeyedLine(NamedTuple):
    number: int
    key: str
    value: str
    fault: str


def keyed_lines(path: Path) -> Iterator[KeyedLine]:
    """Lines `key value` or `key<tab>value`; the value is empty when the line has only a key."""
    for line in lines(path):
        key, *rest = line.text.split(maxsplit=1)
        yield KeyedLine(line.number, key, rest[0] if rest else "", line.fault)
