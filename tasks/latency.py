"""Latency: how long until a model's first token, its first sound and its end, one request at a time.

Time zero is when the whole request is handed to the model. `latency_fixed` asks for a fixed number of new tokens
after a prompt of a fixed length; `latency_spoken` answers recorded speech with speech. Models stamp the moments
after the device has finished. Samples that failed have no latency and are counted as failed; the first few requests
only warm up. Definitions follow the field's (TTFT, TTFA, RTF = wall seconds for each second of speech); the steady RTF
leaves out what came before the first sound, which is undefined where all speech is in one piece.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from harness.contracts import DataChoice
from harness.needs import Need
from harness.task import Preset, Quantile, Row, RowSource, Task
from harness.types import Answer, Doc, Generation, Message, Score, Text, Timings
from tasks import vita_audio
from tasks.prompts import audio_alone
from tasks.speech.librispeech import TEST_CLEAN

REQUESTS = 50
WARM_UP = 3
PREFILL_TOKENS = 512
NEW_TOKENS = 64
MIN_SPOKEN_TOKENS = 16
"""A spoken answer is not ended before this many tokens: an empty one has no first sound to time."""

PROFILES = ("wall",)

_TEXT_MOMENTS = ("encode", "ttft", "total")
_MOMENTS = ("encode", "ttft", "first_audio_token", "ttfa", "total")
_HEADLINE = ("ttft", "ttfa")
_QUANTILES = {"p50": 0.5, "p95": 0.95, "max": 1.0}


@dataclass(frozen=True, slots=True)
class Repeated:
    """The same prompt over and over: `words` short words, about as many tokens."""

    words: int
    times: int

    def rows(self, data: DataChoice) -> Iterator[Row]:
        for i in range(self.times):
            yield {"sample_id": f"fixed-{i:03}", "words": self.words}

    def fingerprint(self, data: DataChoice) -> Mapping[str, Any]:
        return {"source": "generated", "rows": self.times, "words": self.words}

    @property
    def published(self) -> int | None:
        return None

    def strays(self, data: DataChoice) -> Sequence[str]:
        return ()


@dataclass(frozen=True, slots=True)
class First:
    """The first rows of another source."""

    source: RowSource
    count: int

    def rows(self, data: DataChoice) -> Iterable[Row]:
        return islice(self.source.rows(data), self.count)

    def needs(self) -> Sequence[Need]:
        return tuple(getattr(self.source, "needs", tuple)())

    def fingerprint(self, data: DataChoice) -> Mapping[str, Any]:
        return {**self.source.fingerprint(data), "first": self.count}

    @property
    def published(self) -> int | None:
        return None

    def strays(self, data: DataChoice) -> Sequence[str]:
        return ()


def measured(doc: Doc, answer: Answer, profile: str) -> Score:
    """An answer's latencies in milliseconds as parts; an answer without timings is not scored."""
    if profile not in PROFILES:
        raise ValueError(f"no latency profile {profile!r}; there is {', '.join(PROFILES)}")
    if answer.text is None or (answer.spoken and answer.speech is None):
        return Score("total_ms", None, status="failed", reason="no answer" if answer.text is None else "no speech")
    if answer.timings is None:
        return Score("total_ms", None, status="unscored", reason="the model reports no timings")
    parts = latencies(answer.timings, answer.usage.new_tokens)
    return Score("total_ms", parts["total_ms"], parts)


def latencies(timings: Timings, new_tokens: int) -> dict[str, float]:
    """Every latency that the timings define: milliseconds, seconds of speech, factors, tokens a second."""
    wall = timings.end - timings.start
    found: dict[str, float | None] = {
        "encode_ms": _ms(timings.start, timings.encoded),
        "ttft_ms": _ms(timings.start, timings.first_token),
        "first_audio_token_ms": _ms(timings.start, timings.first_audio_token),
        "ttfa_ms": _ms(timings.start, timings.first_audio),
        "total_ms": 1000 * wall,
        "audio_s": timings.audio_s or None,
        "rtf": timings.rtf,
        "rtf_steady": _steady(timings),
        "tokens_per_s": new_tokens / wall if new_tokens and wall > 0 else None,
        "underruns": timings.underruns,
    }
    return {name: float(value) for name, value in found.items() if value is not None}


def _ms(start: float, moment: float | None) -> float | None:
    return None if moment is None else 1000 * (moment - start)


def _steady(timings: Timings) -> float | None:
    if timings.first_audio is None or not timings.audio_s or timings.first_chunk_s is None:
        return None
    rest = timings.audio_s - timings.first_chunk_s
    return (timings.end - timings.first_audio) / rest if rest > 0 else None


def _quantiles(speech: bool) -> tuple[Quantile, ...]:
    """The metrics of answers in text, and of speech where there is some."""
    moments = [
        Quantile(f"{moment}_{label}_ms", "ms", f"{moment}_ms", q, headline=moment in _HEADLINE and label != "max")
        for moment in (_MOMENTS if speech else _TEXT_MOMENTS)
        for label, q in _QUANTILES.items()
    ]
    factors = [
        Quantile(f"{part}_{label}", unit, part, q, higher_is_better=part == "tokens_per_s", headline=label == "p50")
        for part, unit in (*((("rtf", ""), ("rtf_steady", "")) if speech else ()), ("tokens_per_s", "tokens/s"))
        for label, q in _QUANTILES.items()
    ]
    if not speech:
        return (*moments, *factors)
    others = [Quantile("audio_p50_s", "s", "audio_s", 0.5), Quantile("underruns_max", "", "underruns", 1.0)]
    return (*moments, *factors, *others)


def _doc(row: Row) -> Doc:
    return {name: value for name, value in row.items() if name not in ("sample_id", "audio", "error")}


def _words(row: Row) -> Sequence[Message]:
    return (Message("user", (Text(" ".join(["go"] * row["words"])),)),)


_SPOKEN = Generation(max_new_tokens=NEW_TOKENS, min_new_tokens=MIN_SPOKEN_TOKENS)

FIXED = Task(
    name="latency_fixed",
    version="2",
    inputs=frozenset({"text"}),
    source=Repeated(PREFILL_TOKENS, REQUESTS),
    doc=_doc,
    presets={"words": Preset(_words, Generation(max_new_tokens=NEW_TOKENS, min_new_tokens=NEW_TOKENS))},
    default_preset="words",
    scorer=measured,
    metrics=_quantiles(speech=False),
    profiles=PROFILES,
    default_profile="wall",
    max_batch=1,
    warm_up=WARM_UP,
    citation="definitions of TTFT and RTF as in the field",
    licence="none needed: the prompt is generated",
)

SPOKEN = Task(
    name="latency_spoken",
    version="2",
    inputs=frozenset({"audio"}),
    outputs=("text", "speech"),
    source=First(TEST_CLEAN.source, REQUESTS),
    doc=_doc,
    presets={
        "audio alone": Preset(audio_alone, _SPOKEN),
        "vita_audio": vita_audio.conversation(_SPOKEN),
    },
    default_preset="audio alone",
    scorer=measured,
    metrics=_quantiles(speech=True),
    profiles=PROFILES,
    default_profile="wall",
    max_batch=1,
    warm_up=WARM_UP,
    citation=TEST_CLEAN.citation,
    licence=TEST_CLEAN.licence,
)
