"""A request's decoding settings as transformers takes them.

What the checkpoint's generation_config.json states stays as it is, but for what a request says: length, sampling and
penalty; beams are not searched. A sampled answer follows its own seed, whoever stands beside it: tokens are drawn by
the harness's own rule (`models.sampling`) from numbers of the row's own.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from harness.types import Generation
from models.generation import GenerationDefaults, decoding_of
from models.sampling import Decoding, sample
from models.text.feed import before_stop

SHOWN = 1_000
"""Longest value of a generation_config that is repeated in a manifest."""


def settings(stated: Any, generation: Generation, defaults: GenerationDefaults, pad: int) -> Any:
    """The GenerationConfig of a batch, made of what the checkpoint states."""
    how = decoding_of(generation, defaults)
    found = copy.deepcopy(stated)
    found.do_sample, found.num_beams, found.num_return_sequences = False, 1, 1
    found.temperature = found.top_k = found.top_p = None
    found.max_length = found.min_length = None
    found.max_new_tokens, found.min_new_tokens = how.max_new_tokens, how.min_new_tokens or None
    found.repetition_penalty = how.sampling.repetition_penalty
    found.pad_token_id = pad
    if found.eos_token_id is None:
        found.eos_token_id = list(defaults.stop_ids) or None
    return found


def told(stated: Any) -> dict[str, Any]:
    """What a checkpoint states of decoding, as JSON; what is long is left out."""
    content = stated.to_diff_dict() if stated is not None else {}
    return {
        name: value for name, value in content.items() if len(repr(value)) <= SHOWN and name != "transformers_version"
    }


class Draw:
    """A logits processor that leaves one token a row: the one drawn by the row's own numbers."""

    def __init__(self, seeds: Sequence[int], how: Decoding) -> None:
        rows = [torch.rand(how.max_new_tokens, generator=torch.Generator().manual_seed(seed)) for seed in seeds]
        self._uniforms, self._how, self._step = torch.stack(rows), how, 0

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        uniforms = self._uniforms[:, self._step : self._step + 1].to(scores.device)
        self._step += 1
        chosen = sample(scores.float(), uniforms, self._how.sampling)
        return torch.full_like(scores, -torch.inf).scatter_(1, chosen, 0)


class Watch:
    """A stopping criterion: the rows in which a stop string has come are over. Notes when the first token came."""

    def __init__(self, prompt: int, stop: Sequence[str], text: Callable[[Sequence[int]], str]) -> None:
        self._prompt, self._stop, self._text = prompt, [mark for mark in stop if mark], text
        self.first: float | None = None

    def __call__(self, input_ids: Tensor, scores: Any, **_: Any) -> Tensor:
        if self.first is None:
            if input_ids.is_cuda:
                torch.cuda.synchronize(input_ids.device)
            self.first = time.monotonic()
        over = [False] * len(input_ids)
        if self._stop:
            over = [before_stop(self._text(row), self._stop).stopped for row in input_ids[:, self._prompt :].tolist()]
        return torch.tensor(over, device=input_ids.device)


def processors(seeds: Sequence[int], generation: Generation, defaults: GenerationDefaults) -> list[Any]:
    """What is done to the logits besides what the library does by the settings."""
    how = decoding_of(generation, defaults)
    return [Draw(seeds, how)] if how.sampling.temperature > 0 else []
