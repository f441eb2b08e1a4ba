"""What a benchmark is: data, prompt presets, scoring profiles and metrics in one frozen value."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from harness.contracts import DataChoice, PromptFn, Row, Sums
from harness.types import Doc, Generation, Modality, Output, Response, Sample, Score


@dataclass(frozen=True, slots=True)
class Quantile:
    """The `q` quantile (1 is the maximum) of one part over the samples that have it; lower is better."""

    name: str
    unit: str
    part: str
    q: float
    headline: bool = False
    higher_is_better: bool = False

    def over(self, values: Any) -> Any:
        import numpy as np

        return np.quantile(values, self.q, axis=-1)


@dataclass(frozen=True, slots=True)
class Metric:
    """A number computed from summed parts; `compute` takes floats or arrays [resamples] alike."""

    name: str
    unit: str
    higher_is_better: bool
    compute: Callable[[Sums], Any]
    headline: bool = False
    """Shown in the terminal table; the others are in `results.json` and on the task's page."""

    def value(self, sums: Sums) -> Any:
        return self.compute(sums)


class RowSource(Protocol):
    """Where rows come from: `tasks.data.Source` for published data, anything alike for generated prompts."""

    def rows(self, data: DataChoice) -> Iterable[Row]: ...

    def fingerprint(self, data: DataChoice) -> Mapping[str, Any]: ...


def add_parts(parts: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Sum the parts of a cluster's samples."""
    total: dict[str, float] = {}
    for one in parts:
        for name, value in one.items():
            total[name] = total.get(name, 0.0) + value
    return total


def on_text(score: Callable[[Doc, str | None, str], Score]) -> Callable[[Doc, Response | None, str], Score]:
    """A scorer that reads an answer's text only."""

    def scorer(doc: Doc, response: Response | None, profile: str) -> Score:
        return score(doc, None if response is None else response.text, profile)

    return scorer


def _alone(doc: Doc) -> str | None:
    return None


def _sum_combine(parts: Sequence[Mapping[str, float]], profile: str) -> Mapping[str, float]:
    return add_parts(parts)


@dataclass(frozen=True)
class Task:
    """A benchmark. Implements `harness.contracts.TaskLike`.

    `sample` turns (row, prompt) into a Sample and `cluster` names a doc's cluster; `scorer` scores (doc, response or
    None, profile); `combiner` makes a cluster's additive parts from those of its samples.
    """

    name: str
    version: str
    inputs: frozenset[Modality]
    source: RowSource
    sample: Callable[[Row, PromptFn], Sample]
    scorer: Callable[[Doc, Response | None, str], Score]
    metrics: Sequence[Metric | Quantile]
    prompts: Mapping[str, PromptFn]
    default_prompt: str
    profiles: Sequence[str]
    default_profile: str
    citation: str
    licence: str
    generation: Generation = Generation()
    outputs: tuple[Output, ...] = ("text",)
    image_tiles: int | None = None
    max_batch: int | None = None
    warm_up: int = 0
    cluster_name: str | None = None
    cluster: Callable[[Doc], str | None] = _alone
    combiner: Callable[[Sequence[Mapping[str, float]], str], Mapping[str, float]] = field(default=_sum_combine)

    @property
    def additive(self) -> bool:
        return self.combiner is _sum_combine

    def rows(self, data: DataChoice) -> Iterable[Row]:
        return self.source.rows(data)

    def fingerprint(self, data: DataChoice) -> Mapping[str, Any]:
        return self.source.fingerprint(data)

    def to_sample(self, row: Row, prompt: PromptFn) -> Sample:
        sample = self.sample(row, prompt)
        return replace(sample, cluster=self.cluster_of(sample.doc))

    def cluster_of(self, doc: Doc) -> str | None:
        return self.cluster(doc)

    def score(self, doc: Doc, response: Response | None, profile: str) -> Score:
        return self.scorer(doc, response, profile)

    def combine(self, parts: Sequence[Mapping[str, float]], profile: str) -> Mapping[str, float]:
        return self.combiner(parts, profile)
