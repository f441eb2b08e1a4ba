"""Prompt texts of the image benchmarks, one builder per public evaluation, as functions of the row.

The wording decides the score, so each wording is a named preset that a run records. Taken over as facts
from VLMEvalKit's VITA adapter (`vita`), lmms-eval 0.7.3 (`lmms_eval`) and VLMEvalKit's default
(`vlmevalkit`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

SHORT_ANSWER = "Answer the question using a single word or phrase."
YES_OR_NO = " Please answer yes or no."

# VITA-1.5 in VLMEvalKit: images stand before the text, and are cut into at most this many tiles.
VITA_IMAGES_FIRST = True
VITA_MAX_TILES = 6


def _mme_vita(row: Mapping[str, Any]) -> str:
    return f"{row['question']} {SHORT_ANSWER}"


def _mme_lmms_eval(row: Mapping[str, Any]) -> str:
    question = str(row["question"]).strip().replace(YES_OR_NO, "")
    return f"{question}\n{SHORT_ANSWER}"


def _mme_vlmevalkit(row: Mapping[str, Any]) -> str:
    return str(row["question"])


MME_PROMPTS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "vita": _mme_vita,
    "lmms_eval": _mme_lmms_eval,
    "vlmevalkit": _mme_vlmevalkit,
}
