"""A model that answers without thinking: from a table, or with the last text of the prompt.

It measures the engine and tests it; nothing it says is a model's answer.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.contracts import Capabilities, ModelOptions
from harness.failures import UsageError
from harness.files import at_home, need_file
from harness.media import Extent, sha256_of
from harness.types import Failure, Generation, LoadedRequest, Ready, Request, Response, Text, Timings, Usage
from models.own_options import check_own


class Echo:
    """Implements `harness.contracts.Model`. An id that the table lacks is answered by a failure.

    It decodes nothing, so no field of `Generation` changes an answer: what is in the table comes back whole.
    """

    name = label = "echo"
    note = "echo, not a model"
    prompt_styles: tuple[str, ...] = ()
    capabilities = Capabilities(frozenset({"text", "image", "video", "audio"}), frozenset({"text"}))

    def __init__(self, table: Path | None) -> None:
        self._path = table
        self._table: dict[str, str] | None = None

    def open(self) -> None:
        """Read the table. Raises UsageError naming the file and the line at fault."""
        if self._path is not None and self._table is None:
            self._table = read_table(self._path)

    def close(self) -> None:
        self._table = None

    def fingerprint(self) -> Mapping[str, Any]:
        """The table and the hash of its content; without one, that the prompt is echoed."""
        source = "the prompt's last text" if self._path is None else str(self._path)
        digest = hashlib.sha256(source.encode()).hexdigest() if self._path is None else sha256_of(self._path)
        return {"source": source, "digest": digest, "released": False, "told": []}

    def effective(self, generation: Generation) -> Mapping[str, Any]:
        """Nothing: an echo is not decoded."""
        return {}

    def prompt_tokens(self, request: Request, extents: Sequence[Extent]) -> int:
        """The words of the prompt; media cost nothing, as they are not looked at."""
        return sum(len(text.split()) for text in _texts(request))

    def prepare(self, loaded: LoadedRequest) -> None:
        """Nothing is made of a request before it is answered."""

    def generate(self, batch: Iterable[Ready], rows: int) -> Iterator[tuple[int, Response | Failure]]:
        self.open()
        for index, ready in enumerate(batch):
            started = time.monotonic() - ready.prepare_s
            answer = self._answer(ready.request)
            if answer is None:
                said = f"{self._path} has no answer for id {ready.request.sample_id}"
                yield index, Failure("generate", "permanent", said)
                continue
            now = time.monotonic() - started
            words = len(answer.split())
            yield index, Response(answer, timings=Timings(end=now, first_token=now), usage=Usage(new_tokens=words))

    def _answer(self, request: Request) -> str | None:
        if self._table is not None:
            return self._table.get(request.sample_id)
        texts = _texts(request)
        return texts[-1] if texts else ""


def _texts(request: Request) -> list[str]:
    return [part.text for message in request.messages for part in message.parts if isinstance(part, Text)]


def echo(options: ModelOptions) -> Echo:
    """`options.weights` may name a JSONL table of {"id", "response"}."""
    check_own("echo", options.own)
    return Echo(at_home(options.weights) if options.weights else None)


def read_table(path: Path) -> dict[str, str]:
    """Id -> answer of a JSONL table. Raises UsageError naming the file and the line at fault."""
    answers: dict[str, str] = {}
    need_file(path, 'the table of {"id", "response"} lines')
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")  # not at U+2028, which JSON may hold
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f'{path}: cannot be read as a table of {{"id", "response"}} lines: {error}') from error
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            key, answer = row["id"], row["response"]
        except (ValueError, KeyError, TypeError) as error:
            raise UsageError(f'{path}:{number}: expected {{"id": ..., "response": ...}}, got {line[:80]!r}') from error
        if not isinstance(answer, str):
            raise UsageError(f"{path}:{number}: the response of id {key!r} is {type(answer).__name__}, not text")
        if str(key) in answers:
            raise UsageError(f"{path}:{number}: id {key!r} occurs twice; keep one line an id")
        answers[str(key)] = answer
    return answers
