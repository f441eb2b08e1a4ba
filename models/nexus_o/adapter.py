"""The audio adapter: five frames of the speech encoder side by side, then linear maps to the language model.

Fact from the paper: the first layer concatenates five consecutive vectors, a second one is an MLP (spec section 1.3);
its width, activation and depth are choices.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch.nn.functional as F
from torch import Tensor, nn

from models.nexus_o.choices import Choices
from models.nexus_o.config import STACK

_ACTIVATIONS: Mapping[str, Callable[[Tensor], Tensor]] = {"gelu": F.gelu, "relu": F.relu, "silu": F.silu}


class AudioAdapter(nn.Module):
    def __init__(self, width: int, language_width: int, choices: Choices) -> None:
        super().__init__()
        inner = choices.adapter_hidden if choices.adapter_layers > 1 else language_width
        self.fc1 = nn.Linear(STACK * width, inner)
        self.fc2 = nn.Linear(inner, language_width) if choices.adapter_layers > 1 else None
        self._act = _ACTIVATIONS[choices.adapter_act]

    def forward(self, frames: Tensor) -> Tensor:
        """[B, L, width] -> [B, ceil(L / 5), language width]; zeros fill up the last group."""
        x = self.fc1(stacked(frames))
        return x if self.fc2 is None else self.fc2(self._act(x))


def stacked(frames: Tensor, size: int = STACK) -> Tensor:
    """[B, L, D] -> [B, ceil(L / size), size * D], the first frame of a group first; zeros fill up the last group."""
    batch, length, width = frames.shape
    return F.pad(frames, (0, 0, 0, -length % size)).reshape(batch, -1, size * width)
