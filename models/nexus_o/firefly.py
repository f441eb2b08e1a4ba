"""FireFly: waves at 44.1 kHz to eight streams of codes at 21.5 frames a second, and back (Fish-Speech 1.4, 1.5).

Nothing is random and nothing looks ahead: the wave of the first codes is the start of the wave of all codes. The
release stores weight-normed convolutions, which are fused at load; modules here hold plain ones.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from models.nexus_o.firefly_backbone import Backbone
from models.nexus_o.firefly_config import FireflyConfig
from models.nexus_o.firefly_head import Head
from models.nexus_o.firefly_layers import History
from models.nexus_o.firefly_mel import log_mel, shortest
from models.nexus_o.firefly_quantizer import Quantizer


class Encoded(NamedTuple):
    """`codes` [B, streams, T] int64 and how many frames of each row are its own, [B]."""

    codes: Tensor
    lengths: Tensor


class Decoded(NamedTuple):
    """`waves` [B, 1, n] fp32 in -1..1, and how many samples of each row are its own, [B]; the rest are 0."""

    waves: Tensor
    lengths: Tensor


class Firefly(nn.Module):
    def __init__(self, config: FireflyConfig) -> None:
        super().__init__()
        self.config = config
        self.backbone = Backbone(config.mel.mels, config.backbone)
        self.quantizer = Quantizer(config)
        self.head = Head(config.width, config.head)

    @torch.no_grad()
    def encode(self, waves: Tensor, lengths: Tensor | None = None) -> Encoded:
        """Waves [B, 1, n] at the codec's rate, of which the first `lengths` [B] samples count.

        A row has as many frames as fit into its samples; what is left over is not encoded. As in the release, the
        spectrogram is of the whole row: where a row is shorter than n, what stands behind its end reaches into its
        last frame, while the end of a full row is mirrored. Raises ValueError naming a fault, as of a row that does
        not fill one frame.
        """
        config = self.config
        if waves.ndim != 3 or waves.shape[1] != 1 or not len(waves):
            raise ValueError(f"waves of shape {list(waves.shape)}: expected [B, 1, n]")
        least = max(config.samples, shortest(config.mel))
        lengths = _lengths(lengths, waves, least, "samples")
        mel = log_mel(waves[:, 0], config.mel)
        frames = lengths // config.mel.hop
        own = _mask(frames, mel.shape[2])
        codes = self.quantizer.encode(self.backbone(mel * own) * own)
        return Encoded(codes, frames // config.mel_frames)

    @torch.no_grad()
    def decode(self, codes: Tensor, lengths: Tensor | None = None) -> Decoded:
        """Codes [B, streams, T], of which the first `lengths` [B] frames count -> `config.samples` a frame.

        Ids behind a row's end must be codes too. Raises ValueError naming a fault: another number of streams, no
        frame, an id that is no code, a length beyond T.
        """
        config = self.config
        features = self.quantizer.decode(codes)
        lengths = _lengths(lengths, codes, 1, "frames")
        waves = self.head(features * _mask(lengths * config.mel_frames, features.shape[2]))
        ends = lengths * config.samples
        return Decoded(waves * _mask(ends, waves.shape[2]), ends)

    def decode_next(self, codes: Tensor, history: History) -> Tensor:
        """Go on with a stream: the next codes [B, streams, T] -> their samples [B, 1, n]. Raises as `decode`."""
        return self.head(self.quantizer.decode(codes, history), history)


def _lengths(lengths: Tensor | None, padded: Tensor, least: int, what: str) -> Tensor:
    """Checked lengths of the rows of `padded` [B, C, n]; without any, all are n."""
    rows, most = len(padded), padded.shape[2]
    if lengths is None:
        lengths = torch.full((rows,), most)
    if lengths.shape != (rows,) or lengths.is_floating_point():
        raise ValueError(f"lengths of shape {list(lengths.shape)}, {lengths.dtype}: expected {rows} whole numbers")
    wrong = ((lengths < least) | (lengths > most)).nonzero()
    if len(wrong):
        row = int(wrong[0])
        raise ValueError(
            f"row {row} has {int(lengths[row])} {what} of {most} given: expected at least {least}, no more than given"
        )
    return lengths.to(padded.device, torch.int64)


def _mask(lengths: Tensor, count: int) -> Tensor:
    """[B] -> [B, 1, count], true where a place is within its row."""
    return (torch.arange(count, device=lengths.device) < lengths[:, None])[:, None]
