"""What the engine asks of a model and of a task.

`models` and `tasks` implement these protocols; the engine finds the implementations by name through
`harness.registry` and imports neither package.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

from harness.types import (
    Chunk,
    Doc,
    Failure,
    Generation,
    LoadedRequest,
    Modality,
    Output,
    Response,
    Sample,
    Score,
    States,
)

Device = str
DType = Literal["float32", "bfloat16", "float16"]


@dataclass(frozen=True, slots=True)
class TokenRates:
    """How many prompt tokens an input costs, for scheduling before anything is decoded."""

    audio_per_s: float = 12.5
    image: int = 256
    video_frame: int = 256
    video_frames: int = 16
    characters_per_token: float = 3.0


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a model can take and give; checked against the tasks before the first forward pass."""

    inputs: frozenset[Modality]
    outputs: frozenset[Output]
    stream: bool = False
    hidden_states: bool = False
    token_rates: TokenRates = TokenRates()


@dataclass(frozen=True, slots=True)
class ModelOptions:
    """How a model is opened. `weights` is a folder in the released layout or a hub id; None means the default."""

    weights: str | None = None
    device: Device = "cpu"
    dtype: DType = "float32"
    seed: int = 0


class Model(Protocol):
    """A model adapter. Constructing one is cheap; `open` loads the weights."""

    name: str
    capabilities: Capabilities
    prompt_style: str
    """Name of the preset that the task's prompts are chosen by, e.g. "vita"."""
    note: str
    """Printed beside every number, e.g. "random weights"; empty for released weights."""

    def fingerprint(self) -> Mapping[str, Any]:
        """What identifies the weights: source, revision, sizes or hashes. Goes into the manifest."""

    def open(self) -> None:
        """Load the weights. Raises `harness.failures.UsageError` with remedies when they are not there."""

    def generate(self, batch: Sequence[LoadedRequest]) -> Iterator[tuple[int, Response | Failure]]:
        """Answer a batch; yields (index into the batch, answer) as answers finish, each index once."""

    def close(self) -> None: ...


class StreamingModel(Model, Protocol):
    """A model whose capabilities announce `stream`."""

    def stream(self, request: LoadedRequest) -> Iterator[Chunk]:
        """Answer one request piece by piece; speech follows the text closely where the request asks for it.

        Raises `SampleError` where `generate` would give a `Failure`.
        """


ProbeStage = Literal["unembedding", "embedding"]


class ProbedModel(Model, Protocol):
    """A model whose capabilities announce `hidden_states`."""

    n_layers: int

    def hidden_states(
        self, batch: Sequence[LoadedRequest], stage: ProbeStage
    ) -> Iterator[tuple[int, States | Failure]]:
        """Features of the requests' content alone: no chat template, so that the last token is the content's."""


ModelFactory = Callable[[ModelOptions], Model]

Sums = Mapping[str, Any]
"""Part name -> float or float64 array [resamples], summed over clusters."""


class SumMetric(Protocol):
    """A number computed from summed parts: rates, accuracies, points."""

    name: str
    unit: str
    higher_is_better: bool
    headline: bool

    def value(self, sums: Sums) -> Any:
        """The metric of the sums (float, or array of the sums' length); NaN where undefined."""


@runtime_checkable
class ValueMetric(Protocol):
    """A number computed from one part of every sample: percentiles, maxima."""

    name: str
    unit: str
    higher_is_better: bool
    headline: bool
    part: str

    def over(self, values: Any) -> Any:
        """The metric over the last axis of `values` [..., samples]."""


@dataclass(frozen=True, slots=True)
class DataChoice:
    """Where rows come from: the hub, the shipped mini data, or a folder."""

    kind: Literal["hub", "mini", "folder"]
    folder: Path | None = None

    @classmethod
    def parse(cls, text: str) -> DataChoice:
        """ "hub", "mini", or the path of a folder."""
        match text:
            case "hub" | "mini":
                return cls(text)
        return cls("folder", Path(text).expanduser())

    def __str__(self) -> str:
        return str(self.folder) if self.folder is not None else self.kind


Row = dict[str, Any]
PromptFn = Callable[[Doc], str]


class TaskLike(Protocol):
    """A benchmark: where its rows are, how a row becomes a sample, how an answer is scored."""

    name: str
    version: str
    inputs: frozenset[Modality]
    outputs: tuple[Output, ...]
    generation: Generation
    prompts: Mapping[str, PromptFn]
    default_prompt: str
    profiles: Sequence[str]
    default_profile: str
    metrics: Sequence[SumMetric | ValueMetric]
    image_tiles: int | None
    max_batch: int | None
    """Most samples answered together; 1 where latency is measured."""
    warm_up: int
    """Samples answered and thrown away before the first that counts."""
    cluster_name: str | None
    additive: bool
    """True when a sample's parts mean the same alone as in its cluster, so that samples may be resampled singly."""
    citation: str
    licence: str

    def rows(self, data: DataChoice) -> Iterable[Row]:
        """Rows in the benchmark's order. Raises `UsageError` naming what is missing and the remedies."""

    def fingerprint(self, data: DataChoice) -> Mapping[str, Any]:
        """What identifies the data: id, revision, split and a hash of the file list."""

    def to_sample(self, row: Row, prompt: PromptFn) -> Sample:
        """One row as a sample. Raises ValueError naming the field when the row is malformed."""

    def cluster_of(self, doc: Doc) -> str | None:
        """The group of samples that are not independent of this one; None where each stands alone."""

    def score(self, doc: Doc, response: Response | None, profile: str) -> Score:
        """Score an answer; None (no answer) counts as wrong and never leaves the denominator."""

    def combine(self, parts: Sequence[Mapping[str, float]], profile: str) -> Mapping[str, float]:
        """The additive parts of one cluster from the parts of its samples (a sum unless the metric needs more)."""
