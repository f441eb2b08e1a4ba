"""One answer as it is made, in chunks, and the response that they make up."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from harness.types import Chunk, Ready, Response, Timings, Usage, Waveform
from models.text.feed import TextFeed


@dataclass
class Moments:
    """Seconds since the request was handed over."""

    encoded: float | None = None
    first_token: float | None = None
    first_audio: float | None = None


class AnswerStream(Iterator[Chunk], ABC):
    """The chunks of one answer; `response()` is what they make up, once they are exhausted.

    A model's own stream makes them in `_run`, marks `_moments` and `_truncated` as it goes, and says in `response`
    how many tokens that took.
    """

    def __init__(self, ready: Ready, feed: TextFeed) -> None:
        self._start = time.monotonic() - ready.prepare_s
        self._ready, self._feed = ready, feed
        self._moments = Moments()
        self._truncated = False
        self._made: list[Chunk] = []
        self._chunks = self._run()

    def __next__(self) -> Chunk:
        with torch.inference_mode():  # entered for each piece: a generator must not hold it while it is paused
            chunk = next(self._chunks)
        self._made.append(chunk)
        return chunk

    @abstractmethod
    def response(self) -> Response:
        """All that came so far as one answer."""

    @abstractmethod
    def _run(self) -> Iterator[Chunk]:
        """The chunks; begun when the first one is asked for."""

    def _sound(self, samples: npt.NDArray[np.float32], rate: int) -> Chunk:
        """A piece of speech, float32 [n], as a chunk of now."""
        if self._moments.first_audio is None:
            self._moments.first_audio = self._now()
        return Chunk(self._now(), speech=Waveform(samples, rate))

    def _joined(self, usage: Usage, first_code: float | None) -> Response:
        """The chunks as one response; `first_code` is time.monotonic() when the first code of speech was drawn."""
        pieces = [chunk for chunk in self._made if chunk.speech is not None]
        speech, moments = joined(pieces), self._moments
        timings = Timings(
            end=self._made[-1].at if self._made else self._now(),
            encoded=moments.encoded,
            first_token=moments.first_token,
            first_audio_token=None if first_code is None else first_code - self._start,
            first_audio=moments.first_audio,
            audio_s=None if speech is None else speech.seconds,
            first_chunk_s=pieces[0].speech.seconds if pieces and pieces[0].speech else None,
            underruns=underruns(pieces) if pieces else None,
        )
        raw, text = self._feed.raw, self._feed.text
        return Response(
            text,
            speech,
            timings,
            usage,
            raw_text=raw if raw != text else None,
            truncated=self._truncated,
        )

    def _now(self) -> float:
        return time.monotonic() - self._start


def underruns(pieces: Sequence[Chunk]) -> int:
    """How many pieces came after all before them had been played, playing from the first one's arrival."""
    late, played_until = 0, float("inf")
    for piece in pieces:
        if piece.speech is None:
            continue
        late += piece.at > played_until
        begins = piece.at if played_until == float("inf") else max(piece.at, played_until)
        played_until = begins + piece.speech.seconds
    return late


def joined(pieces: Sequence[Chunk]) -> Waveform | None:
    """The speech of pieces of one rate, one after the other."""
    waves = [piece.speech for piece in pieces if piece.speech is not None]
    return Waveform(np.concatenate([wave.samples for wave in waves]), waves[0].rate) if waves else None
