"""VITA-1.5 as a model of the harness: requests in, answers out."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, NamedTuple

import torch

from harness.contracts import Capabilities, ModelOptions, ProbeStage
from harness.failures import SampleError, UsageError, failure_from
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
from models.vita15 import states
from models.vita15.answering import answers, embedded_ahead
from models.vita15.checkpoint import SPEECH_FOLDER, Loaded
from models.vita15.config import Vita15Config
from models.vita15.generation import effective
from models.vita15.lengths import estimated, planned_tokens
from models.vita15.processor import ModelInputs, Processor
from models.vita15.speech_stream import SpeechError, SpeechSynthesizer
from models.vita15.streaming import AnswerStream
from models.vita15.tokenizer import VitaTokenizer
from models.vita15.weights import Identity

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


class Outline(NamedTuple):
    """What is known before the weights are opened, for the length of prompts; text is estimated without tokenizer."""

    config: Vita15Config
    tokenizer: VitaTokenizer | None = None


class Vita15Model:
    """Implements `harness.contracts.StreamingModel` and `ProbedModel`.

    Text answers are decoded side by side; spoken ones one at a time, each as a stream, so that its moments are those
    of one.
    """

    prompt_styles: tuple[str, ...] = ("vita", "vlmevalkit")

    def __init__(
        self, name: str, options: ModelOptions, opener: Callable[[], Opened], outline: Callable[[], Outline],
        note: str = "", outputs: frozenset[Output] = OUTPUTS,
    ) -> None:  # fmt: skip
        self.name = name
        self.capabilities = Capabilities(INPUTS, outputs, stream=True, hidden_states=True, channels="first")
        self._options, self._opener, self._outline, self._note = options, opener, outline, note
        self._opened: Opened | None = None
        self._sketch: Outline | None = None
        self._speech: SpeechSynthesizer | None = None
        self._lock = threading.Lock()

    @property
    def label(self) -> str:
        """The name; with the start of the weights' digest where they are not known to be what the name says."""
        return self.name if self._opened is None else self._opened.identity.label(self.name)

    @property
    def note(self) -> str:
        return self._note if self._opened is None else self._opened.identity.note

    @property
    def n_layers(self) -> int:
        return self._weights().model.config.language.num_hidden_layers

    def open(self) -> None:
        """Load the weights. Raises UsageError on an absent device or on weights that are absent or do not fit."""
        with self._lock:
            if self._opened is not None:
                return
            _check_device(self._options.device)
            _set_threads(self._options)
            opened = self._opener()
            outputs = self.capabilities.outputs if opened.speaker else TEXT_ONLY
            self.capabilities = replace(self.capabilities, outputs=outputs)
            self._processor = Processor(opened.loaded.model.config, opened.loaded.tokenizer)
            self._sketch = Outline(opened.loaded.model.config, opened.loaded.tokenizer)
            self._opened = opened

    def close(self) -> None:
        self._opened = self._speech = None
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def fingerprint(self) -> Mapping[str, Any]:
        """What identifies the weights, and the settings that they bring; opens the model if need be."""
        return self._ready().identity.fingerprint()

    def effective(self, generation: Generation) -> Mapping[str, Any]:
        return effective(generation, self._weights().generation)

    def prompt_tokens(self, request: Request, extents: Sequence[Extent]) -> int:
        if self._sketch is None:
            self._sketch = self._outline()
        config, tokenizer = self._sketch
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
            yield from answers(loaded, items, rows)
            return
        for place, ready in enumerate(items):
            yield place, self._spoken(ready)

    def stream(self, ready: Ready) -> Iterator[Chunk]:
        """Answer one request piece by piece; its speech follows each segment of its text."""
        try:
            yield from self._answer_stream(ready)
        except ValueError as error:  # an answer that cannot be spoken
            raise SampleError(str(error)) from error

    def hidden_states(
        self, batch: Sequence[LoadedRequest], stage: ProbeStage
    ) -> Iterator[tuple[int, States | Failure]]:
        """Features of the requests' content alone, see `models.vita15.states`."""
        loaded = self._weights()
        reader = states.ContentProcessor(loaded.model.config, loaded.tokenizer)
        return states.hidden_states(loaded.model, reader, batch, stage)

    def _ready(self) -> Opened:
        self.open()
        assert self._opened is not None
        return self._opened

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

    def _answer_stream(self, ready: Ready) -> AnswerStream:
        speaker = self._speaker() if "speech" in ready.request.outputs else None
        return AnswerStream(self._weights(), ready, speaker)

    def _speaker(self) -> SpeechSynthesizer:
        """The speech decoder, opened when it is first asked for."""
        if self._speech is None:
            opener = self._ready().speaker
            if opener is None:
                raise SampleError(f"these weights have no speech decoder (folder {SPEECH_FOLDER})", "unsupported")
            try:
                self._speech = opener()
            except UsageError as error:
                raise SampleError(f"the speech decoder cannot be read: {error}") from error
        return self._speech


def _chained(first: Ready, rest: Iterator[Ready]) -> Iterator[Ready]:
    yield first
    yield from rest


def _set_threads(options: ModelOptions) -> None:
    """CPU threads of a forward pass: what is asked for, else what OMP_NUM_THREADS says, else a quarter of the cores.

    On the CPU several requests are embedded at once while others are decoded, so that few threads each keep all cores
    busy and do not wait for each other (`benchmarks/threads.py`).
    """
    if options.threads:
        torch.set_num_threads(options.threads)
    elif options.device == "cpu" and "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(max(1, (os.cpu_count() or 1) // 4))


def _check_device(device: str) -> None:
    try:
        kind = torch.device(device).type
    except RuntimeError as error:
        raise UsageError(f"--device {device}: {error}") from error
    if kind == "cuda":
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if (torch.device(device).index or 0) >= count:
            raise UsageError(
                f"--device {device}: torch {torch.__version__} sees {count} CUDA devices. Use --device cpu."
            )
