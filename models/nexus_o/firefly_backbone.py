"""FireFly's encoder: ConvNeXt stages over mel frames, at the mel frame rate throughout."""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn

from models.nexus_o.firefly_config import BackboneConfig
from models.nexus_o.firefly_layers import CausalConv, ChannelNorm, ConvNeXtBlock


class Backbone(nn.Module):
    def __init__(self, mels: int, config: BackboneConfig) -> None:
        super().__init__()
        first, kernel = config.widths[0], config.kernel
        stem = nn.Sequential(CausalConv(mels, first, kernel), ChannelNorm(first))
        widening = [
            nn.Sequential(ChannelNorm(before), nn.Conv1d(before, after, 1)) for before, after in pairwise(config.widths)
        ]
        self.downsample_layers = nn.ModuleList([stem, *widening])  # the release's name: nothing is shortened
        self.stages = nn.ModuleList(
            nn.Sequential(*(ConvNeXtBlock(width, kernel) for _ in range(depth)))
            for width, depth in zip(config.widths, config.depths, strict=True)
        )
        self.norm = ChannelNorm(config.widths[-1])

    def forward(self, mel: Tensor) -> Tensor:
        """[B, mels, T] -> [B, width, T]"""
        x = mel
        for widen, stage in zip(self.downsample_layers, self.stages, strict=True):
            x = stage(widen(x))
        return self.norm(x)
