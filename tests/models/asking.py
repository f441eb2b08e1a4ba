"""Asking a model in tests as the engine does: prepared, then answered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, cast

from harness.contracts import Model, StreamingModel, answer_of
from harness.engines.local import prepared
from harness.types import Chunk, Failure, LoadedRequest, Ready, Response


def ready(model: Model, batch: Sequence[LoadedRequest]) -> list[Ready]:
    return [prepared(model, loaded) for loaded in batch]


def outcomes(model: Model, batch: Sequence[LoadedRequest], rows: int | None = None) -> list[Response | Failure]:
    """What each request is answered, in their order; each exactly once."""
    found = list(model.generate(iter(ready(model, batch)), rows or len(batch)))
    assert sorted(index for index, _ in found) == list(range(len(batch)))
    return [outcome for _, outcome in sorted(found, key=lambda pair: pair[0])]


def responses(model: Model, batch: Sequence[LoadedRequest], rows: int | None = None) -> list[Response]:
    found = outcomes(model, batch, rows)
    answered = [outcome for outcome in found if isinstance(outcome, Response)]
    assert len(answered) == len(found), found
    return answered


class Streamed(NamedTuple):
    chunks: list[Chunk]
    answer: Response


def streamed(model: Model, item: Ready) -> Streamed:
    """What is streamed, and what it makes up."""
    chunks: list[Chunk] = []
    return Streamed(chunks, answer_of(cast(StreamingModel, model).stream(item), chunks.append))
