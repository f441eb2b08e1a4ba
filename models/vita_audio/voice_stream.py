"""The sound of an answer that is still being made: codes and segment ends in, pieces of a wave out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from models.vita_audio.chunks import Chunk, Clean, Event, Policy, Progress, after, new_samples
from models.vita_audio.continuation import Continuation
from models.vita_audio.flow import SEED
from models.vita_audio.voice import Voice


class WavePiece(NamedTuple):
    """Samples to play, float32 [n] at 22 050 Hz on the CPU, and the codes that were decoded for them first."""

    samples: Tensor
    codes: list[int]


class VoiceStream:
    """One answer. `policy` says when to decode what; every call gives the piece that it makes ready, if any.

    The pieces of `Clean` make up 256 samples for each mel frame of the answer's codes. Their chance comes from one
    generator of seed 42, that of the pieces of `Released` from one for each decode, as in the release; its demo then
    scales each piece to its own peak, which is left out here.
    """

    def __init__(self, voice: Voice, policy: Policy | None = None) -> None:
        self._voice = voice
        self._policy = Clean() if policy is None else policy
        self._going_on = Continuation(voice, torch.Generator().manual_seed(SEED))
        self._progress = Progress()
        self._codes: list[int] = []
        self._over = False

    def code(self, code: int) -> WavePiece | None:
        """A code came. Raises ValueError if it is out of range, or the answer is over."""
        self._voice.flow.check(torch.tensor([[code]]))
        self._codes.append(code)
        return self._event("code")

    def end_segment(self) -> WavePiece | None:
        """`<|end_of_audio|>` came; an empty segment leads to nothing. Raises ValueError if the answer is over."""
        return self._event("end")

    def finish(self) -> WavePiece | None:
        """The answer is over: what is left of it; None without codes. Raises ValueError the second time."""
        piece = self._event("finish")
        self._over = True
        if not self._policy.goes_on:
            return piece
        samples, codes = ([piece.samples], piece.codes) if piece else ([], [])
        samples.append(self._going_on.rest().cpu())
        whole = torch.cat(samples)
        return WavePiece(whole, codes) if len(whole) else None

    def _event(self, event: Event) -> WavePiece | None:
        if self._over:
            raise ValueError("the answer is over: begin another VoiceStream for the next one")
        self._progress, chunk = after(self._policy, self._progress, event)
        return None if chunk is None else self._piece(chunk)

    def _piece(self, chunk: Chunk) -> WavePiece:
        codes, new = self._codes[chunk.first : chunk.end], self._codes[chunk.sent : chunk.end]
        if self._policy.goes_on:
            return WavePiece(self._going_on.window(codes, chunk).cpu(), new)
        (wave,) = self._voice.speak([codes], chunk.steps)
        start, end = new_samples(chunk, self._voice.flow.frames)
        return WavePiece(wave[start:end], new)


def streamed(voice: Voice, segments: Sequence[Sequence[int]], policy: Policy | None = None) -> Iterator[WavePiece]:
    """The pieces of a finished answer from the codes of its segments: what a stream of it gives.

    Raises ValueError if no segment has a code, or one is out of range.
    """
    if not any(segments):
        raise ValueError("no speech code in any segment: expected at least one; an answer without has no speech")
    stream = VoiceStream(voice, policy)
    for segment in segments:
        pieces = [stream.code(code) for code in segment]
        yield from (piece for piece in (*pieces, stream.end_segment()) if piece is not None)
    last = stream.finish()
    if last is not None:
        yield last
