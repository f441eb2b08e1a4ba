"""A model that answers without thinking: from a table, or with the last text of the prompt.

It measures the engine and tests it; nothing it says is a model's answer.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.contracts import Capabilities, ModelOptions
from harness.failures import UsageError
from harness.media import sha256_of
from harness.types import Failure, LoadedRequest, Response, Text, Timings, Usage


class Echo:
    """Implements `harness.contracts.Model`. An id that the table lacks is answered by a failure."""

    name = "echo"
    prompt_style = "vita"
    note = "echo, not a model"
    capabilities = Capabilities(frozenset({"text", "image", "video", "audio"}), frozenset({"text"}))

    def __init__(self, table: Path | None) -> None:
        self._path = table
        self._table: dict[str, str] | None = None

    def open(self) -> None:
        """Read the table. Raises UsageError naming the file and the line at fault."""
        if self._path is not None and self._table is None:
            self._table = read_table(self._path)

    def fingerprint(self) -> Mapping[str, Any]:
        """The table and its hash; without one, that the prompt is echoed."""
        if self._path is None:
            return {"source": "the prompt's last text"}
        return {"source": str(self._path), "sha256": sha256_of(self._path)}

    def generate(self, batch: Sequence[LoadedRequest]) -> Iterator[tuple[int, Response | Failure]]:
        started = time.monotonic()
        self.open()
        for index, loaded in enumerate(batch):
            request = loaded.request
            if self._table is None:
                texts = [part.text for message in request.messages for part in message.parts if isinstance(part, Text)]
                answer = texts[-1] if texts else ""
            elif request.sample_id in self._table:
                answer = self._table[request.sample_id]
            else:
                yield index, Failure("generate", "permanent", f"{self._path} has no answer for id {request.sample_id}")
                continue
            now = time.monotonic() - started
            words = len(answer.split())
            yield index, Response(answer, timings=Timings(end=now, first_token=now), usage=Usage(new_tokens=words))

    def close(self) -> None:
        self._table = None


def echo(options: ModelOptions) -> Echo:
    """`options.weights` may name a JSONL table of {"id", "response"}."""
    return Echo(Path(options.weights).expanduser() if options.weights else None)


def read_table(path: Path) -> dict[str, str]:
    """Id -> answer of a JSONL table. Raises UsageError naming the file and the line at fault."""
    answers: dict[str, str] = {}
    try:
        lines = path.read_text(encoding="utf-8").split("\n")  # not at U+2028, which JSON may hold
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
