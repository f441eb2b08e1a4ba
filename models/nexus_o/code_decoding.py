"""The decode loop for speech codes: rows that end leave, waiting utterances take their places.

A greedy utterance in float32 has the same codes alone, beside any others, and whoever comes and goes; so has a drawn
one, which follows its own seed. One read of the host a step, or every eighth on an accelerator, says which rows ended.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

import torch
from torch import Tensor

from models.decoding import READ_EVERY_ON_DEVICE, Finish
from models.nexus_o.audio_decoder import AudioDecoder
from models.nexus_o.code_rows import CodeDecoding, CodeRows, Utterance


class CodePiece(NamedTuple):
    """New whole frames of one utterance, codes [streams, n] on the device; none only where it ends."""

    row: int  # number of the utterance, in the order in which they were given
    codes: Tensor
    time: float  # time.monotonic() when they were read
    finish: Finish | None  # set on the utterance's last piece


@dataclass
class Progress:
    """What the host knows of a row. `taken` is ahead of the device where an end has not been read yet."""

    number: int
    taken: int = 0
    sent: int = 0
    over: bool = False

    def piece(self, table: CodeRows, place: int, limit: int) -> CodePiece | None:
        """The frames that have become whole in the row at `place` since the last call, once its limit was read."""
        whole = min(limit, max(0, self.taken - table.streams + 1))
        if self.over or (whole == self.sent and whole < limit):
            return None
        self.over = whole == limit
        codes, self.sent = table.frames(place, self.sent, whole), whole
        finish: Finish | None = ("length" if limit == table.most else "stop") if self.over else None
        return CodePiece(self.number, codes, time.monotonic(), finish)


class CodeDecode:
    """Iterating decodes the utterances, at most `rows` side by side, and yields frames as they become whole.

    The first one is whole after as many steps as there are streams, then each step makes one.
    """

    def __init__(
        self,
        decoder: AudioDecoder,
        utterances: Iterable[Utterance],
        rows: int,
        decoding: CodeDecoding,
        read_every: int | None = None,
        graphs: bool = True,
    ) -> None:
        if rows < 1:
            raise ValueError(f"{rows} rows: there must be at least one")
        self._decoder, self._waiting, self._capacity, self._decoding = decoder, iter(utterances), rows, decoding
        self._every = read_every or (1 if decoder.device.type == "cpu" else READ_EVERY_ON_DEVICE)
        self._graphs = graphs
        self._rows: list[Progress] = []
        self._given = 0

    @torch.inference_mode()
    def __iter__(self) -> Iterator[CodePiece]:
        first = list(islice(self._waiting, self._capacity))
        if not first:
            return
        table = CodeRows(self._decoder, len(first), self._decoding, self._graphs)
        self._join(table, first)
        while self._rows:
            for _ in range(self._every):
                table.step([row.taken for row in self._rows])
                for row in self._rows:
                    row.taken = min(row.taken + 1, table.steps)
            yield from self._read(table)
            self._join(table, list(islice(self._waiting, sum(row.over for row in self._rows))))
            self._close_up(table)

    def end(self, number: int) -> None:
        """Decode an utterance no further; nothing more is yielded of it."""
        for row in self._rows:
            row.over |= row.number == number

    def _join(self, table: CodeRows, utterances: Sequence[Utterance]) -> None:
        places = [place for place, row in enumerate(self._rows) if row.over]
        places += range(len(self._rows), len(self._rows) + len(utterances) - len(places))
        for place, utterance in zip(places, utterances, strict=False):
            table.join(utterance, place)
            self._rows[place : place + 1] = [Progress(self._given)]
            self._given += 1

    def _read(self, table: CodeRows) -> Iterator[CodePiece]:
        limits = table.limit[: len(self._rows)].tolist()
        for place, (row, limit) in enumerate(zip(self._rows, limits, strict=True)):
            piece = row.piece(table, place, limit)
            if piece is not None:
                yield piece

    def _close_up(self, table: CodeRows) -> None:
        """Let the rows that go on stand first and drop the others. On an accelerator, where each number of rows is a
        graph of its own, only when half of them are over."""
        going = sum(not row.over for row in self._rows)
        if going and table.device.type != "cpu" and 2 * going > len(self._rows):
            return
        for target in range(going):
            if self._rows[target].over:
                source = next(place for place in range(going, len(self._rows)) if not self._rows[place].over)
                table.move(source, target)
                self._rows[target], self._rows[source] = self._rows[source], self._rows[target]
        del self._rows[going:]


class Codes(NamedTuple):
    """All codes of one utterance [streams, T], when the first frame and the last were whole, and why it ended."""

    codes: Tensor
    first: float  # time.monotonic()
    end: float
    finish: Finish


def decode_codes(
    decoder: AudioDecoder,
    utterances: Sequence[Utterance],
    decoding: CodeDecoding,
    rows: int | None = None,
    read_every: int | None = None,
    graphs: bool = True,
) -> list[Codes]:
    """The codes of each utterance, `rows` of them side by side, by default all."""
    pieces: list[list[CodePiece]] = [[] for _ in utterances]
    for piece in CodeDecode(decoder, utterances, rows or max(len(utterances), 1), decoding, read_every, graphs):
        pieces[piece.row].append(piece)
    return [
        Codes(torch.cat([one.codes for one in some], dim=1), some[0].time, some[-1].time, some[-1].finish or "length")
        for some in pieces
    ]
