"""Pieces of speech as a listener gets them."""

from __future__ import annotations

import numpy as np

from harness.types import Chunk, Waveform
from models.streams import joined, underruns


def test_underruns_are_pieces_that_come_too_late() -> None:
    second = Waveform(np.zeros(24_000, np.float32), 24_000)

    def pieces(*at: float) -> list[Chunk]:
        return [Chunk(moment, speech=second) for moment in at]

    assert underruns(pieces(5.0, 5.5, 6.9)) == 0
    assert underruns(pieces(0.0, 1.5, 2.0)) == 1
    assert underruns(pieces(0.0, 1.5, 3.0)) == 2


def test_speech_joins_in_its_order_and_none_is_none() -> None:
    pieces = [Chunk(0.0, "a"), *(Chunk(1.0, speech=Waveform(np.full(n, n, np.float32), 8000)) for n in (2, 1))]
    found = joined(pieces)
    assert found is not None and found.rate == 8000 and found.samples.tolist() == [2, 2, 1]
    assert joined([Chunk(0.0, "a")]) is None
