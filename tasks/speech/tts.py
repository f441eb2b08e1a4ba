"""What all benchmarks of synthesised speech share: a text to be said, heard again by a recogniser.

Where no speech came, every word is missing. The scripts of Seed-TTS and VITA-Audio leave such a text out, and so do the
profiles that end in `_dropped`, whose n says how many are left. Beside the error rate stand the recogniser's own errors
on the benchmark's recordings of the same texts (`judge_wer`), and, for models that clone a voice, how alike the voices
are.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Any

import numpy as np

from harness.task import Metric, Preset, Ratio, Row, Statistic, Sums, Task
from harness.types import Answer, Ask, Doc, Generation, Media, Message, Score, Text, Verdict
from tasks import nexus_o, vita_audio
from tasks.data import Source, media_part
from tasks.docs import kept
from tasks.prompts import text_of
from tasks.scoring.conventions import Language
from tasks.scoring.dropped import DROPPED, base_of, is_dropped
from tasks.scoring.error_rate import EMPTY, PairScore, score_pair
from tasks.scoring.heard import RECOGNISERS, SPEAKER, Settings, floor, similarity, transcript
from tasks.speech.asr import rate_name

READ_ALOUD = {
    "en": "Read this text aloud, word for word, and say nothing else:\n",
    "zh": "请逐字朗读下面的文字，不要说别的话：\n",
}
PLAIN = Generation(max_new_tokens=512)

Asking = Generator[Ask, Verdict, Score]


def tts_task(
    name: str,
    language: Language,
    source: Source,
    *,
    text: str,
    profiles: Sequence[str],
    how: Settings,
    mean: bool,
    judge: str,
    citation: str,
    licence: str,
    benchmark: str,
    split: str,
    published: Mapping[str, str],
    signatures: Mapping[str, str] | None = None,
    cluster: Callable[[Doc], str | None] | None = None,
) -> Task:
    """A benchmark that has texts in the column `text`; an empty one is asked and not scored.

    Its headline is the mean of the utterances' error rates (`mean`), else the rate of all words together; the other one
    stands beside it.
    """

    def doc_of(row: Row) -> Doc:
        text_of(row, text)
        return kept(row)

    def scorer(doc: Doc, answer: Answer, profile: str) -> Score | Asking:
        if profile not in profiles:
            raise ValueError(f"no profile {profile!r}; there are {', '.join(profiles)}")
        wanted = text_of(doc, text)
        silent = score_pair(base_of(profile), language, wanted, "")
        if silent.unscored is not None or not silent.counts.ref_len:  # no utterance without words has a rate
            return Score(rate, None, status="unscored", reason=silent.unscored or EMPTY)
        if is_dropped(profile, answer):
            return Score(rate, None, status="unscored", reason=DROPPED)
        if answer.text is None:
            return _score(rate, silent, None, {"silent": float(answer.speech is None)})
        return heard(doc, answer, base_of(profile))

    def heard(doc: Doc, answer: Answer, profile: str) -> Asking:
        wanted, said = text_of(doc, text), None
        if answer.speech is not None:
            said = yield from transcript(answer.speech, language, how)
        own = yield from floor(answer, wanted, profile, language, how)
        alike = yield from similarity(answer)
        more = {"silent": float(said is None)} | (_floor_parts(own) if isinstance(own, PairScore) else {})
        if isinstance(alike, float):
            more |= {"similarity": alike, "compared": 1.0}
        told = "; ".join(text for text in (own, alike) if isinstance(text, str))
        return _score(rate, score_pair(profile, language, wanted, said or ""), said, more, told or None)

    rate = rate_name(language)
    return Task(
        name=name,
        version="2",
        inputs=frozenset({"text"}),
        outputs=("speech",),
        more_outputs=("text",),
        source=source,
        doc=doc_of,
        presets={
            "read_aloud": _preset(READ_ALOUD[language], text),
            "vita_audio": vita_audio.synthesis(text),
            "nexus_o": nexus_o.synthesis(text, language),
        },
        default_preset="read_aloud",
        scorer=scorer,
        metrics=metrics(rate, mean),
        profiles=tuple(profiles),
        default_profile=profiles[0],
        recordings=recordings_of,
        signatures=signatures or {},
        judges={RECOGNISERS[language]: judge, SPEAKER: "wavlm-sv"},
        mini_judges={RECOGNISERS[language]: "mini-ctc"},
        benchmark=benchmark,
        split=split,
        published_metrics=published,
        cluster_name="speaker" if cluster else None,
        cluster=cluster or (lambda doc: None),
        citation=citation,
        licence=licence,
    )


def recordings_of(row: Row) -> Mapping[str, Media]:
    """The voice to speak in, and the benchmark's own recording of the text, as far as the row has them."""
    columns = {"voice": "prompt_wav", "reference": "reference_wav"}
    return {name: media_part("audio", row[key]) for name, key in columns.items() if row.get(key) is not None}


def metrics(rate: str, mean: bool) -> tuple[Metric, ...]:
    """Mean over utterances and rate over all units, each beside the recogniser's own; answers without speech."""

    def averaged(name: str, prefix: str, headline: bool) -> Ratio:
        return Ratio(name, "%", False, f"{prefix}rate", f"{prefix}utterances", upper=None, headline=headline)

    def pooled(name: str, prefix: str, headline: bool) -> Ratio:
        return Ratio(name, "%", False, f"{prefix}errors", f"{prefix}units", upper=None, headline=headline)

    first, other, end = (averaged, pooled, "micro") if mean else (pooled, averaged, "mean")
    return (
        first(rate, "", True),
        other(f"{rate}_{end}", "", False),
        first(f"judge_{rate}", "judge_", False),
        other(f"judge_{rate}_{end}", "judge_", False),
        Ratio("no_speech", "%", False, "silent", "utterances"),
        Statistic("sim", "", True, _mean_similarity, over="compared"),
    )


def _mean_similarity(sums: Sums) -> Any:
    return np.asarray(sums["similarity"]) / np.asarray(sums["compared"])


def _score(rate: str, pair: PairScore, heard: str | None, more: Mapping[str, float], told: str | None = None) -> Score:
    counts = pair.counts
    parts = {"errors": counts.errors, "units": counts.ref_len, "rate": counts.rate, "utterances": 1.0}
    return Score(
        rate,
        counts.rate,
        {name: float(value) for name, value in parts.items()} | dict(more),
        extracted=heard,
        reason=told,
        wrong=counts.errors > 0,
        shown=(pair.reference_norm, pair.hypothesis_norm),
    )


def _floor_parts(pair: PairScore) -> dict[str, float]:
    counts = pair.counts
    return {
        "judge_errors": float(counts.errors),
        "judge_units": float(counts.ref_len),
        "judge_rate": counts.rate,
        "judge_utterances": 1.0,
    }


def _preset(prompt: str, column: str) -> Preset:
    def messages(row: Row) -> Sequence[Message]:
        return (Message("user", (Text(prompt + text_of(row, column)),)),)

    return Preset(messages, PLAIN)
