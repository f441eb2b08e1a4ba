"""One file over HTTP: what an earlier try left is gone on with, and nothing takes its place that was not checked.

The library of the hub begins a file anew after a kill, which weights of many gigabytes make dear; so this does not.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Literal
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from harness.endpoints.patience import patience

PATIENCE_S = 30.0
TRIES = 5
NO_SUCH_RANGE = 416
PASSING = (408, 429)
"""Refusals that may pass, beside the server's own faults."""
_PIECE = 1 << 20

Tell = Callable[[int], None]
"""Told how many bytes came."""


class TransferError(Exception):
    """A file did not come, or came damaged."""


@dataclass(frozen=True, slots=True)
class Sum:
    """What a file is known by: SHA-256 or MD5 of its content, or git's SHA-1 of it as a blob."""

    kind: Literal["sha256", "md5", "git"]
    hex: str

    def of(self, file: Path) -> str:
        """The same sum of a file's content."""
        digest = hashlib.new("sha1" if self.kind == "git" else self.kind, usedforsecurity=False)
        if self.kind == "git":
            digest.update(f"blob {file.stat().st_size}\0".encode())
        with file.open("rb") as opened:
            while piece := opened.read(_PIECE):
                digest.update(piece)
        return digest.hexdigest()

    def holds(self, file: Path) -> bool:
        return self.of(file) == self.hex


def fetch(url: str, place: Path, known: Sum, size: int | None, token: str | None, tell: Tell) -> None:
    """Put what is at `url` at `place`, once its content is what it is known by. `<place>.part` is what came so far.

    Raises TransferError naming the address, and OSError for a disk that takes no more.
    """
    place.parent.mkdir(parents=True, exist_ok=True)
    part = place.with_name(f"{place.name}.part")
    for last in (False, True):
        resumed = part.exists()
        _fill(url, part, size, token, tell)
        if known.holds(part):
            part.replace(place)
            return
        part.unlink()
        if last or not resumed:  # what a killed try left may be what is wrong
            break
    raise TransferError(f"{url} came damaged or was replaced: its content is not {known.kind} {known.hex}")


def _fill(url: str, part: Path, size: int | None, token: str | None, tell: Tell) -> None:
    fault: Exception | None = None
    for attempt in range(TRIES):
        have = part.stat().st_size if part.exists() else 0
        if size is not None and have == size:
            return
        if size is not None and have > size:
            part.unlink()
            have = 0
        before = have
        try:
            have = _more(url, part, have, token, tell)
        except HTTPError as error:
            if error.code == NO_SUCH_RANGE and have:  # all of it is there, or it was of another file: its sum tells
                return
            if 400 <= error.code < 500 and error.code not in PASSING:
                told = _ACCESS if error.code in (401, 403) else ""
                raise TransferError(f"{url} is refused: {error}{told}") from error
            fault = error
            if attempt + 1 < TRIES:
                time.sleep(patience(attempt, error.headers.get("Retry-After"), time.time()))
            continue
        except (HTTPException, OSError) as error:
            if isinstance(error, OSError) and error.filename:  # of the file, not of the connection
                raise
            fault = error
            continue
        if size is None or have >= size:
            return
        fault = TransferError(f"it ended after {have:,} of {size:,} bytes")
        if have == before:
            break
    raise TransferError(f"{url} cannot be fetched: {fault}")


_ACCESS = ". Accept its terms on its page there, and set HF_TOKEN"


def _more(url: str, part: Path, have: int, token: str | None, tell: Tell) -> int:
    """Append what is missing; gives the size then. A server that knows no ranges sends all of it."""
    request = Request(url)
    if have:
        request.add_header("Range", f"bytes={have}-")
    if token:
        request.add_unredirected_header("Authorization", f"Bearer {token}")  # not told to where a redirect leads
    with urlopen(request, timeout=PATIENCE_S) as source:
        if source.status != 206:
            tell(-have)
            have = 0
        with part.open("ab" if have else "wb") as file:
            try:
                while piece := source.read(_PIECE):
                    file.write(piece)
                    have += len(piece)
                    tell(len(piece))
            finally:
                file.flush()
                os.fsync(file.fileno())
    return have
