"""How the next token is chosen.

Randomness comes from uniform numbers that are drawn before the loop, a table a row, so that a sampled answer does not
depend on what is decoded beside it.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Sampling:
    """Temperature 0 is greedy.

    The repetition penalty divides the positive logits of tokens that the row has generated before and
    multiplies the negative ones, each once (prompts given as embeddings have no tokens to penalise).
    """

    temperature: float = 0.0
    top_k: int | None = None
    top_p: float | None = None
    repetition_penalty: float = 1.0

    def __post_init__(self) -> None:
        if not self.temperature >= 0 or not self.repetition_penalty > 0:
            raise ValueError(f"{self}: temperature must be at least 0 and repetition_penalty above 0")
        if (self.top_k is not None and self.top_k < 1) or (self.top_p is not None and not 0 < self.top_p <= 1):
            raise ValueError(f"{self}: top_k must be at least 1 and top_p in 0..1")


GREEDY = Sampling()


def penalised(logits: Tensor, seen: Tensor, penalty: float) -> Tensor:
    """Logits [B, V] with those of tokens that are `seen` [B, V] made less likely."""
    return torch.where(seen, torch.where(logits > 0, logits / penalty, logits * penalty), logits)


def sample(logits: Tensor, uniforms: Tensor, sampling: Sampling) -> Tensor:
    """Draw a token a row by inverting the cumulative distribution: [B, V], uniforms [B, 1] in 0..1 -> [B, 1]."""
    probabilities = (logits / sampling.temperature).softmax(-1)
    probabilities, tokens = probabilities.sort(dim=-1, descending=True, stable=True)
    if sampling.top_k is not None:
        probabilities[:, sampling.top_k :] = 0
    if sampling.top_p is not None:
        before = probabilities.cumsum(-1) - probabilities
        probabilities = probabilities.masked_fill(before >= sampling.top_p * probabilities.sum(-1, keepdim=True), 0)
    cumulative = probabilities.cumsum(-1)
    rank = (cumulative <= uniforms * cumulative[:, -1:]).sum(-1, keepdim=True)
    last = (probabilities > 0).sum(-1, keepdim=True) - 1  # rounding must not lead past the last candidate
    return tokens.gather(1, torch.minimum(rank, last))
