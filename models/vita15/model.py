"""VITA-1.5 as a model of the harness: requests in, answers out."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import NamedTuple

from harness.contracts import Capabilities, ModelOptions, ProbeStage
from harness.failures import SampleError, failure_from
from harness.media import Extent
from harness.types import (
    Chunk,
    Failure,
    LoadedRequest,
    Modality,
    Output,
    Ready,
    Request,
    Response,
    States,
)
from models.answering import answers
from models.generation import GenerationDefaults
from models.released.identity import Identity
from models.speaking import SpeakingModel
from models.text.tokenizer import QwenTokenizer, estimated
from models.vita15 import states
from models.vita15.answering import answerer, embedded_ahead
from models.vita15.checkpoint import SPEECH_FOLDER, Loaded
from models.vita15.config import Vita15Config
from models.vita15.lengths import planned_tokens
from models.vita15.processor import ModelInputs, Processor
from models.vita15.speech_stream import SpeechError, SpeechSynthesizer
from models.vita15.streaming import SpokenStream

INPUTS: frozenset[Modality] = frozenset({"text", "image", "video", "audio"})
OUTPUTS: frozenset[Output] = frozenset({"text", "speech"})
TEXT_ONLY: frozenset[Output] = frozenset({"text"})

Speaker = Callable[[], SpeechSynthesizer]
"""Opens the speech decoder when it is first asked for. Raises UsageError when it cannot be read."""


class Opened(NamedTuple):
    """Loaded weights and what identifies them; `speaker` is None where there is no speech decoder."""

    loaded: Loaded
    identity: Identity
    speaker: Speaker | None

    @property
    def generation(self) -> GenerationDefaults:
        return self.loaded.generation


class Outline(NamedTuple):
    """What is known before the weights are opened, for the length of prompts; text is estimated without tokenizer."""

    config: Vita15Config
    tokenizer: QwenTokenizer | None = None


class Vita15Model(SpeakingModel[Opened, Outline, SpeechSynthesizer]):
    """Implements `harness.contracts.StreamingModel` and `ProbedModel`.

    Text answers are decoded side by side; spoken ones one at a time, each as a stream, so that its moments are those
    of one.
    """

    prompt_styles: tuple[str, ...] = ("vita", "vlmevalkit")

    def __init__(
        self, name: str, options: ModelOptions, opener: Callable[[], Opened], outline: Callable[[], Outline],
        note: str = "", outputs: frozenset[Output] = OUTPUTS,
    ) -> None:  # fmt: skip
        capabilities = Capabilities(INPUTS, outputs, stream=True, hidden_states=True, channels="first")
        super().__init__(name, options, capabilities, opener, outline, note, f"folder {SPEECH_FOLDER}")

    @property
    def n_layers(self) -> int:
        return self._weights().model.config.language.num_hidden_layers

    def prompt_tokens(self, request: Request, extents: Sequence[Extent]) -> int:
        config, tokenizer = self._outlined()
        return planned_tokens(request, extents, config, estimated if tokenizer is None else tokenizer.count)

    def prepare(self, loaded: LoadedRequest) -> ModelInputs:
        """Token ids, pixel values and filter banks of a request; on the CPU, which is where this runs, embedded too."""
        weights = self._weights()
        inputs = self._processor(loaded)
        return embedded_ahead(weights, inputs) if weights.model.device.type == "cpu" else inputs

    def generate(self, batch: Iterable[Ready], rows: int) -> Iterator[tuple[int, Response | Failure]]:
        """Answer requests that share a `batch_key`; spoken ones one at a time. What is wrong with all of them,
        such as running out of memory, is left to the caller."""
        loaded = self._weights()
        waiting = iter(batch)
        first = next(waiting, None)
        if first is None:
            return
        items = _chained(first, waiting)
        if "speech" not in first.request.outputs:
            yield from answers(answerer(loaded), items, rows)
            return
        for place, ready in enumerate(items):
            yield place, self._spoken(ready)

    def stream(self, ready: Ready) -> Generator[Chunk, None, Response]:
        """Answer one request piece by piece; its speech follows each segment of its text."""
        try:
            answer = self._answer_stream(ready)
            yield from answer
        except ValueError as error:  # an answer that cannot be spoken
            raise SampleError(str(error)) from error
        return answer.response()

    def hidden_states(
        self, batch: Sequence[LoadedRequest], stage: ProbeStage
    ) -> Iterator[tuple[int, States | Failure]]:
        """Features of the requests' content alone, see `models.vita15.states`."""
        loaded = self._weights()
        reader = states.ContentProcessor(loaded.model.config, loaded.tokenizer)
        return states.hidden_states(loaded.model, reader, batch, stage)

    def _fit(self, opened: Opened) -> Outline:
        config, tokenizer = opened.loaded.model.config, opened.loaded.tokenizer
        self._processor = Processor(config, tokenizer)
        return Outline(config, tokenizer)

    def _weights(self) -> Loaded:
        return self._ready().loaded

    def _spoken(self, ready: Ready) -> Response | Failure:
        """An answer of which no speech can be made is one without speech."""
        try:
            answer = self._answer_stream(ready)
            with suppress(SpeechError):
                for _ in answer:
                    pass
        except SampleError as error:
            return failure_from(error, "generate")
        return answer.response()

    def _answer_stream(self, ready: Ready) -> SpokenStream:
        speaker = self._speaker() if "speech" in ready.request.outputs else None
        return SpokenStream(self._weights(), ready, speaker)


def _chained(first: Ready, rest: Iterator[Ready]) -> Iterator[Ready]:
    yield first
    yield from rest
