"""How a request's decoding settings reach the decode loop, and how its tokens become text."""

from __future__ import annotations

import codecs
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from harness.types import Generation
from models.decoding import Decoding, Sampling
from models.vita15.prompts import strip_state
from models.vita15.tokenizer import VitaTokenizer


@dataclass(frozen=True)
class GenerationDefaults:
    """What a checkpoint states; `stop_ids` always hold the marks of a turn's start and end."""

    stop_ids: tuple[int, ...]
    repetition_penalty: float = 1.0
    longest: int | None = None
    """Most tokens of an answer, whatever is asked for: random weights seldom end one."""


def penalty_of(generation: Generation, defaults: GenerationDefaults) -> float:
    """The request's repetition penalty; the checkpoint's where the request names none, under greedy decoding too."""
    asked = generation.repetition_penalty
    return defaults.repetition_penalty if asked is None else asked


def longest(generation: Generation, defaults: GenerationDefaults) -> int:
    asked = generation.max_new_tokens
    return asked if defaults.longest is None else min(asked, max(defaults.longest, generation.min_new_tokens))


def decoding_of(generation: Generation, defaults: GenerationDefaults) -> Decoding:
    """What the decode loop is told, on every path."""
    most = longest(generation, defaults)
    sampling = Sampling(generation.temperature, generation.top_k, generation.top_p, penalty_of(generation, defaults))
    return Decoding(most, generation.min_new_tokens, defaults.stop_ids, sampling)


def effective(generation: Generation, defaults: GenerationDefaults) -> dict[str, Any]:
    """Every decoding setting as it is used, but for the seed, which is a request's own."""
    used = asdict(generation) | {
        "repetition_penalty": penalty_of(generation, defaults),
        "max_new_tokens": longest(generation, defaults),
    }
    del used["seed"]
    return used | {"stop": list(generation.stop), "stop_ids": list(defaults.stop_ids)}


class Cut(NamedTuple):
    text: str
    stopped: bool


def before_stop(text: str, stop: Sequence[str]) -> Cut:
    """The text before the first of the stop strings."""
    places = [place for mark in stop if mark and (place := text.find(mark)) >= 0]
    return Cut(text[: min(places)], True) if places else Cut(text, False)


class TextFeed:
    """Tokens in, answer text out as soon as nothing that follows can change it. Each token is looked at once."""

    def __init__(self, tokenizer: VitaTokenizer, stop: Sequence[str] = ()) -> None:
        self._tokenizer, self._stop = tokenizer, stop
        self._bytes = codecs.getincrementaldecoder("utf-8")("replace")
        self._held = ""  # may be the start of a stop string
        self._given: list[str] = []
        self.n_tokens = 0
        self.stopped = False
        """A stop string has come; what follows is left out."""

    @property
    def raw(self) -> str:
        """All that was given out, and the state mark."""
        return "".join(self._given)

    @property
    def text(self) -> str:
        """The answer so far: all that was given out."""
        return strip_state(self.raw)

    def add(self, ids: Sequence[int], final: bool = False) -> str:
        """The text that the tokens add. Half a character, or what may be a stop string's start, waits."""
        self.n_tokens += len(ids)
        if self.stopped:
            return ""
        text = self._held + self._bytes.decode(b"".join(map(self._tokenizer.bytes_of, ids)), final)
        text, self.stopped = before_stop(text, self._stop)
        waiting = 0
        if not (final or self.stopped):
            waiting = max((_overlap(text, mark) for mark in self._stop), default=0)
        new, self._held = text[: len(text) - waiting], text[len(text) - waiting :]
        first = not self._given
        if new:
            self._given.append(new)
        return strip_state(new) if first else new


def _overlap(text: str, mark: str) -> int:
    """How many of the last characters of `text` begin `mark`."""
    return next((n for n in range(len(mark) - 1, 0, -1) if text.endswith(mark[:n])), 0)
