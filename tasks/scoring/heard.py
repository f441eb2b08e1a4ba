"""What is heard in an answer's speech, and how far who hears it is to be trusted.

A recogniser's errors are in every score of synthesised speech. Where the benchmark has a recording of what was to be
said, the same recogniser hears that too: its errors there are the floor under which a score says nothing.
"""

from __future__ import annotations

import json
import math
from collections.abc import Generator, Mapping
from typing import TypeVar

from harness.failures import JudgeError
from harness.types import Answer, Ask, Media, Verdict
from tasks.scoring.conventions import Language
from tasks.scoring.error_rate import PairScore, score_pair

Settings = tuple[tuple[str, str], ...]
ONE_WINDOW: Settings = (("window", "30s"),)
"""One window of 30 s in the benchmark's language, as seed-tts-eval hears; what is longer is cut."""
LONG_FORM: Settings = (("window", "long"),)
"""All of it, with time stamps, in the language that the recogniser finds, as VITA-Audio's scripts hear."""
RECOGNISERS: Mapping[Language, str] = {"en": "recogniser-en", "zh": "recogniser-zh"}
SPEAKER = "speaker"

UNHEARD = "the reference recording could not be heard"
UNCOMPARED = "no voices could be compared"

T = TypeVar("T")
Asking = Generator[Ask, Verdict, T]


def transcript(speech: Media, language: Language, how: Settings) -> Asking[str]:
    """What the recogniser of a language hears. Raises `JudgeError` where it fails."""
    settings = (("language", language), *how) if how == ONE_WINDOW else how
    verdict = yield Ask(RECOGNISERS[language], speech, settings)
    return verdict.text


def floor(answer: Answer, text: str, profile: str, language: Language, how: Settings) -> Asking[PairScore | str | None]:
    """The recogniser's errors on the benchmark's own recording of `text`; None where there is none, and why where it
    cannot be heard."""
    recording = answer.recordings.get("reference")
    if recording is None:
        return None
    try:
        heard = yield from transcript(recording, language, how)
    except JudgeError as error:
        if error.failure.kind == "transient":  # it may be heard by a later pass
            raise
        return UNHEARD
    pair = score_pair(profile, language, text, heard)
    return pair if pair.unscored is None and pair.counts.ref_len else None


def similarity(answer: Answer) -> Asking[float | str | None]:
    """The cosine of the speaker embeddings of an answer and of the voice that it was to be spoken in.

    None where no voice was given to the model, or no judge knows voices; why where the two cannot be compared.
    """
    voice = answer.recordings.get("voice")
    if voice is None or SPEAKER not in answer.judged:
        return None
    if answer.speech is None:
        return UNCOMPARED
    try:
        spoken = yield Ask(SPEAKER, answer.speech)
        given = yield Ask(SPEAKER, voice)
    except JudgeError as error:
        if error.failure.kind == "transient":
            raise
        return UNCOMPARED
    alike = cosine(json.loads(spoken.text), json.loads(given.text))
    return alike if math.isfinite(alike) else UNCOMPARED


def cosine(one: list[float], other: list[float]) -> float:
    """
    >>> cosine([1.0, 0.0], [3.0, 0.0])
    1.0
    """
    return sum(a * b for a, b in zip(one, other, strict=True)) / (math.hypot(*one) * math.hypot(*other))
