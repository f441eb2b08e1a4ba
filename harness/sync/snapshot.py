"""What of a run directory can be sent now, so that what arrives is a state that the run was in.

Taken in the order finished -> results -> manifest -> logs -> all else, the opposite of the order in which a run
writes: what is taken later was there when the earlier was, so that numbers never come without their answers, nor an
answer without its recording. A log is taken up to its last newline, so that no torn line leaves the machine.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from harness.failures import UsageError
from harness.files import encoded, json_object, read_json

_LOG = re.compile(r"(samples|judgements)/[^/]+\.jsonl|exclusions\.jsonl")
_HEADS = ("finished.json", "results.json", "judges.json", "manifest.json")
"""Small files that are replaced as a whole, in the order in which they are taken."""
INDEX = "sync.json"
"""At a place that was synced to: see `harness.sync.index`."""
_BLOCK = 1 << 20


class Snapshot(NamedTuple):
    heads: dict[str, bytes]
    logs: dict[str, int]
    """Path -> bytes up to the last newline."""
    others: list[str]
    """Files that are written once: plan, media, scores that the results name, and what other kinds of run have."""


def is_log(path: str) -> bool:
    """Whether a file of a run is only ever appended to."""
    return _LOG.fullmatch(path) is not None


def take(run: Path) -> Snapshot:
    """Raises UsageError where there is no run, or a file of it is none that a run writes."""
    if not (run / "manifest.json").is_file():
        raise UsageError(f"not a run directory: {run} (it has no manifest.json). Name one below runs/.")
    heads = {name: content for name in _HEADS if (content := _content(run / name)) is not None}
    for name, content in heads.items():
        _need_text(run / name, content)
    scores = read_scores(run, heads.get("results.json"))
    found = sorted(path.relative_to(run).as_posix() for path in run.rglob("*") if path.is_file())
    logs = {path: whole_lines(run / path) for path in found if is_log(path)}
    found = sorted(path.relative_to(run).as_posix() for path in run.rglob("*") if path.is_file())
    others = [path for path in found if path not in heads and not is_log(path) and _sent(path, scores)]
    return Snapshot(heads, logs, others)


def read_scores(run: Path, results: bytes | None) -> str:
    """The folder of scores that `results.json` names; "" where it names none, or there is none. Raises UsageError where
    it is no JSON object."""
    return "" if results is None else str(json_object(results, str(run / "results.json")).get("scores") or "")


def _need_text(path: Path, content: bytes) -> None:
    try:
        content.decode()
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is no text in UTF-8: {error}; was the file edited?") from error


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _sent(path: str, scores: str) -> bool:
    """Not: locks, files that are being written, heads that came since, scores that no results name (yet), and the index
    of a place, of which a run may be a copy."""
    name = path.rpartition("/")[2]
    if name.startswith(".") or name.endswith(".part") or path in (*_HEADS, INDEX):
        return False
    return not re.match(r"scores/\d+/", path) or path.startswith(f"{scores}/")


def whole_lines(path: Path) -> int:
    """Bytes of a file up to its last newline."""
    with path.open("rb") as file:
        end = file.seek(0, os.SEEK_END)
        while end > 0:
            start = max(0, end - _BLOCK)
            file.seek(start)
            newline = file.read(end - start).rfind(b"\n")
            if newline >= 0:
                return start + newline + 1
            end = start
    return 0


def copied(source: Path, target: Path, size: int | None = None) -> tuple[int, str]:
    """Copy the first `size` bytes (all, unless given) and return how many there were, and their SHA-256."""
    digest, done = hashlib.sha256(), 0
    with source.open("rb") as ours, target.open("wb") as theirs:
        while block := ours.read(_BLOCK if size is None else min(_BLOCK, size - done)):
            digest.update(block)
            theirs.write(block)
            done += len(block)
    return done, digest.hexdigest()


def hashed(path: Path, size: int | None = None) -> str:
    """SHA-256 of the first `size` bytes of a file, of all unless given."""
    digest, done = hashlib.sha256(), 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK if size is None else min(_BLOCK, size - done)):
            digest.update(block)
            done += len(block)
    return digest.hexdigest()


def identity(run: Path) -> str:
    """What two copies of one run share, however far each of them is: when it was created, of what kind, with what."""
    return identity_of(read_json(run / "manifest.json"))


def identity_of(manifest: Mapping[str, Any]) -> str:
    """The same, of a manifest that was read elsewhere."""
    shared = {name: manifest.get(name) for name in ("created", "kind", "config")}
    return hashlib.sha256(encoded(shared)).hexdigest()
