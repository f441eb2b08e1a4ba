"""`--model transformers:NAME_OR_DIR`: a model of the library transformers behind the harness's contract."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

from harness.contracts import ModelOptions
from harness.failures import SampleError, UsageError
from harness.media import Extent
from harness.types import Chunk, Failure, Generation, LoadedRequest, Ready, Request, Response
from models.checkpoint_error import CheckpointError
from models.hf import chat, recogniser, speech
from models.hf.decoding import told
from models.hf.inputs import Prepared, agree
from models.hf.lengths import estimate
from models.hf.loading import Opened, Place, load, settings_folder, writer
from models.hf.outline import Outline, outlined
from models.hf.speech import MOST_CODES, Speaking
from models.hf.streaming import Stream
from models.lazy import LazyModel
from models.own_options import check_own

RECOGNISER_OPTIONS = {
    "language": "what is spoken, for a multilingual Whisper: en, zh, ...; without it Whisper finds out",
    "task": "transcribe, or translate (into English), for a multilingual Whisper",
}
SPEECH_OPTIONS = {
    "speaker": "the voice of a model that speaks, e.g. Chelsie; by default the first by name",
    "speech_tokens": "most codes of a spoken answer, 50 a second in Qwen2.5-Omni; by default 4096",
}


class TransformersModel(LazyModel[Opened, Outline]):
    """Requests that agree in the shapes of their features are answered side by side, as many as there are rows; the
    next ones are taken when all of them have ended."""

    prompt_styles: tuple[str, ...] = ()

    def __init__(self, place: Place, options: ModelOptions, outline: Outline) -> None:
        super().__init__(
            f"transformers:{place.shown}", options, outline.capabilities, lambda: load(place, options), lambda: outline
        )

    def effective(self, generation: Generation) -> Mapping[str, Any]:
        """With what the checkpoint's generation_config states of decoding, and, for a recogniser, what it can hold."""
        opened = self._ready()
        used = dict(super().effective(generation))
        if self._is_recogniser:
            used["max_new_tokens"] = recogniser.most_tokens(opened, generation)
        return used | {"generation_config": told(getattr(writer(opened.model), "generation_config", None))}

    def prompt_tokens(self, request: Request, extents: Sequence[Extent]) -> int:
        """An estimate (`models.hf.lengths`): the processors of the library have no common way to tell."""
        return 1 if self._is_recogniser else estimate(request, extents)

    def prepare(self, loaded: LoadedRequest) -> Prepared:
        opened = self._ready()
        return recogniser.prepare(opened, loaded) if self._is_recogniser else chat.prepare(opened, loaded)

    def generate(self, batch: Iterable[Ready], rows: int) -> Iterator[tuple[int, Response | Failure]]:
        opened = self._ready()
        waiting = enumerate(batch)
        held: list[tuple[int, Ready, float]] = []
        while True:
            while len(held) < rows and (item := next(waiting, None)) is not None:
                number, ready = item
                if held and ready.request.batch_key != held[0][1].request.batch_key:
                    raise ValueError("requests with other decoding settings cannot be answered side by side")
                held.append((number, ready, time.monotonic() - ready.prepare_s))
            if not held:
                return
            first = held[0][1]
            together = [one for one in held if agree(first.inputs.features, one[1].inputs.features)]
            if "speech" in first.request.outputs:
                together = together[:1]
            held = [one for one in held if one not in together]
            numbers, items, start = zip(*together, strict=True)
            yield from zip(numbers, self._answers(opened, items, start), strict=True)

    def stream(self, ready: Ready) -> Generator[Chunk, None, Response]:
        if self._is_recogniser:
            raise SampleError("a recogniser does not stream", "unsupported")
        answer = Stream(self._ready(), ready, self._speaking)
        yield from answer
        return answer.response()

    def _answers(self, opened: Opened, items: Sequence[Ready], start: Sequence[float]) -> list[Response]:
        if self._is_recogniser:
            return recogniser.answer(opened, items, start, dict(self._options.own))
        if "speech" in items[0].request.outputs:
            return [speech.answer(opened, items[0], start[0], self._speaking)]
        return chat.answer(opened, items, start)

    def _fit(self, opened: Opened) -> Outline:
        if "speech" in self.capabilities.outputs and not getattr(opened.model, "speaker_map", None):
            self.capabilities = replace(self.capabilities, outputs=frozenset({"text"}))
        return opened.outline

    @property
    def _speaking(self) -> Speaking:
        own = self._options.own
        return Speaking(own.get("speaker"), int(own.get("speech_tokens", MOST_CODES)))

    @cached_property
    def _is_recogniser(self) -> bool:
        return self._outlined().recognises


def transformers_model(rest: str, options: ModelOptions) -> TransformersModel:
    """The model at a folder, or at a hub id with a revision after @. Reads its config.json."""
    if not rest:
        raise UsageError("--model transformers: names no model. Write transformers:DIR or transformers:OWNER/NAME")
    if options.weights is not None:
        raise UsageError(f"--weights {options.weights}: transformers:... names its weights itself; leave it out")
    place = Place.of(rest)
    try:
        outline = outlined(settings_folder(place))
    except CheckpointError as error:
        raise UsageError(str(error)) from error
    check_own(f"transformers:{place.shown}", options.own, _own_options(outline))
    return TransformersModel(place, options, outline)


def _own_options(outline: Outline) -> Mapping[str, str]:
    if outline.recognises and outline.model_type == "whisper":
        return RECOGNISER_OPTIONS
    return SPEECH_OPTIONS if "speech" in outline.capabilities.outputs else {}
