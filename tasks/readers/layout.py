"""What the folder readers share: errors that say what is missing and what was found, and line-wise text files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from harness.failures import UsageError

AUDIO_SUFFIXES = (".flac", ".wav", ".mp3", ".ogg", ".opus")
IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp")


class LayoutError(UsageError):
    """A data folder is not laid out as the benchmark publishes it."""


class Line(NamedTuple):
    number: int
    text: str


def need_folder(path: Path) -> Path:
    if not path.is_dir():
        raise LayoutError(f"folder not found: {path}. {found_instead(path)}")
    return path


def need_file(path: Path) -> Path:
    if not path.is_file():
        raise LayoutError(f"file not found: {path}. {found_instead(path)}")
    return path


def found_instead(path: Path) -> str:
    """What the nearest folder above `path` that exists holds, as a sentence."""
    folder = next((parent for parent in path.parents if parent.is_dir()), Path.cwd())
    return f"{folder} holds {listing(p.name + '/' * p.is_dir() for p in folder.iterdir())}."


def listing(names: Iterable[str], most: int = 8) -> str:
    """A few of the names in order, then how many more there are."""
    ordered = sorted(names)
    more = f" and {len(ordered) - most} more" if len(ordered) > most else ""
    return (", ".join(ordered[:most]) or "nothing") + more


def lines(path: Path) -> Iterator[Line]:
    """The lines of a UTF-8 text that are not blank, with their numbers from 1.

    Split at newlines only: transcripts may hold U+2028 and the like, which `str.splitlines` takes for line ends.
    """
    with need_file(path).open("rb") as file:
        for number, raw in enumerate(file, start=1):
            try:
                text = raw.decode("utf-8-sig" if number == 1 else "utf-8").strip()
            except UnicodeDecodeError as error:
                raise LayoutError(f"{path}:{number}: not UTF-8 text ({error.reason})") from error
            if text:
                yield Line(number, text)


def keyed_lines(path: Path) -> Iterator[tuple[str, str]]:
    """Lines `key value` or `key<tab>value` as (key, value); the value is empty when the line has only a key."""
    for line in lines(path):
        key, *rest = line.text.split(maxsplit=1)
        yield key, rest[0] if rest else ""


def existing(path: Path, suffixes: tuple[str, ...]) -> Path:
    """`path`, or its neighbour of the same stem with another suffix if only that exists."""
    if path.exists():
        return path
    others = (path.with_name(path.stem + suffix) for suffix in suffixes)
    return next((other for other in others if other.exists()), path)
