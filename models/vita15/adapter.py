"""VITA-1.5 as a model of the harness: requests in, answers out, one decode loop a batch.

`vita15` loads released weights, `vita15_mini` those that ship with the harness; `vita15_tiny` builds the same code
small and with random weights.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, NamedTuple

import torch

from harness.contracts import Capabilities, ModelOptions, ProbeStage, TokenRates
from harness.failures import SampleError, UsageError, failure_from, is_out_of_memory
from harness.types import (
    Chunk,
    Failure,
    Generation,
    LoadedRequest,
    Modality,
    Output,
    Response,
    States,
    Timings,
    Usage,
)
from models.checkpoint_error import CheckpointError
from models.decoding import Emission, stream
from models.vita15 import checkpoint, hub, states
from models.vita15.checkpoint import Loaded
from models.vita15.config import Vita15Config
from models.vita15.generation import before_stop, sampling_of, stop_check
from models.vita15.processor import ModelInputs, Processor, collate
from models.vita15.prompts import strip_state
from models.vita15.speech_checkpoint import build_speech, load_speech
from models.vita15.speech_config import CodecConfig, Sampling, SpeechDecoderConfig
from models.vita15.speech_stream import SpeechError, SpeechSynthesizer
from models.vita15.streaming import AnswerStream, synthesizer
from models.vita15.tokenizer import byte_tokenizer

INPUTS: frozenset[Modality] = frozenset({"text", "image", "video", "audio"})
OUTPUTS: frozenset[Output] = frozenset({"text", "speech"})
SPEECH_FOLDER = "vita_tts_ckpt"
MINI = Path(__file__).parents[1] / "weights" / "vita15-mini"
MINI_TOKENS_PER_TILE = 49


class Opened(NamedTuple):
    """Loaded weights and what identifies them."""

    loaded: Loaded
    identity: Mapping[str, Any]
    speaker: SpeechSynthesizer | None
    """None where the checkpoint has no speech decoder."""


Opener = Callable[[], Opened]


class Vita15Model:
    """Implements `harness.contracts.Model`."""

    prompt_style = "vita"

    def __init__(self, name: str, options: ModelOptions, opener: Opener, rates: TokenRates, note: str = "") -> None:
        self.name = name
        self.note = note
        self.capabilities = Capabilities(INPUTS, OUTPUTS, stream=True, hidden_states=True, token_rates=rates)
        self._options = options
        self._opener = opener
        self._opened: Opened | None = None

    def open(self) -> None:
        """Load the weights. Raises UsageError on an absent device or on weights that are absent or do not fit."""
        if self._opened is None:
            _check_device(self._options.device)
            self._opened = self._opener()
            if self._opened.speaker is None:
                self.capabilities = replace(self.capabilities, outputs=frozenset({"text"}))
            self._processor = Processor(self._opened.loaded.model.config, self._opened.loaded.tokenizer)

    def close(self) -> None:
        self._opened = None
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def fingerprint(self) -> Mapping[str, Any]:
        """What identifies the weights, and the decoding defaults that they bring; opens the model if need be."""
        self.open()
        assert self._opened is not None
        return self._opened.identity

    @property
    def n_layers(self) -> int:
        self.open()
        assert self._opened is not None
        return self._opened.loaded.model.config.language.num_hidden_layers

    def hidden_states(
        self, batch: Sequence[LoadedRequest], stage: ProbeStage
    ) -> Iterator[tuple[int, States | Failure]]:
        """Features of the requests' content alone, see `models.vita15.states`."""
        self.open()
        assert self._opened is not None
        loaded = self._opened.loaded
        reader = states.ContentProcessor(loaded.model.config, loaded.tokenizer)
        return states.hidden_states(loaded.model, reader, batch, stage)

    def generate(self, batch: Sequence[LoadedRequest]) -> Iterator[tuple[int, Response | Failure]]:
        """Answer a batch. A request that cannot be prepared fails alone, at the stage "load"; running out of
        memory is left to the caller, who can ask for less at once."""
        started = time.monotonic()
        self.open()
        alike: defaultdict[Generation, list[_Prepared]] = defaultdict(list)
        for index, request in enumerate(batch):
            try:
                inputs = self._processor(request)
            except Exception as error:
                if is_out_of_memory(error):
                    raise
                yield index, failure_from(error, "load")
                continue
            if "speech" in request.request.outputs:
                yield index, self._spoken(inputs, request.request.generation)
            else:
                alike[request.request.generation].append(_Prepared(index, inputs))
        for generation, prepared in alike.items():
            yield from self._answer(generation, prepared, started)

    def stream(self, request: LoadedRequest) -> Iterator[Chunk]:
        """Answer one request piece by piece; its speech follows each segment of its text."""
        self.open()
        try:
            inputs = self._processor(request)
            yield from self._stream(inputs, request.request.generation, "speech" in request.request.outputs)
        except ValueError as error:  # input that cannot be read, or an answer that cannot be spoken
            raise SampleError(str(error)) from error

    def _spoken(self, inputs: ModelInputs, generation: Generation) -> Response | Failure:
        """One answer with its speech, decoded as a stream, so that its moments are those of one."""
        try:
            answer = self._stream(inputs, generation, speak=True)
            for _ in answer:
                pass
        except (SpeechError, SampleError) as error:
            return failure_from(error, "generate")
        return answer.response()

    def _stream(self, inputs: ModelInputs, generation: Generation, speak: bool) -> AnswerStream:
        assert self._opened is not None
        if not speak:
            return AnswerStream(self._opened.loaded, inputs, generation, None)
        if self._opened.speaker is None:
            raise SampleError(f"these weights have no speech decoder (folder {SPEECH_FOLDER})", "unsupported")
        return AnswerStream(self._opened.loaded, inputs, generation, self._opened.speaker)

    @torch.inference_mode()
    def _answer(
        self, generation: Generation, prepared: Sequence[_Prepared], started: float
    ) -> Iterator[tuple[int, Response]]:
        assert self._opened is not None
        loaded = self._opened.loaded
        model, tokenizer, defaults = loaded.model, loaded.tokenizer, loaded.generation
        embedded = model.embed(collate([item.inputs for item in prepared]))

        emissions = stream(
            model,
            embedded.inputs_embeds,
            embedded.attention_mask,
            max_new_tokens=generation.max_new_tokens,
            min_new_tokens=generation.min_new_tokens,
            stop_ids=defaults.stop_ids,
            sampling=sampling_of(generation, defaults.repetition_penalty),
            generators=[torch.Generator().manual_seed(generation.seed) for _ in prepared],
            should_stop=stop_check(tokenizer, generation.stop),
        )
        answers = [_Answer() for _ in prepared]
        for emission in emissions:
            answer = answers[emission.row]
            answer.take(emission)
            if emission.finish is None:
                continue
            item = prepared[emission.row]
            raw = before_stop(tokenizer.decode(answer.ids), generation.stop).text
            text = strip_state(raw)
            yield (
                item.place,
                Response(
                    text=text,
                    raw_text=raw if raw != text else None,
                    truncated=emission.finish == "length",
                    timings=Timings(end=emission.time - started, first_token=answer.first - started),
                    usage=Usage(prompt_tokens=item.inputs.n_tokens, new_tokens=len(answer.ids)),
                ),
            )


def vita15(options: ModelOptions) -> Vita15Model:
    """The released model, from the hub (the default) or from `options.weights`."""
    # Most images of a benchmark become several tiles; the plan knows their sizes only roughly.
    return _with_weights("vita15", options, lambda: hub.locate(options.weights or hub.RELEASE), TokenRates())


def vita15_mini(options: ModelOptions) -> Vita15Model:
    """The small weights that ship with the harness, trained in its mini world; takes no `weights`."""
    if options.weights is not None:
        raise UsageError(f"--weights {options.weights}: vita15-mini has weights of its own; use --model vita15")
    source = hub.Source(MINI, "shipped with the harness", None)
    rates = TokenRates(image=MINI_TOKENS_PER_TILE, video_frame=MINI_TOKENS_PER_TILE)
    return _with_weights("vita15-mini", options, lambda: source, rates, note="trained in the mini world")


def _with_weights(
    name: str, options: ModelOptions, locate: Callable[[], hub.Source], rates: TokenRates, note: str = ""
) -> Vita15Model:
    """A model whose weights are in a folder, which is looked for when the model is opened."""

    def opener() -> Opened:
        source = locate()
        try:
            loaded = checkpoint.load(source.folder, options.device, _dtype(options))
            identity = checkpoint.fingerprint(source.folder)
            folder = source.folder / SPEECH_FOLDER
            speaker = None
            if folder.is_dir():
                speaker = synthesizer(loaded, load_speech(folder, _speech_dtype(options), options.device), Sampling())
        except CheckpointError as error:
            raise UsageError(str(error)) from error
        except ValueError as error:  # parts that are sound but do not fit each other
            raise UsageError(f"{source.folder}: {error}\n{checkpoint.REMEDY}") from error
        decoding = {"stop_ids": list(loaded.generation.stop_ids)}
        penalty = {"repetition_penalty": loaded.generation.repetition_penalty}
        identity = {"source": source.name, "revision": source.revision, **identity, **decoding, **penalty}
        return Opened(loaded, identity | {"speech": speaker is not None}, speaker)

    return Vita15Model(name, options, opener, rates, note)


def vita15_tiny(options: ModelOptions) -> Vita15Model:
    """The same code at the size of tests, with random weights drawn from `options.seed`; takes no `weights`."""
    if options.weights is not None:
        raise UsageError(f"--weights {options.weights}: vita15-tiny has random weights only; use --model vita15")
    config = Vita15Config.tiny()

    def opener() -> Opened:
        tokenizer = byte_tokenizer()
        model = checkpoint.build(config, options.seed, options.device, _dtype(options))
        loaded = Loaded(model, tokenizer, checkpoint.default_generation(tokenizer))
        speech = build_speech(
            SpeechDecoderConfig.tiny(config.language.hidden_size),
            CodecConfig.tiny(),
            options.seed,
            _speech_dtype(options),
            options.device,
        )
        identity = {"source": "random weights", "seed": options.seed, "config": asdict(config)}
        # Random weights seldom end a segment: one second of each is enough.
        return Opened(loaded, identity, synthesizer(loaded, speech, Sampling(max_tokens=40)))

    per_tile = config.tokens_per_tile
    rates = TokenRates(image=per_tile, video_frame=per_tile, characters_per_token=1.0)
    return Vita15Model("vita15-tiny", options, opener, rates, note="random weights")


class _Prepared(NamedTuple):
    place: int  # in the batch
    inputs: ModelInputs


class _Answer:
    """Tokens of one row as they come."""

    def __init__(self) -> None:
        self.ids: list[int] = []
        self.first = 0.0

    def take(self, emission: Emission) -> None:
        self.first = self.first or emission.time
        self.ids += emission.ids


def _dtype(options: ModelOptions) -> torch.dtype:
    return {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}[options.dtype]


def _speech_dtype(options: ModelOptions) -> torch.dtype:
    """The release runs its speech decoder in bfloat16 wherever it does not run in full precision."""
    return torch.float32 if options.dtype == "float32" else torch.bfloat16


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
