"""Sound while its codes are still being made: frames are gathered to chunks, which go on where the last one ended.

FireFly looks nowhere ahead, so that the pieces of an utterance joined are its sound in one go, however they are cut.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from models.decoding import Finish
from models.nexus_o.code_decoding import CodeDecode, CodePiece
from models.nexus_o.code_rows import CodeDecoding, Utterance
from models.nexus_o.firefly_stream import FireflyStream
from models.nexus_o.voice import Voice


@dataclass(frozen=True)
class Chunks:
    """Frames of 46 ms that become sound at once: smaller at first, so that sound starts sooner."""

    first: int = 4
    later: int = 20

    def __post_init__(self) -> None:
        if self.first < 1 or self.later < 1:
            raise ValueError(f"{self}: a chunk must have at least one frame")


class WavePiece(NamedTuple):
    """Samples to play, fp32 [n] at `Voice.sample_rate` on the CPU, and their codes [streams, frames]; none only where
    an utterance ends."""

    row: int  # number of the utterance, in the order in which they were given
    samples: Tensor
    codes: Tensor
    finish: Finish | None  # set on the utterance's last piece


class VoiceStream:
    """One utterance: pieces of codes in, pieces of sound out."""

    def __init__(self, voice: Voice, chunks: Chunks | None = None) -> None:
        self._stream, self._chunks = FireflyStream(voice.codec), chunks or Chunks()
        self._device = next(voice.codec.parameters()).device
        self._waiting: list[Tensor] = []
        self._due = self._chunks.first

    def push(self, piece: CodePiece) -> WavePiece | None:
        """The sound that the codes make ready, if any; all that is left where they are the last."""
        self._waiting.append(piece.codes)
        waiting = sum(codes.shape[1] for codes in self._waiting)
        if waiting < self._due and piece.finish is None:
            return None
        codes = torch.cat(self._waiting, dim=1)
        self._waiting, self._due = [], self._chunks.later
        samples = self._stream.push(codes[None].to(self._device))[0, 0].float().cpu() if waiting else torch.zeros(0)
        return WavePiece(piece.row, samples, codes.cpu(), piece.finish)


def streamed(
    voice: Voice,
    utterances: Iterable[Utterance],
    decoding: CodeDecoding,
    rows: int = 1,
    chunks: Chunks | None = None,
) -> Iterator[WavePiece]:
    """Sound of utterances as it becomes ready, `rows` of them side by side."""
    streams: dict[int, VoiceStream] = {}
    for piece in CodeDecode(voice.decoder, utterances, rows, decoding):
        stream = streams.setdefault(piece.row, VoiceStream(voice, chunks))
        sound = stream.push(piece)
        if piece.finish is not None:
            del streams[piece.row]
        if sound is not None:
            yield sound
