"""How a request's decoding settings reach the decode loop, and what a checkpoint states of them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from harness.types import Generation
from models.decoding import Decoding, Sampling


@dataclass(frozen=True)
class GenerationDefaults:
    """What a checkpoint states: the tokens that end an answer, and a penalty on what was said already."""

    stop_ids: tuple[int, ...]
    repetition_penalty: float = 1.0
    longest: int | None = None
    """Most tokens of an answer, whatever is asked for: random weights seldom end one."""


def penalty_of(generation: Generation, defaults: GenerationDefaults) -> float:
    """The request's repetition penalty; the checkpoint's where the request names none, under greedy decoding too."""
    asked = generation.repetition_penalty
    return defaults.repetition_penalty if asked is None else asked


def longest(generation: Generation, defaults: GenerationDefaults) -> int:
    asked = generation.max_new_tokens
    return asked if defaults.longest is None else min(asked, max(defaults.longest, generation.min_new_tokens))


def decoding_of(generation: Generation, defaults: GenerationDefaults) -> Decoding:
    """What the decode loop is told, on every path."""
    most = longest(generation, defaults)
    sampling = Sampling(generation.temperature, generation.top_k, generation.top_p, penalty_of(generation, defaults))
    return Decoding(most, generation.min_new_tokens, defaults.stop_ids, sampling)


def effective(generation: Generation, defaults: GenerationDefaults) -> dict[str, Any]:
    """Every decoding setting as it is used, but for the seed, which is a request's own."""
    used = asdict(generation) | {
        "repetition_penalty": penalty_of(generation, defaults),
        "max_new_tokens": longest(generation, defaults),
    }
    del used["seed"]
    return used | {"stop": list(generation.stop), "stop_ids": list(defaults.stop_ids)}
