"""The text of an answer as its tokens come, up to the first stop string."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Sequence
from typing import NamedTuple

from models.text.tokenizer import QwenTokenizer


class Cut(NamedTuple):
    text: str
    stopped: bool


def before_stop(text: str, stop: Sequence[str]) -> Cut:
    """The text before the first of the stop strings."""
    places = [place for mark in stop if mark and (place := text.find(mark)) >= 0]
    return Cut(text[: min(places)], True) if places else Cut(text, False)


def _as_it_is(text: str) -> str:
    return text


class TextFeed:
    """Tokens in, answer text out as soon as nothing that follows can change it. Each token is looked at once.

    `strip` takes a mark off the start of an answer, such as one that tells what the model took its input for; a mark
    is one character.
    """

    def __init__(
        self, tokenizer: QwenTokenizer, stop: Sequence[str] = (), strip: Callable[[str], str] = _as_it_is
    ) -> None:
        self._tokenizer, self._stop, self._strip = tokenizer, stop, strip
        self._bytes = codecs.getincrementaldecoder("utf-8")("replace")
        self._held = ""  # may be the start of a stop string
        self._given: list[str] = []
        self.n_tokens = 0
        self.stopped = False
        """A stop string has come; what follows is left out."""

    @property
    def raw(self) -> str:
        """All that was given out, and the mark."""
        return "".join(self._given)

    @property
    def text(self) -> str:
        """The answer so far, without the mark."""
        return self._strip(self.raw)

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
        return self._strip(new) if first else new


def _overlap(text: str, mark: str) -> int:
    """How many of the last characters of `text` begin `mark`."""
    return next((n for n in range(len(mark) - 1, 0, -1) if text.endswith(mark[:n])), 0)
