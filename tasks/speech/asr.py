"""What all speech recognition benchmarks share: one utterance in, its transcript out, scored by edit distance.

The numbers are rates over the whole set (sum of errors / sum of reference units). Public scorers normalise
differently, so a rate means nothing without its profile: `qwen2` is what Qwen2-Audio computes and is the default for
English, where it counts words; `kimi` is what Kimi-Audio-Evalkit computes, whose tables the papers quote for
Mandarin, and is the default there: every Chinese character is a unit, a run of Latin letters is one.

An utterance whose reference is empty cannot be scored under most profiles; those that follow scorers which count the
words invented there do so too (`Profile.counts_empty`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

from harness.task import Preset, Ratio, Row, Task
from harness.types import Answer, Doc, Generation, Message, Part, Score, Text
from tasks import nexus_o, vita_audio
from tasks.data import Source, media_part
from tasks.scoring.error_rate import PROFILES, Language, content_of, score_pair

REFERENCE_COLUMNS = ("text", "transcription", "gt", "ref", "reference", "sentence")
"""Columns that public data sets keep transcripts in; read when a saved row lacks the task's own column."""
CONVENTIONS = ("whisper", "qwen2", "lmms_eval", "kimi", "ultraeval", "vita", "open_asr")
"""The profiles of recognition, each for the languages that it has rules for. `vita` has one unit for each language.

VITA-Audio scores Mandarin by `compute-wer` too, where a run of Latin letters is one unit: `vita_wer`, the same as
`vita` in English."""
GENERATION = Generation(max_new_tokens=256)

_QWEN2 = "Detect the language and recognize the speech: "
_KIMI = {"en": "Please transcribe the spoken content into written text.", "zh": "请把这段语音转录成文本。"}
_LMMS_EVAL = "Please recognize the speech and only output the recognized content:"
_ULTRAEVAL = 'listen the audio, output the audio content with format {"content": ""}'


@dataclass(frozen=True, slots=True)
class Clusters:
    """Utterances that depend on each other: the name of what they share, and which of them a row is of."""

    name: str
    of: Callable[[Doc], str | None]


def speaker_of(doc: Doc) -> str | None:
    return None if doc.get("speaker_id") is None else str(doc["speaker_id"])


SPEAKERS = Clusters("speaker", speaker_of)


@dataclass(frozen=True, slots=True)
class Published:
    """The benchmark and its split as the papers' tables name them."""

    benchmark: str
    split: str


def asr_task(
    name: str,
    language: Language,
    source: Source,
    clusters: Clusters,
    *,
    citation: str,
    licence: str,
    published: Published | None = None,
    reference: str = "text",
    clean: Callable[[str], str] = str.strip,
    kimi_prompt: str | None = None,
    lmms_eval_prompt: str = _LMMS_EVAL,
) -> Task:
    """A recognition benchmark: WER for English, CER for Mandarin.

    `reference` is the column with the transcript and `clean` what is done to it before it is normalised. The two
    prompts replace those that the evaluation kits use for most sets. VITA-1.5 was given no instruction with speech
    (its demo sends the audio alone), so the preset "vita" is empty; VITA-Audio's stands before the audio.
    """

    def scorer(doc: Doc, answer: Answer, profile: str) -> Score:
        return score(clean(reference_of(doc, reference)), answer.text, profile, language)

    rate = rate_name(language)
    return Task(
        name=name,
        version="2",
        inputs=frozenset({"audio"}),
        source=source,
        doc=doc_of,
        presets={
            "kimi": _preset(kimi_prompt or _KIMI[language]),
            "qwen2": _preset(f"{_QWEN2}<|{language}|>"),
            "lmms_eval": _preset(lmms_eval_prompt),
            "ultraeval": _preset(_ULTRAEVAL, content_of),
            "vita": _preset(""),
            "vita_audio": vita_audio.recognition(),
            "nexus_o": nexus_o.recognition(),
        },
        default_preset="kimi",
        scorer=scorer,
        reference=lambda doc: clean(reference_of(doc, reference)),
        metrics=metrics(language),
        profiles=profiles_of(language),
        default_profile="qwen2" if language == "en" else "kimi",
        benchmark=published.benchmark if published else None,
        split=published.split if published else "",
        published_metrics={rate: f"{rate.upper()} %"} if published else {},
        cluster_name=clusters.name,
        cluster=clusters.of,
        citation=citation,
        licence=licence,
    )


def profiles_of(language: Language) -> tuple[str, ...]:
    """The profiles that have rules for a language."""
    found = tuple(name for name in CONVENTIONS if language in PROFILES[name].languages)
    return found if language == "en" else (*found, "vita_wer")


def doc_of(row: Row) -> Doc:
    """A row without its audio."""
    return {key: value for key, value in row.items() if key not in ("sample_id", "audio", "error")}


def reference_of(doc: Doc, column: str) -> str:
    """The transcript of a row. Raises ValueError naming the columns that are read when it has none of them."""
    columns = tuple(dict.fromkeys((column, *REFERENCE_COLUMNS)))
    for name in columns:
        if isinstance(doc.get(name), str):
            return cast(str, doc[name])
    raise ValueError(f"the row has no reference: none of the columns {', '.join(columns)} holds a text")


def score(reference: str, answer: str | None, profile: str, language: Language) -> Score:
    """One utterance's errors. No answer deletes the whole reference."""
    name = rate_name(language)
    hypothesis = "" if answer is None else PROFILES[profile].read(answer) if profile in PROFILES else answer
    pair = score_pair(profile, language, reference, hypothesis)
    counts = pair.counts
    if pair.unscored is not None:
        return Score(name, None, status="unscored", reason=pair.unscored)
    parts = {
        "errors": float(counts.errors),
        "units": float(counts.ref_len),
        "sub": float(counts.sub),
        "del": float(counts.del_),
        "ins": float(counts.ins),
        "utterances": 1.0,
        "exact": float(counts.errors == 0),
    }
    return Score(
        name,
        counts.errors / counts.ref_len if counts.ref_len else None,
        parts,
        extracted=answer if answer is None else hypothesis,
        wrong=counts.errors > 0,
        shown=(pair.reference_norm, pair.hypothesis_norm),
    )


def metrics(language: Language) -> Sequence[Ratio]:
    """The error rate (headline), its three kinds of errors, and the share of utterances with any error; in %."""
    return (
        Ratio(rate_name(language), "%", False, "errors", "units", upper=None, headline=True),
        Ratio("sub", "%", False, "sub", "units"),
        Ratio("del", "%", False, "del", "units"),
        Ratio("ins", "%", False, "ins", "units", upper=None),
        Ratio("ser", "%", False, "exact", "utterances", complement=True),
    )


def rate_name(language: Language) -> str:
    return "wer" if language == "en" else "cer"


def _preset(text: str, read: Callable[[str], str] | None = None) -> Preset:
    def messages(row: Row) -> Sequence[Message]:
        parts: tuple[Part, ...] = (media_part("audio", row.get("audio")), *([Text(text)] if text else []))
        return (Message("user", parts),)

    return Preset(messages, GENERATION, read=read)
