"""Speech codes of an answer whose text is still being made: each step is taken as soon as its state is there.

A step reads the state of the token of its own number, so that speech begins as many tokens into the answer as there
are streams, and no code is another than when all states were there from the start. Only where all steps read the last
state (`last_only`) does everything wait for the end.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from models.nexus_o.audio_decoder import AudioDecoder
from models.nexus_o.code_decoding import CodePiece, Progress
from models.nexus_o.code_rows import CodeDecoding, CodeRows


class LiveCodes:
    """One answer. The pieces of `push` and of `finish` behind them make up what `decode_codes` gives for all states."""

    def __init__(self, decoder: AudioDecoder, decoding: CodeDecoding, seed: int = 0, graphs: bool = True) -> None:
        with torch.inference_mode():
            self._table = CodeRows(decoder, 1, decoding, graphs)
            self._table.begin(0, seed)
        self._waits = decoder.config.schedule == "last_only"
        self._row = Progress(0)
        self._told = 0  # steps that have their state
        self._last: Tensor | None = None
        self._finished = False

    def push(self, hidden: Tensor) -> CodePiece | None:
        """The states of the next tokens [n, language width]: the frames that they make whole, if any.

        Raises ValueError on states of another shape, or once the text is over.
        """
        if self._finished:
            raise ValueError("the text is over: begin another LiveCodes for the next answer")
        if hidden.ndim != 2 or not len(hidden):
            raise ValueError(f"states of shape {list(hidden.shape)}: expected [n, width], at least one state")
        self._last = hidden[-1:]
        if self._waits or self._row.over:
            return None
        with torch.inference_mode():
            first, self._told = self._told, min(self._told + len(hidden), self._table.steps)
            if first < self._told:
                self._table.read(0, hidden, first, self._told)
            return self._advance(self._told)

    def finish(self) -> Iterator[CodePiece]:
        """The text is over: what is left to say, frame by frame. Raises ValueError where there was no state."""
        if self._last is None:
            raise ValueError("no state was given: expected at least one before the end")
        self._finished = True
        with torch.inference_mode():
            if self._told < self._table.steps:  # from the last state on as the schedule says
                self._table.read(0, self._last, max(self._told - 1, 0), self._table.steps)
        while not self._row.over:
            with torch.inference_mode():
                piece = self._advance(self._row.taken + 1)
            if piece is not None:
                yield piece

    def _advance(self, end: int) -> CodePiece | None:
        """Take the steps up to `end`, with one read at the end of them."""
        while self._row.taken < end:
            self._table.step([self._row.taken])
            self._row.taken += 1
        return self._row.piece(self._table, 0, int(self._table.limit[0]))
