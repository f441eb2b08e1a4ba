"""VITA-1.5 as a model of the harness: requests in, answers out, one decode loop a batch.

`vita15` loads released weights, `vita15_tiny` builds the same code small and with random weights.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any, NamedTuple

import torch

from harness.contracts import Capabilities, ModelOptions, ProbeStage, TokenRates
from harness.failures import UsageError, failure_from, is_out_of_memory
from harness.types import Failure, Generation, LoadedRequest, Modality, Output, Response, States, Timings, Usage
from models.checkpoint_error import CheckpointError
from models.decoding import Emission, Sampling, stream
from models.vita15 import checkpoint, hub, states
from models.vita15.checkpoint import Loaded
from models.vita15.config import Vita15Config
from models.vita15.processor import ModelInputs, Processor, collate
from models.vita15.prompts import strip_state
from models.vita15.tokenizer import byte_tokenizer

INPUTS: frozenset[Modality] = frozenset({"text", "image", "video", "audio"})
OUTPUTS: frozenset[Output] = frozenset({"text"})


class Opened(NamedTuple):
    """Loaded weights and what identifies them."""

    loaded: Loaded
    identity: Mapping[str, Any]


Opener = Callable[[], Opened]


class Vita15Model:
    """Implements `harness.contracts.Model`."""

    prompt_style = "vita"

    def __init__(self, name: str, options: ModelOptions, opener: Opener, rates: TokenRates, note: str = "") -> None:
        self.name = name
        self.note = note
        self.capabilities = Capabilities(INPUTS, OUTPUTS, hidden_states=True, token_rates=rates)
        self._options = options
        self._opener = opener
        self._opened: Opened | None = None

    def open(self) -> None:
        """Load the weights. Raises UsageError on an absent device or on weights that are absent or do not fit."""
        if self._opened is None:
            _check_device(self._options.device)
            self._opened = self._opener()
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
                alike[request.request.generation].append(_Prepared(index, self._processor(request)))
            except Exception as error:
                if is_out_of_memory(error):
                    raise
                yield index, failure_from(error, "load")
        for generation, prepared in alike.items():
            yield from self._answer(generation, prepared, started)

    @torch.inference_mode()
    def _answer(
        self, generation: Generation, prepared: Sequence[_Prepared], started: float
    ) -> Iterator[tuple[int, Response]]:
        assert self._opened is not None
        loaded = self._opened.loaded
        model, tokenizer, defaults = loaded.model, loaded.tokenizer, loaded.generation
        embedded = model.embed(collate([item.inputs for item in prepared]))

        def ends(_: int, ids: list[int]) -> bool:
            return _before_stop(tokenizer.decode(ids), generation.stop).stopped

        emissions = stream(
            model,
            embedded.inputs_embeds,
            embedded.attention_mask,
            max_new_tokens=generation.max_new_tokens,
            stop_ids=defaults.stop_ids,
            sampling=_sampling(generation, defaults.repetition_penalty),
            generators=[torch.Generator().manual_seed(generation.seed) for _ in prepared],
            should_stop=ends if generation.stop else None,
        )
        answers = [_Answer() for _ in prepared]
        for emission in emissions:
            answer = answers[emission.row]
            answer.take(emission)
            if emission.finish is None:
                continue
            item = prepared[emission.row]
            raw = _before_stop(tokenizer.decode(answer.ids), generation.stop).text
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

    def opener() -> Opened:
        source = hub.locate(options.weights or hub.RELEASE)
        try:
            loaded = checkpoint.load(source.folder, options.device, _dtype(options))
            identity = checkpoint.fingerprint(source.folder)
        except CheckpointError as error:
            raise UsageError(str(error)) from error
        decoding = {"stop_ids": list(loaded.generation.stop_ids)}
        penalty = {"repetition_penalty": loaded.generation.repetition_penalty}
        return Opened(loaded, {"source": source.name, "revision": source.revision, **identity, **decoding, **penalty})

    # Most images of a benchmark become several tiles; the plan knows their sizes only roughly.
    return Vita15Model("vita15", options, opener, TokenRates())


def vita15_tiny(options: ModelOptions) -> Vita15Model:
    """The same code at the size of tests, with random weights drawn from `options.seed`."""
    config = Vita15Config.tiny()

    def opener() -> Opened:
        tokenizer = byte_tokenizer()
        model = checkpoint.build(config, options.seed, options.device, _dtype(options))
        loaded = Loaded(model, tokenizer, checkpoint.default_generation(tokenizer))
        return Opened(loaded, {"source": "random weights", "seed": options.seed, "config": asdict(config)})

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


class _Cut(NamedTuple):
    text: str
    stopped: bool


def _before_stop(text: str, stop: Sequence[str]) -> _Cut:
    """The text before the first of the stop strings."""
    places = [place for mark in stop if (place := text.find(mark)) >= 0]
    return _Cut(text[: min(places)], True) if places else _Cut(text, False)


def _sampling(generation: Generation, default_penalty: float) -> Sampling:
    """A request's settings; a penalty that the checkpoint states holds where the request leaves it at 1,
    as it does in the reference implementation, under greedy decoding too."""
    penalty = generation.repetition_penalty if generation.repetition_penalty != 1.0 else default_penalty
    return Sampling(generation.temperature, generation.top_k, generation.top_p, penalty)


def _dtype(options: ModelOptions) -> torch.dtype:
    return {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}[options.dtype]


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
