"""VITA-Audio as a model of the harness: requests in, answers out."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any, NamedTuple

from harness.contracts import Capabilities, ModelOptions
from harness.failures import SampleError, failure_from
from harness.media import Extent, probe
from harness.types import (
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
)
from models.generation import GenerationDefaults
from models.released.identity import Identity
from models.speaking import SpeakingModel
from models.text.tokenizer import QwenTokenizer, estimated
from models.vita_audio.answerer import Answerer
from models.vita_audio.answering import answers
from models.vita_audio.chunks import Clean, Policy, Released
from models.vita_audio.ears import code_positions, embedding_positions
from models.vita_audio.processor import MtpInputs, Processor, planned_tokens
from models.vita_audio.speech_folders import DECODER
from models.vita_audio.streaming import MtpStream
from models.vita_audio.voice import Voice

INPUTS: frozenset[Modality] = frozenset({"text", "audio"})
OUTPUTS: frozenset[Output] = frozenset({"text", "speech"})
CHUNKS: Mapping[str, Policy] = {"clean": Clean(), "released": Released()}
"""How a stream is spoken: so that nothing is lost, or as the release's demo does."""

Speaker = Callable[[], Voice]
"""Opens the speech decoder when it is first asked for. Raises UsageError when it cannot be read."""


class Opened(NamedTuple):
    """Answerer weights and what identifies them; `speaker` is None where there is no speech decoder."""

    answerer: Answerer
    identity: Identity
    speaker: Speaker | None

    @property
    def generation(self) -> GenerationDefaults:
        return self.answerer.generation


class Outline(NamedTuple):
    """What is known before the weights are opened; text is estimated without tokenizer."""

    plus: bool
    tokenizer: QwenTokenizer | None = None


class VitaAudioModel(SpeakingModel[Opened, Outline, Voice]):
    """Implements `harness.contracts.StreamingModel`.

    Answers are decoded side by side and spoken together; where their moments are measured, one at a time, as a stream.
    """

    prompt_styles: tuple[str, ...] = ("vita_audio", "vita")

    def __init__(
        self, name: str, options: ModelOptions, opener: Callable[[], Opened], outline: Callable[[], Outline],
        plus: bool, chunks: str = "clean", note: str = "",
    ) -> None:  # fmt: skip
        channels: Channels = "mean" if plus else "first"
        capabilities = Capabilities(INPUTS, OUTPUTS, stream=True, channels=channels, clones_voice=not plus)
        super().__init__(name, options, capabilities, opener, outline, note, f"folder {DECODER.name}")
        self._chunks = chunks

    def effective(self, generation: Generation) -> Mapping[str, Any]:
        """With the decoding mode, and how a stream is spoken."""
        used = {"mode": str(self._weights().mode), "chunks": self._chunks}
        return {**super().effective(generation), **used}

    def prompt_tokens(self, request: Request, extents: Sequence[Extent]) -> int:
        plus, tokenizer = self._outlined()
        count = estimated if tokenizer is None else tokenizer.count
        voice = None if request.voice is None else probe(request.voice)
        return planned_tokens(request, extents, voice, count, embedding_positions if plus else code_positions)

    def prepare(self, loaded: LoadedRequest) -> MtpInputs:
        """Token ids and waves of a request; on the CPU, which is where this runs, what is heard is put in too."""
        weights = self._weights()
        inputs = self._processor(loaded)
        if weights.model.device.type != "cpu":
            return inputs
        return replace(inputs, prompt=weights.ear.hear(weights.model, [inputs.heard])[0])

    def generate(self, batch: Iterable[Ready], rows: int) -> Iterator[tuple[int, Response | Failure]]:
        """Answer requests that share a `batch_key`. What is wrong with all of them, such as running out of memory, is
        left to the caller."""
        waiting = iter(batch)
        first = next(waiting, None)
        if first is None:
            return
        items = chain([first], waiting)
        speaks = "speech" in first.request.outputs
        if not (speaks and first.request.timed):
            yield from answers(self._weights(), items, rows, self._speaker() if speaks else None)
            return
        for place, ready in enumerate(items):
            yield place, self._streamed(ready)

    def stream(self, ready: Ready) -> Generator[Chunk, None, Response]:
        """Answer one request piece by piece; its speech follows the segments of its codes.

        Raises SampleError where speech is asked for and none was made.
        """
        answer = self._answer_stream(ready)
        yield from answer
        made = answer.response()
        if "speech" in ready.request.outputs and made.speech is None:
            codes = made.usage.speech_tokens
            were = "1 code of speech was" if codes == 1 else f"{codes} codes of speech were"
            lost = f"{were} not sent, as the release's demo drops the last ones"
            raise SampleError(f"nothing to hear: {lost if codes else 'the answer has no code of speech'}")
        return made

    def _streamed(self, ready: Ready) -> Response | Failure:
        answer = self._answer_stream(ready)
        try:
            for _ in answer:
                pass
        except SampleError as error:
            return failure_from(error, "generate")
        return answer.response()

    def _answer_stream(self, ready: Ready) -> MtpStream:
        voice = self._speaker() if "speech" in ready.request.outputs else None
        return MtpStream(self._weights(), ready, voice, CHUNKS[self._chunks])

    def _fit(self, opened: Opened) -> Outline:
        answerer = opened.answerer
        budget = answerer.model.config.max_position_embeddings
        self._processor = Processor(answerer.tokenizer, answerer.tokens, answerer.ear, budget)
        return Outline(answerer.tokens.plus, answerer.tokenizer)

    def _weights(self) -> Answerer:
        return self._ready().answerer
