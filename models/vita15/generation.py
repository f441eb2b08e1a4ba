"""How a request's decoding settings reach the decode loop."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from harness.types import Generation
from models.decoding import Sampling, ShouldStop
from models.vita15.tokenizer import VitaTokenizer


class Cut(NamedTuple):
    text: str
    stopped: bool


def before_stop(text: str, stop: Sequence[str]) -> Cut:
    """The text before the first of the stop strings."""
    places = [place for mark in stop if (place := text.find(mark)) >= 0]
    return Cut(text[: min(places)], True) if places else Cut(text, False)


def stop_check(tokenizer: VitaTokenizer, stop: Sequence[str]) -> ShouldStop | None:
    """Whether a row's text holds a stop string; None where there is none to look for."""
    if not stop:
        return None
    return lambda _, ids: before_stop(tokenizer.decode(ids), stop).stopped


def sampling_of(generation: Generation, default_penalty: float) -> Sampling:
    """A request's settings; a penalty that the checkpoint states holds where the request leaves it at 1,
    as it does in the reference implementation, under greedy decoding too."""
    penalty = generation.repetition_penalty if generation.repetition_penalty != 1.0 else default_penalty
    return Sampling(generation.temperature, generation.top_k, generation.top_p, penalty)
