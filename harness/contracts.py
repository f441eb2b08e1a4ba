"""What the engine asks of a model and of a judge.

`models` and `tasks` implement these protocols; the engine finds the implementations by name through
`harness.registry` and imports neither package.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from harness.files import at_home
from harness.media import Extent
from harness.types import (
    Ask,
    Channels,
    Chunk,
    Failure,
    Generation,
    LoadedRequest,
    Modality,
    Output,
    Ready,
    Request,
    Response,
    States,
    Unusable,
    Verdict,
)

Device = str
DType = Literal["float32", "bfloat16", "float16"]


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a model can take and give; checked against the tasks before the first forward pass."""

    inputs: frozenset[Modality]
    outputs: frozenset[Output]
    stream: bool = False
    hidden_states: bool = False
    channels: Channels = "mean"
    clones_voice: bool = False
    """It speaks in the voice of a recording, `Request.voice`."""
    remote: bool = False
    """It is asked over a network: its answers are kept unless `--no-cache`, and no device here computes them."""


@dataclass(frozen=True, slots=True)
class ModelOptions:
    """How a model is opened. `weights` is a folder in the released layout or a hub id; None means the default.

    `threads` are the CPU threads of a forward pass; None leaves them to the model. `own` are settings that this model
    alone has (`--option mode=turbo`); a factory refuses one that it does not know.
    """

    weights: str | None = None
    device: Device = "cpu"
    dtype: DType = "float32"
    seed: int = 0
    threads: int | None = None
    own: Mapping[str, str] = field(default_factory=dict)


class Model(Protocol):
    """A model adapter. Constructing one is cheap; `open` loads the weights."""

    name: str
    capabilities: Capabilities
    prompt_styles: tuple[str, ...]
    """Names of the presets that the model was evaluated with, the best first, e.g. ("vita", "vlmevalkit")."""

    @property
    def label(self) -> str:
        """What stands at the head of a table: the name, and a short digest unless the weights are the release's own."""

    @property
    def note(self) -> str:
        """Printed beside every number, e.g. "random weights"; empty for released weights. Travels with the weights."""

    def open(self) -> None:
        """Load the weights. Raises `harness.failures.UsageError` with remedies when they are not there."""

    def close(self) -> None: ...

    def fingerprint(self) -> Mapping[str, Any]:
        """What identifies the opened weights. `digest` is the hash of their contents, "released" whether they are
        the release's own, "told" a list of what has to be said about them."""

    def effective(self, generation: Generation) -> Mapping[str, Any]:
        """The decoding settings as they are used: the request's, and the checkpoint's where the request has none."""

    def prompt_tokens(self, request: Request, extents: Sequence[Extent]) -> int:
        """How long the prompt is, from the headers of its media (one extent each); needs no weights."""

    def prepare(self, loaded: LoadedRequest) -> Any:
        """What `generate` reads, computed without the device. Called from several threads at once.

        Raises SampleError or ValueError for a request that this model cannot take.
        """

    def generate(self, batch: Iterable[Ready], rows: int) -> Iterator[tuple[int, Response | Failure]]:
        """Answer requests that share a `batch_key`, at most `rows` side by side.

        Items are pulled as rows become free; yields (position in the iterable, answer) as answers finish, each once.
        """


class StreamingModel(Model, Protocol):
    """A model whose capabilities announce `stream`."""

    def stream(self, ready: Ready) -> Generator[Chunk, None, Response]:
        """Answer one request piece by piece; speech follows the text closely where the request asks for it. The
        generator's value is the whole answer.

        Raises `SampleError` where `generate` would give a `Failure`.
        """


def answer_of(stream: Generator[Chunk, None, Response], on_chunk: Callable[[Chunk], object] | None = None) -> Response:
    """The whole answer of a stream, once every chunk was made, and handed to `on_chunk`."""
    while True:
        try:
            chunk = next(stream)
        except StopIteration as end:
            answer: Response = end.value
            return answer
        if on_chunk is not None:
            on_chunk(chunk)


ProbeStage = Literal["unembedding", "embedding"]


class ProbedModel(Model, Protocol):
    """A model whose capabilities announce `hidden_states`."""

    n_layers: int

    def hidden_states(
        self, batch: Sequence[LoadedRequest], stage: ProbeStage
    ) -> Iterator[tuple[int, States | Failure]]:
        """Features of the requests' content alone: no chat template, so that the last token is the content's."""


ModelFactory = Callable[[ModelOptions], Model]


@dataclass(frozen=True, slots=True)
class JudgeOptions:
    """How a judge is opened. `weights` is a folder, a file, an endpoint's model or a hub id; None means the default."""

    weights: str | None = None
    device: Device = "cpu"


class Judge(Protocol):
    """A model that scorers ask: a speech recogniser, a language model that grades. Constructing one is cheap.

    One that only asks an endpoint says so by an attribute `over_network = True`: it needs no device and no workers.
    """

    name: str
    roles: tuple[str, ...]
    """What it can be asked as: "recogniser-en", "recogniser-zh", "speaker", "llm"."""

    def fingerprint(self) -> Mapping[str, Any]:
        """What pins its verdicts: weights or endpoint, revision, decoding settings, prompt hash. JSON.

        Its "model", where it has one, stands beside the numbers.
        """

    def open(self) -> None:
        """Load it. Raises UsageError naming the extra to install and where to put the weights."""

    def judge(self, asks: Sequence[Ask]) -> Iterator[tuple[int, Verdict | Unusable | Failure]]:
        """(Index into `asks`, verdict) as they are known, each once. Media are files; the judge opens them.

        A verdict, or that there is none, is kept; after a failure the same is asked again by a later pass.
        """

    def close(self) -> None: ...


JudgeFactory = Callable[[JudgeOptions], Judge]


@dataclass(frozen=True, slots=True)
class DataChoice:
    """Where rows come from: the hub, the shipped mini data, or a folder by its absolute path."""

    kind: Literal["hub", "mini", "folder"]
    folder: Path | None = None

    @classmethod
    def parse(cls, text: str) -> DataChoice:
        """ "hub", "mini", or the path of a folder."""
        match text:
            case "hub" | "mini":
                return cls(text)
        return cls("folder", at_home(text).absolute())

    def __str__(self) -> str:
        return str(self.folder) if self.folder is not None else self.kind
