"""NEXUS-O as a model of the harness: requests in, answers out."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple

from harness.contracts import Capabilities, ModelOptions, ProbeStage
from harness.failures import SampleError
from harness.media import Extent
from harness.types import (
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
)
from models.answering import answers
from models.generation import GenerationDefaults
from models.nexus_o import states
from models.nexus_o.answering import answerer, embedded_ahead
from models.nexus_o.checkpoint import Loaded
from models.nexus_o.config import NexusConfig
from models.nexus_o.decoder_checkpoint import FOLDER
from models.nexus_o.lengths import planned_tokens
from models.nexus_o.omni import Inputs
from models.nexus_o.processor import Processor
from models.nexus_o.spoken import NexusStream, spoken
from models.nexus_o.voice import Voice
from models.released.identity import Identity
from models.speaking import SpeakingModel
from models.text.tokenizer import QwenTokenizer, estimated

INPUTS: frozenset[Modality] = frozenset({"text", "image", "video", "audio"})
OUTPUTS: frozenset[Output] = frozenset({"text", "speech"})
TEXT_ONLY: frozenset[Output] = frozenset({"text"})
LONGEST_S = 60.0
"""Seconds of speech that an answer may have."""


class Opened(NamedTuple):
    """Loaded weights and what identifies them; `speaker` is None where there is no speech decoder or no codec."""

    loaded: Loaded
    identity: Identity
    speaker: Callable[[], Voice] | None

    @property
    def generation(self) -> GenerationDefaults:
        return self.loaded.generation


class Outline(NamedTuple):
    """What is known before the weights are opened, for the length of prompts; text is estimated without tokenizer."""

    config: NexusConfig
    tokenizer: QwenTokenizer | None = None


class NexusModel(SpeakingModel[Opened, Outline, Voice]):
    """Implements `harness.contracts.StreamingModel` and `ProbedModel`.

    Answers are decoded side by side and spoken together; where their moments are measured, one at a time, as a stream.
    """

    prompt_styles: tuple[str, ...] = ("nexus_o", "vlmevalkit")

    def __init__(
        self, name: str, options: ModelOptions, opener: Callable[[], Opened], outline: Callable[[], Outline],
        note: str = "", longest_s: float = LONGEST_S, outputs: frozenset[Output] = OUTPUTS,
    ) -> None:  # fmt: skip
        capabilities = Capabilities(INPUTS, outputs, stream=True, hidden_states=True, channels="mean")
        super().__init__(name, options, capabilities, opener, outline, note, f"folder {FOLDER}")
        self._longest_s = longest_s

    @property
    def n_layers(self) -> int:
        return self._weights().model.config.language.num_hidden_layers

    def effective(self, generation: Generation) -> Mapping[str, Any]:
        """With what was chosen where nothing is published."""
        choices = self._weights().model.config.choices.stated()
        return {**super().effective(generation), "choices": choices, "longest_speech_s": self._longest_s}

    def prompt_tokens(self, request: Request, extents: Sequence[Extent]) -> int:
        config, tokenizer = self._outlined()
        return planned_tokens(request, extents, config, estimated if tokenizer is None else tokenizer.count)

    def prepare(self, loaded: LoadedRequest) -> Inputs:
        """Token ids, positions, patches and spectrograms of a request; on the CPU, which is where this runs, embedded
        too."""
        weights = self._weights()
        inputs = self._processor(loaded)
        return embedded_ahead(weights.model, inputs) if weights.model.device.type == "cpu" else inputs

    def generate(self, batch: Iterable[Ready], rows: int) -> Iterator[tuple[int, Response | Failure]]:
        """Answer requests that share a `batch_key`. What is wrong with all of them, such as running out of memory, is
        left to the caller."""
        waiting = iter(batch)
        first = next(waiting, None)
        if first is None:
            return
        loaded, items = self._weights(), chain([first], waiting)
        if "speech" not in first.request.outputs:
            yield from answers(answerer(loaded), items, rows)
        elif first.request.timed:
            for place, ready in enumerate(items):
                yield place, self._streamed(ready)
        else:
            yield from spoken(loaded, items, rows, self._speaker(), self._longest_s)

    def stream(self, ready: Ready) -> Generator[Chunk, None, Response]:
        """Answer one request piece by piece; its speech follows its text a token a step.

        Raises SampleError where speech is asked for and none was made.
        """
        answer = self._answer_stream(ready)
        yield from answer
        made = answer.response()
        if "speech" in ready.request.outputs and made.speech is None:
            raise SampleError("nothing to hear: the answer is empty, or the speech decoder ended at once")
        return made

    def hidden_states(
        self, batch: Sequence[LoadedRequest], stage: ProbeStage
    ) -> Iterator[tuple[int, States | Failure]]:
        """Features of the requests' content alone, see `models.nexus_o.states`."""
        loaded = self._weights()
        reader = states.ContentProcessor(loaded.model.config, loaded.tokenizer)
        return states.hidden_states(loaded.model, reader, batch, stage)

    def _streamed(self, ready: Ready) -> Response:
        answer = self._answer_stream(ready)
        for _ in answer:
            pass
        return answer.response()

    def _answer_stream(self, ready: Ready) -> NexusStream:
        voice = self._speaker() if "speech" in ready.request.outputs else None
        return NexusStream(self._weights(), ready, voice, self._longest_s)

    def _fit(self, opened: Opened) -> Outline:
        config, tokenizer = opened.loaded.model.config, opened.loaded.tokenizer
        self._processor = Processor(config, tokenizer)
        return Outline(config, tokenizer)

    def _weights(self) -> Loaded:
        return self._ready().loaded
