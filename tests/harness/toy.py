"""A tiny task and model of one's own, so that the engine is tested without benchmarks."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from harness.config import RunConfig, make_config
from harness.contracts import Capabilities, DataChoice, ModelOptions
from harness.media import Extent
from harness.run import Objects
from harness.schema import Results
from harness.task import Preset, Quantile, Ratio, Row, Task
from harness.types import (
    Answer,
    Doc,
    Failure,
    Generation,
    LoadedRequest,
    Media,
    Message,
    Ready,
    Request,
    Response,
    Score,
    Text,
    Timings,
)


@dataclass(frozen=True)
class Rows:
    """Rows that are given; counts how often they were opened."""

    given: Sequence[Row]
    published: int | None = None
    opened: tuple[list[None], ...] = ()

    def rows(self, data: DataChoice) -> Iterator[Row]:
        for calls in self.opened:
            calls.append(None)
        return iter(self.given)

    def fingerprint(self, data: DataChoice) -> Mapping[str, Any]:
        return {"rows": len(self.given)}

    def strays(self, data: DataChoice) -> Sequence[str]:
        return ()


def _doc(row: Row) -> Doc:
    doc = {"i": row["i"], "answer": str(row["i"])} | ({"no_reference": True} if row.get("empty") else {})
    return doc | ({"gold": row["gold"]} if "gold" in row else {})


def _asks(text: str) -> Any:
    def messages(row: Row) -> Sequence[Message]:
        media = [Media("audio", row["media"], row.get("sha256", ""))] if "media" in row else []
        return (Message("user", (*media, Text(text.format(row["i"])))),)

    return messages


def score(doc: Doc, answer: Answer, profile: str) -> Score:
    if doc.get("no_reference"):
        return Score("right", None, status="unscored", reason="the reference is empty")
    if doc.get("gold") == "unreadable" and answer.text is not None:
        raise ValueError("the gold answer cannot be read")
    if answer.text == "crash the scorer":
        raise ValueError("the scorer cannot read this")
    text = answer.text
    right = text is not None and (text == doc["answer"] or (profile == "loose" and doc["answer"] in text))
    parts = {"right": float(right), "n": 1.0}
    tags = {"parity": ("even" if doc["i"] % 2 == 0 else "odd",)}
    return Score("right", float(right), parts, extracted=text, wrong=not right, tags=tags)


ACCURACY = Ratio("accuracy", "%", True, "right", "n", headline=True, by=("parity",))


def toy_task(rows: Sequence[Row], **changes: Any) -> Task:
    """`rows` questions "what is i?" in clusters of four; the answer is i."""
    source = changes.pop("source", None) or Rows(rows)
    generation = changes.pop("generation", Generation(max_new_tokens=4))
    task = Task(
        name="toy",
        version="1",
        inputs=frozenset({"text"}),
        source=source,
        doc=_doc,
        presets={
            "plain": Preset(_asks("what is {}?"), generation),
            "short": Preset(_asks("{}"), generation),
        },
        default_preset="plain",
        scorer=score,
        metrics=(ACCURACY,),
        profiles=("exact", "loose"),
        default_profile="exact",
        cluster_name="group",
        cluster=lambda doc: str(doc["i"] // 4),
        citation="none",
        licence="none",
    )
    return replace(task, **changes)


class ToyModel:
    """Answers with the number in the prompt, the way that `answer` says."""

    name, note = "toy-model", ""
    label = "toy-model"
    prompt_styles: tuple[str, ...] = ("plain",)
    capabilities = Capabilities(frozenset({"text", "audio"}), frozenset({"text"}))

    def __init__(self, options: ModelOptions = ModelOptions()) -> None:
        self.options = options
        self.rows: list[int] = []
        self.asked: list[Request] = []

    def open(self) -> None: ...

    def close(self) -> None: ...

    def fingerprint(self) -> Mapping[str, Any]:
        return {"weights": self.options.weights, "digest": str(self.options.weights)}

    def effective(self, generation: Generation) -> Mapping[str, Any]:
        return {"repetition_penalty": generation.repetition_penalty or 1.0}

    def prompt_tokens(self, request: Request, extents: Sequence[Extent]) -> int:
        return sum(len(part.text) for message in request.messages for part in message.parts if isinstance(part, Text))

    def prepare(self, loaded: LoadedRequest) -> Any:
        return loaded

    def answer(self, request: Request) -> Response | Failure:
        if self.options.weights == "slow":
            time.sleep(0.002)
        part = request.messages[-1].parts[-1]
        assert isinstance(part, Text)
        return Response(
            part.text.removeprefix("what is ").removesuffix("?"), timings=Timings(end=0.5, first_token=0.25)
        )

    def generate(self, batch: Iterable[Ready], rows: int) -> Iterator[tuple[int, Response | Failure]]:
        self.rows.append(rows)
        for index, ready in enumerate(batch):
            self.asked.append(ready.request)
            yield index, self.answer(ready.request)


def numbered(n: int, **more: Any) -> list[Row]:
    return [{"i": i, "sample_id": str(i), **more} for i in range(n)]


TASK = toy_task(numbered(40))
BROKEN = replace(toy_task([*numbered(1), {"i": 2, "sample_id": "2", "media": "absent.wav"}]), name="toy_broken")


def timed(task: Task) -> Task:
    return replace(task, metrics=(Quantile("end_p50_ms", "ms", "n", 0.5, headline=True),), max_batch=1, warm_up=3)


def objects(*tasks: Task, model: ToyModel | None = None) -> Objects:
    return Objects({task.name: task for task in tasks}, model or ToyModel())


def config(*tasks: Task, **fields: Any) -> RunConfig:
    names = [task.name for task in tasks] or ["toy"]
    return make_config({"model": "toy-model", "tasks": names, "data": "mini", **fields})


def accuracy(results: Results, profile: str | None = None) -> float | None:
    entry = results.tasks["toy"]
    return entry.scores[profile or entry.profile][""].metrics["accuracy"].value


def fake_audio(folder: Path) -> Path:
    """A file that is no audio."""
    path = folder / "broken.flac"
    path.write_bytes(b"fLaC this is not audio")
    return path
