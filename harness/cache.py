"""Answers kept over runs, for `--cache`: what the same weights answered to just the same request.

An answer is known by the hash of all that it depends on: the weights' fingerprint, the request (texts, contents of
media and their cuts, every decoding setting, seed), how media are decoded and computed with (versions, dtype, device
kind). Failures are never kept. An entry holds its own hash; one that is damaged is asked again.

    answers/<aa>/<key>.json      the answer
    answers/<aa>/<key>.flac      its speech
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from harness.failures import SampleError, UsageError
from harness.files import encoded, write_atomically
from harness.media import cache_folder, encode_flac, load_audio
from harness.schema import FORMAT
from harness.types import Response, Timings, Usage

DAY = 86400


class Kept(msgspec.Struct):
    """The file of an answer."""

    text: str
    raw_text: str | None
    truncated: bool
    timings: Timings | None
    usage: Usage
    speech_sha256: str
    """Of the FLAC beside it, "" where there is none."""
    model: str
    format: int = FORMAT
    sha256: str = ""
    """Of this file with this field empty."""


class Cache:
    """The kept answers of one model, by key."""

    def __init__(self, model: str, folder: Path | None = None) -> None:
        self._model, self._folder = model, folder or answers_folder()

    def get(self, key: str) -> Response | None:
        """The answer of a key; None where there is none that is whole."""
        path = self._path(key)
        kept = _read(path)
        if kept is None:
            return None
        try:
            speech = load_audio(path.with_suffix(".flac")) if kept.speech_sha256 else None
            os.utime(path)
        except (OSError, SampleError):
            return None
        return Response(kept.text, speech, kept.timings, kept.usage, kept.raw_text, kept.truncated)

    def put(self, key: str, response: Response) -> None:
        path, digest = self._path(key), ""
        if response.speech is not None:
            sound = encode_flac(response.speech)
            digest = hashlib.sha256(sound).hexdigest()
            write_atomically(path.with_suffix(".flac"), sound)
        kept = Kept(
            response.text,
            response.raw_text,
            response.truncated,
            response.timings,
            response.usage,
            digest,
            self._model,
        )
        kept.sha256 = _hash(kept)
        write_atomically(path, encoded(kept))

    def _path(self, key: str) -> Path:
        return self._folder / key[:2] / f"{key}.json"


def key_of(identity: Mapping[str, Any], request: str, repeat: int) -> str:
    """The key of a request's answer; `identity` is the model with everything that it computes with."""
    return hashlib.sha256(encoded([identity, request, repeat])).hexdigest()


def answers_folder() -> Path:
    return cache_folder() / "answers"


def need_place() -> None:
    """Raises UsageError where no answer could be kept."""
    folder = answers_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise UsageError(
            f"{folder} cannot keep answers: {error.strerror or error}. Set HARNESS_CACHE to a folder that can be "
            "written, or say --no-cache"
        ) from error


def stat() -> dict[str, Any]:
    """How many answers are kept, of which models, and how much space they take."""
    models: dict[str, int] = {}
    count = size = 0
    for path in _entries():
        kept = _read(path)
        count += 1
        size += sum(file.stat().st_size for file in _files(path))
        model = "damaged" if kept is None else kept.model
        models[model] = models.get(model, 0) + 1
    return {"folder": str(answers_folder()), "answers": count, "bytes": size, "models": dict(sorted(models.items()))}


def prune(days: int) -> dict[str, Any]:
    """Remove what was not used for so many days; 0 removes all."""
    removed = size = 0
    for path in _entries():
        if days and time.time() - path.stat().st_mtime < days * DAY:
            continue
        for file in _files(path):
            size += file.stat().st_size
            file.unlink()
        removed += 1
    return {"removed": removed, "bytes": size}


def verify() -> dict[str, Any]:
    """Read every kept answer; names those that are damaged, which are asked again when they are needed."""
    damaged = [str(path) for path in _entries() if _read(path) is None]
    return {"answers": sum(1 for _ in _entries()), "damaged": damaged}


def _entries() -> Iterator[Path]:
    folder = answers_folder()
    return iter(sorted(folder.glob("??/*.json"))) if folder.is_dir() else iter(())


def _files(path: Path) -> list[Path]:
    return [file for file in (path, path.with_suffix(".flac")) if file.exists()]


def _read(path: Path) -> Kept | None:
    """An entry whose content, and whose speech, are what was written; None otherwise."""
    try:
        kept = msgspec.json.decode(path.read_bytes(), type=Kept)
        sound = path.with_suffix(".flac").read_bytes() if kept.speech_sha256 else b""
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return None
    whole = kept.sha256 == _hash(kept) and kept.format == FORMAT
    heard = not kept.speech_sha256 or hashlib.sha256(sound).hexdigest() == kept.speech_sha256
    return kept if whole and heard else None


def _hash(kept: Kept) -> str:
    return hashlib.sha256(encoded(msgspec.structs.replace(kept, sha256=""))).hexdigest()
