"""The vocabulary of the harness: what flows from a benchmark's row to a score.

    row -> Sample -> Request -> Response | Failure -> (Judgement) -> Score -> results -> report

Everything here is a frozen value, but for an open video. Times are seconds on a monotonic clock that starts at zero
when a request is handed to the model; sample rates are in Hz.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

MediaKind = Literal["image", "video", "audio"]
Modality = Literal["text", "image", "video", "audio"]
Output = Literal["text", "speech"]
Role = Literal["system", "user", "assistant"]
Stage = Literal["load", "generate", "parse", "score", "judge"]
FailureKind = Literal["transient", "permanent", "unsupported", "limit"]
Status = Literal["ok", "unscored", "failed"]
Channels = Literal["first", "mean"]
"""What a model hears of a recording with several channels: the first one, or their mean."""
FrameRule = Literal["model", "uniform", "fps", "segments", "inner", "centres"]
"""Which frames of a video are shown (`harness.media.frames`); "model" leaves it to the model."""
Channel = Literal["", "text", "speech"]
"""What a score is about: the text or the speech of an answer, "" where there is only one of them to score."""

Doc = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Text:
    text: str


@dataclass(frozen=True, slots=True)
class Media:
    """A reference to a media file with the hash of its content; never the content itself.

    `sha256` is empty when the file could not be read; loading it then fails with the reason.
    `start_s` and `end_s` cut a part out of audio or video.
    """

    kind: MediaKind
    path: str
    sha256: str = ""
    start_s: float | None = None
    end_s: float | None = None


Part = Text | Media


@dataclass(frozen=True, slots=True)
class Message:
    role: Role
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Sample:
    """One question of a benchmark.

    `doc` is the row as the benchmark publishes it, without media bytes, so that a stored run can be scored again.
    `cluster` names the group of samples that are not independent (one speaker, one image). `recordings` are what the
    row has beside what is asked: "voice", to be spoken in by models that clone one, and "reference", the benchmark's
    own recording of what is to be said.
    """

    id: str
    messages: tuple[Message, ...]
    doc: Doc
    cluster: str | None = None
    recordings: Mapping[str, Media] = field(default_factory=dict)

    @property
    def media(self) -> tuple[Media, ...]:
        return media_of(self.messages)


@dataclass(frozen=True, slots=True)
class Generation:
    """Every decoding setting. Temperature 0 is greedy."""

    max_new_tokens: int = 1024
    min_new_tokens: int = 0
    """Stop tokens are ignored before this many; equal to the maximum it fixes an answer's length (latency)."""
    temperature: float = 0.0
    top_k: int | None = None
    top_p: float | None = None
    repetition_penalty: float | None = None
    """None leaves it to what the checkpoint states; 1.0 is none."""
    stop: tuple[str, ...] = ()
    seed: int = 0
    """Of one request: the plan draws it from the run's seed, the task, the sample and the repeat."""


@dataclass(frozen=True, slots=True)
class Pictures:
    """How finely pictures are cut, where a benchmark's protocol says so; None leaves it to the model."""

    max_tiles: int | None = None
    """Most tiles an image may be cut into."""
    max_frames: int | None = None
    """Most frames of a video."""
    frame_rule: FrameRule = "model"


@dataclass(frozen=True, slots=True)
class Request:
    sample_id: str
    messages: tuple[Message, ...]
    generation: Generation
    outputs: tuple[Output, ...] = ("text",)
    pictures: Pictures = Pictures()
    voice: Media | None = None
    """A recording of the voice to answer in; None for a model that has its own."""
    timed: bool = False
    """Its moments are what is measured: a spoken answer is made as a stream."""

    @property
    def media(self) -> tuple[Media, ...]:
        return media_of(self.messages)

    @property
    def batch_key(self) -> tuple[Generation, tuple[Output, ...], bool]:
        """Requests with equal keys may be decoded side by side: they differ in content and seed only."""
        return replace(self.generation, seed=0), self.outputs, self.timed


@dataclass(frozen=True, slots=True, eq=False)
class Waveform:
    """Mono audio: `samples` float32 [n] in -1..1 at `rate` Hz."""

    samples: npt.NDArray[np.float32]
    rate: int

    @property
    def seconds(self) -> float:
        return len(self.samples) / self.rate


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """One RGB image: `pixels` uint8 [height, width, 3]."""

    pixels: npt.NDArray[np.uint8]


class Footage(Protocol):
    """An open video: `fps` (average), `n_frames`, the cut asked for in seconds, RGB frames by index, and the sound of
    the cut, None where it has no sound track."""

    fps: float
    n_frames: int
    start_s: float | None
    end_s: float | None

    def frames(self, indices: Sequence[int]) -> list[npt.NDArray[np.uint8]]: ...

    def sound(self) -> Waveform | None: ...


Decoded = Waveform | Picture | Footage


@dataclass(frozen=True, slots=True, eq=False)
class LoadedRequest:
    """A request with its media opened: `media[i]` is the content of `request.media[i]`, `voice` of `request.voice`."""

    request: Request
    media: tuple[Decoded, ...]
    voice: Waveform | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Ready:
    """A request that a model has prepared: `inputs` is what its `prepare` returned, after `prepare_s` seconds.

    A model that takes it in at the moment t counts from t - `prepare_s`, so that preparing is part of every latency
    and waiting for a free row is part of none.
    """

    request: Request
    inputs: Any
    prepare_s: float


@dataclass(frozen=True, slots=True)
class Timings:
    """Seconds since the request was handed to the model, its preparing included; None where a moment did not occur."""

    end: float
    start: float = 0.0
    encoded: float | None = None
    """Image, video and audio are embedded; the language model starts."""
    first_token: float | None = None
    first_audio_token: float | None = None
    first_audio: float | None = None
    """The first samples that can be played."""
    audio_s: float | None = None
    """Seconds of speech made."""
    first_chunk_s: float | None = None
    """Seconds of speech in the first piece of a stream."""
    underruns: int | None = None
    """Pieces of a stream that came after all before them would have been played."""

    @property
    def ttft(self) -> float | None:
        """Time to the first text token."""
        return None if self.first_token is None else self.first_token - self.start

    @property
    def ttfa(self) -> float | None:
        """Time to the first audio samples."""
        return None if self.first_audio is None else self.first_audio - self.start

    @property
    def rtf(self) -> float | None:
        """Real-time factor: wall seconds for each second of speech made; None without speech."""
        return None if not self.audio_s else (self.end - self.start) / self.audio_s


@dataclass(frozen=True, slots=True)
class Usage:
    prompt_tokens: int = 0
    new_tokens: int = 0
    speech_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Response:
    """What a model answered. `text` is the answer as it is scored; `raw_text` is kept where the model stripped
    control marks from it. `speech` is None where none was asked for, or none could be made."""

    text: str
    speech: Waveform | None = None
    timings: Timings | None = None
    usage: Usage = Usage()
    raw_text: str | None = None
    truncated: bool = False
    """True when the answer ended at `max_new_tokens`, or its speech at the longest that it may be, not by itself."""


@dataclass(frozen=True, slots=True, eq=False)
class Chunk:
    """A piece of a streamed answer as it becomes known, `at` seconds after the request was handed over.

    The texts of all chunks joined are the answer; the waveforms joined are its speech.
    """

    at: float
    text: str = ""
    speech: Waveform | None = None


@dataclass(frozen=True, slots=True, eq=False)
class States:
    """What a probe reads out of a model for one request, float32.

    Stage "unembedding": for each modality of the request the mean [d] of its token embeddings at the language
    model's input, and how many tokens it has. Stage "embedding": under "last" the hidden state [layers + 1, d] of the
    last token (never padding) at the input and after every layer.
    """

    vectors: Mapping[str, npt.NDArray[np.float32]]
    tokens: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a sample has no answer or no score. Never text that a scorer could read."""

    stage: Stage
    kind: FailureKind
    message: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What a scorer sees of a response, after the steps that take the answer out of it.

    `text` is None when there is no answer: it counts as wrong. `speech` refers to the stored recording; `spoken` says
    that one was asked for. `recordings` are those of the sample; a voice is there only if it was given to the model.
    `judged` are the roles that a judge takes.
    """

    text: str | None
    speech: Media | None = None
    timings: Timings | None = None
    usage: Usage = Usage()
    spoken: bool = False
    recordings: Mapping[str, Media] = field(default_factory=dict)
    judged: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Ask:
    """What a scorer asks of a judge: a role ("recogniser-en", "llm"), what is judged, and settings such as a window."""

    role: str
    content: str | Media
    settings: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a judge said: a transcript, or a grader's reply.

    `usage` and `cost` are what it took, None where that is not known; the currency is that of the prices it is made of.
    """

    text: str
    usage: Usage = Usage()
    cost: float | None = None


@dataclass(frozen=True, slots=True)
class Unusable:
    """A judge's reply that holds no verdict (it is empty, or cut off), and why.

    A scorer meets it as a failure; it is kept like a verdict, so that it is not asked and paid for again.
    """

    reason: str
    usage: Usage = Usage()
    cost: float | None = None


@dataclass(frozen=True, slots=True)
class Score:
    """A sample's score as sufficient statistics.

    `parts` add up over the samples of a cluster and over clusters, so corpus values, merges and bootstraps are
    exact (WER keeps errors and words). `tags` say which sub-scores the sample counts in (a category, several
    capabilities); `extracted` is the answer read from the response, None if there is none; `reason` is why it has
    failed or is unscored, or what is lacking beside a score; `wrong` is whether the answer has a fault, None where that
    has no meaning (a latency); `shown` are reference and hypothesis as compared; `payload` is what metrics that are no
    sums are made of (`harness.task.Aggregate`): metric's name -> any JSON value.
    """

    name: str
    value: float | None
    parts: Mapping[str, float] = field(default_factory=dict)
    status: Status = "ok"
    extracted: str | None = None
    reason: str | None = None
    tags: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    wrong: bool | None = None
    shown: tuple[str, str] | None = None
    payload: Mapping[str, Any] | None = None


def media_of(messages: tuple[Message, ...]) -> tuple[Media, ...]:
    """The media of a conversation in reading order."""
    return tuple(part for message in messages for part in message.parts if isinstance(part, Media))
