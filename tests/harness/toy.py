"""A tiny task and model, registered by their own names, so that the engine is tested without benchmarks."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from harness import registry
from harness.contracts import Capabilities, DataChoice, ModelOptions, PromptFn, Row
from harness.types import Doc, Failure, Generation, LoadedRequest, Media, Message, Response, Sample, Score, Text


class Mean:
    name, unit, higher_is_better, headline = "accuracy", "%", True, True

    def value(self, sums: Mapping[str, Any]) -> Any:
        return 100 * sums["right"] / sums["n"]


class ToyTask:
    """`rows` questions "what is i?" in clusters of four; the answer is i."""

    name, version = "toy", "1"
    inputs: frozenset[Any] = frozenset({"text"})
    outputs = ("text",)
    generation = Generation(max_new_tokens=4)
    prompts: Mapping[str, PromptFn] = {
        "plain": lambda doc: f"what is {doc['i']}?",
        "short": lambda doc: str(doc["i"]),
    }
    default_prompt = "plain"
    profiles = ("exact", "loose")
    default_profile = "exact"
    metrics = (Mean(),)
    image_tiles = None
    max_batch: int | None = None
    warm_up = 0
    cluster_name: str | None = "group"
    additive = True
    citation, licence = "none", "none"

    def __init__(self, rows: Sequence[Row]) -> None:
        self._rows = rows

    def rows(self, data: DataChoice) -> Iterator[Row]:
        yield from self._rows

    def fingerprint(self, data: DataChoice) -> Mapping[str, Any]:
        return {"rows": len(self._rows)}

    def to_sample(self, row: Row, prompt: PromptFn) -> Sample:
        doc = {"i": row["i"], "answer": str(row["i"])} | ({"no_reference": True} if row.get("empty") else {})
        parts: list[Any] = [Text(prompt(doc))]
        if "media" in row:
            parts.insert(0, Media("audio", row["media"]))
        return Sample(str(row.get("id", row["i"])), (Message("user", tuple(parts)),), doc, self.cluster_of(doc))

    def cluster_of(self, doc: Doc) -> str | None:
        return str(doc["i"] // 4)

    def score(self, doc: Doc, answer: Response | None, profile: str) -> Score:
        response = None if answer is None else answer.text
        if doc.get("no_reference"):
            return Score("right", None, status="unscored", reason="the reference is empty")
        if response == "crash the scorer":
            raise ValueError("the scorer cannot read this")
        right = response is not None and (
            response == doc["answer"] or (profile == "loose" and doc["answer"] in response)
        )
        return Score("right", float(right), {"right": float(right), "n": 1.0}, extracted=response)

    def combine(self, parts: Sequence[Mapping[str, float]], profile: str) -> Mapping[str, float]:
        return {name: sum(p[name] for p in parts) for name in ("right", "n")} if parts[0] else {}


class ToyModel:
    """Answers with the number in the prompt, the way that `answer` says."""

    name, prompt_style, note = "toy-model", "plain", ""
    capabilities = Capabilities(frozenset({"text", "audio"}), frozenset({"text"}))

    def __init__(self, options: ModelOptions) -> None:
        self.options = options
        self.batches: list[int] = []

    def fingerprint(self) -> Mapping[str, Any]:
        return {"weights": self.options.weights}

    def open(self) -> None: ...

    def close(self) -> None: ...

    def answer(self, request: LoadedRequest) -> Response | Failure:
        if self.options.weights == "slow":
            time.sleep(0.002)
        return Response(request.request.messages[0].parts[-1].text.removeprefix("what is ").removesuffix("?"))  # type: ignore[union-attr]

    def generate(self, batch: Sequence[LoadedRequest]) -> Iterator[tuple[int, Response | Failure]]:
        self.batches.append(len(batch))
        for index, request in enumerate(batch):
            yield index, self.answer(request)


TASK = ToyTask([{"i": i} for i in range(40)])


def register(monkeypatch: pytest.MonkeyPatch, task: ToyTask, model: type[ToyModel] = ToyModel) -> list[ToyModel]:
    """Make "toy" and "toy-model" known to the registry; returns the list of models that are made."""
    made: list[ToyModel] = []

    def factory(options: ModelOptions) -> ToyModel:
        made.append(model(options))
        return made[-1]

    monkeypatch.setattr(registry, "names", lambda group: ["toy"] if group == "tasks" else ["toy-model"])
    monkeypatch.setattr(registry, "get_task", lambda name: task)
    monkeypatch.setattr(registry, "get_model", lambda name: factory)
    return made


def fake_audio(folder: Path) -> Path:
    """A file that is no audio."""
    path = folder / "broken.flac"
    path.write_bytes(b"fLaC this is not audio")
    return path
