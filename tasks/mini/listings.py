"""The ways in which the benchmarks on pictures and on clips put a question with its options, for training."""

from __future__ import annotations

import random
from collections.abc import Sequence

from tasks.mini.asks import LETTERS
from tasks.prompts import vita_choice, vlmevalkit_choice
from tasks.video import mvbench, prompts

PLAIN_WORDING = 1 / 3
"""The share of questions on pictures in VLMEvalKit's wording; the others are in VITA's."""


def on_picture(question: str, options: Sequence[str], rng: random.Random) -> str:
    lettered = dict(zip(LETTERS, options, strict=False))
    return (vlmevalkit_choice if rng.random() < PLAIN_WORDING else vita_choice)(question, lettered)


def on_clip(question: str, options: Sequence[str], rng: random.Random) -> str:
    """As MVBench and Video-MME put it."""
    if rng.random() < 0.5:
        return mvbench.best_option({"question": question, "candidates": list(options)})
    lines = [f"{letter}. {text}" for letter, text in zip(LETTERS, options, strict=False)]
    return prompts.vita({"question": question, "options": lines}, False)
