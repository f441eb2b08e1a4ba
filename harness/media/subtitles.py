"""Subtitles in SubRip's form (.srt), and which of them are on the screen at given times."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from harness.failures import SampleError
from harness.media.files import shown

_TIME = r"(\d+):(\d{1,2}):(\d{1,2})(?:[,.](\d{1,3}))?"
_TIMES = re.compile(rf"\s*{_TIME}\s*-->\s*{_TIME}(?:\s.*)?")
"""Behind the times some programs write where on the screen the text stands."""
_MARKS = re.compile(r"</?(?:[bius]|font)(?:\s[^<>]*)?/?>|\{\\[^{}]*\}", re.IGNORECASE)
_MOST_BYTES = 16 << 20


class Cue(NamedTuple):
    """A text, its lines joined by "\\n", that is shown from `start_s` until before `end_s`."""

    start_s: float
    end_s: float
    text: str


def read_subtitles(path: str | Path) -> tuple[Cue, ...]:
    """The cues of an .srt file by the time that they begin at; those without text are left out.

    Marks of style are removed, broken bytes replaced; numbers of cues are not needed. A file without any text, such as
    that of a video in which nobody speaks, has no cues. Raises SampleError for one that cannot be read, and, naming
    the line, for one that is no .srt.
    """
    lines = _lines(Path(path))
    starts = [i for i, line in enumerate(lines) if _TIMES.fullmatch(line)]
    first = next((i for i, line in enumerate(lines) if line.strip()), None)
    if first is None:
        return ()
    if not starts or any(line.strip() and not line.strip().isdigit() for line in lines[: starts[0]]):
        raise SampleError(
            f"subtitles are no .srt: {shown(path)}, line {first + 1}: expected a number or times as "
            "00:00:01,000 --> 00:00:02,000"
        )
    numbered = first < starts[0]
    cues = [_cue(lines, i, end, numbered) for i, end in zip(starts, [*starts[1:], None], strict=True)]
    return tuple(sorted((cue for cue in cues if cue.text), key=lambda cue: cue.start_s))


def lines_at(cues: Iterable[Cue], seconds: Sequence[float]) -> list[str]:
    """The texts that are on the screen at the times, in the order of the times; of a cue that is met more than once,
    only the first. Nothing for a time at which nothing is shown."""
    met: dict[int, str] = {}
    cues = tuple(cues)
    for at in seconds:
        for i, cue in enumerate(cues):
            if cue.start_s <= at < cue.end_s:
                met.setdefault(i, cue.text)
    return list(met.values())


def _lines(path: Path) -> list[str]:
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except FileNotFoundError as error:
        raise SampleError(f"subtitle file is missing: {shown(path)}") from error
    except (OSError, ValueError) as error:
        raise SampleError(f"subtitles cannot be read: {shown(path)}: {error}") from error
    if len(content) > _MOST_BYTES:
        raise SampleError(f"subtitles are over {_MOST_BYTES} bytes, which no .srt is: {shown(path)}")
    coding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    return re.split(r"\r\n|\r|\n", content.decode(coding, errors="replace"))


def _cue(lines: Sequence[str], times: int, following: int | None, numbered: bool) -> Cue:
    """The cue whose times are in one line and whose text ends before the number and the times of the next."""
    body = [_MARKS.sub("", line).strip() for line in lines[times + 1 : following]]
    while body and not body[-1]:
        body.pop()
    if following is not None and body and body[-1].isdigit() and (numbered or (len(body) > 1 and not body[-2])):
        body.pop()
    match = _TIMES.fullmatch(lines[times])
    assert match
    start, end = _seconds(match.groups()[:4]), _seconds(match.groups()[4:])
    return Cue(start, end, "\n".join(line for line in body if line))


def _seconds(time: Sequence[str | None]) -> float:
    hours, minutes, seconds, fraction = (part or "0" for part in time)
    return int(hours) * 3600 + int(minutes) * 60 + int(seconds) + int(fraction.ljust(3, "0")) / 1000
