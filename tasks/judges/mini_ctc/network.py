"""The network: two convolutions over log mel energies, then blocks of a wide depthwise convolution and a feed-forward
layer (as ConvNeXt, Liu et al., CVPR 2022, in one dimension), and one class for each 20 ms."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn

from tasks.judges.mini_ctc.features import BANDS


@dataclass(frozen=True)
class Config:
    classes: int
    width: int = 176
    blocks: int = 9
    kernel: int = 13
    expansion: int = 2

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


class Block(nn.Module):
    def __init__(self, config: Config) -> None:
        super().__init__()
        width, inner = config.width, config.width * config.expansion
        self.mix = nn.Conv1d(width, width, config.kernel, padding=config.kernel // 2, groups=width)
        self.norm = nn.LayerNorm(width)
        self.up = nn.Linear(width, inner)
        self.down = nn.Linear(inner, width)
        self.drop = nn.Dropout(0.1)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """`x` [rows, frames, width], `mask` [rows, frames, 1] with 0 where there is no sound."""
        mixed = self.mix((x * mask).transpose(1, 2)).transpose(1, 2)
        inner = nn.functional.gelu(self.up(self.norm(mixed)))
        added: Tensor = x + self.drop(self.down(inner))
        return added


class Network(nn.Module):
    """Half as many frames as it is given, log probabilities of `config.classes`."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.enter = nn.Conv1d(BANDS, config.width, 5, stride=2, padding=2)
        self.place = nn.Conv1d(config.width, config.width, 3, padding=1)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.blocks))
        self.norm = nn.LayerNorm(config.width)
        self.head = nn.Linear(config.width, config.classes)

    def forward(self, features: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Features [rows, frames, BANDS], zero behind each row's `lengths` [rows], to log probabilities
        [rows, frames', classes] and their lengths."""
        lengths = (lengths + 1) // 2
        x = nn.functional.gelu(self.enter(features.transpose(1, 2)))
        mask = (torch.arange(x.shape[2], device=x.device) < lengths[:, None]).unsqueeze(2).to(x.dtype)
        x = nn.functional.gelu(self.place(x * mask.transpose(1, 2))).transpose(1, 2)
        for block in self.blocks:
            x = block(x, mask)
        return self.head(self.norm(x)).log_softmax(2), lengths
