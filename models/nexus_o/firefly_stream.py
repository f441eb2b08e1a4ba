"""Speech while its codes are still being made: FireFly chunk by chunk, with no sample other than in one go.

Each layer keeps the inputs that its next output needs, so that a chunk costs its own samples and nothing is computed
twice, however long the stream and however small the chunks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import torch
from torch import Tensor

from models.nexus_o.firefly import Firefly
from models.nexus_o.firefly_layers import History


class FireflyStream:
    """One stream, or a batch of streams that go on together."""

    def __init__(self, codec: Firefly) -> None:
        self._codec = codec
        self._history = History()
        self._rows: int | None = None

    @torch.no_grad()
    def push(self, codes: Tensor) -> Tensor:
        """The next codes [B, streams, T] -> their samples [B, 1, n].

        Raises ValueError as `Firefly.decode`, and on another B than before; the stream can then go on without them.
        """
        if self._rows not in (None, len(codes)):
            raise ValueError(f"codes of {len(codes)} rows in a stream of {self._rows}: start another stream for them")
        waves = self._codec.decode_next(codes, self._history)
        self._rows = len(codes)
        return waves

    @property
    def remembered(self) -> int:
        """Numbers kept between chunks; the same after every chunk."""
        return self._history.size


def stream_waves(codec: Firefly, chunks: Iterable[Tensor]) -> Iterator[Tensor]:
    """Chunks of codes [B, streams, T] -> the samples [B, 1, n] of each as it comes."""
    stream = FireflyStream(codec)
    for codes in chunks:
        yield stream.push(codes)
