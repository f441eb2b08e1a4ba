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
        self.ids: list[int] = []
        """The tokens that count: up to the one that ends a stop string."""
        self.stopped = False
        """A stop string has come; what follows is left out."""

    @property
    def n_tokens(self) -> int:
        return len(self.ids)

    @property
    def raw(self) -> str:
        """All that was given out, and the mark."""
        return "".join(self._given)

    @property
    def text(self) -> str:
        """The answer so far, without the mark."""
        return self._strip(self.raw)

    def add(self, ids: Sequence[int], final: bool = False) -> str:
        """The text that the tokens add. Half a character, or what may be a stop string's start, waits.

        Tokens behind the one that ends a stop string are left out and not counted, however the tokens come.
        """
        new: list[str] = []
        for token in ids:
            if self.stopped:
                break
            self.ids.append(token)
            new.append(self._read(self._tokenizer.bytes_of(token), False))
        if final and not self.stopped:
            new.append(self._read(b"", True))
        return "".join(new)

    def _read(self, more: bytes, final: bool) -> str:
        text = self._held + self._bytes.decode(more, final)
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
