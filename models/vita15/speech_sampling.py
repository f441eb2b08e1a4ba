"""Drawing one codec id from the AR decoder's logits."""

from __future__ import annotations

import torch
from torch import Tensor

from models.vita15.speech_config import Sampling, SpeechDecoderConfig


def pick_code(
    logits: Tensor,
    past: Tensor,
    sampling: Sampling,
    config: SpeechDecoderConfig,
    generator: torch.Generator | None = None,
) -> Tensor:
    """One id (scalar) from logits [vocabulary], given SOS and the ids drawn so far [1 + t].

    The draw is made over the full table, so that it uses random numbers in the order of the reference.
    """
    logits = logits.float()
    if sampling.penalty_window > 0:
        logits = _penalised(logits, past[-sampling.penalty_window :], sampling)
    if sampling.restrict_to_codec:
        logits = logits.clone()
        logits[config.codes : config.eos] = -torch.inf  # BOS, SOS
        logits[config.pad] = -torch.inf
    if sampling.top_k == 1:
        return logits.argmax()
    best, ids = (logits / sampling.temperature).topk(min(sampling.top_k, logits.numel()))
    probabilities = torch.zeros_like(logits).scatter(0, ids, best.softmax(0))
    return torch.multinomial(probabilities, 1, generator=generator)[0]


def _penalised(logits: Tensor, window: Tensor, sampling: Sampling) -> Tensor:
    counts = torch.zeros_like(logits).scatter_add(0, window, torch.ones_like(window, dtype=logits.dtype))
    if not sampling.restrict_to_codec:
        return logits / sampling.penalty**counts
    lowered = torch.where(logits > 0, logits / sampling.penalty, logits * sampling.penalty)
    return torch.where(counts > 0, lowered, logits)
