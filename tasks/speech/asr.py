"""What all speech recognition benchmarks share: one utterance in, its transcript out, scored by edit distance.

The numbers are rates over the whole set (sum of errors / sum of reference units). Public scorers normalise
differently, so a rate means nothing without its profile: `qwen2` is what Qwen2-Audio and lmms-eval compute and is
the default for English, where it counts words; `kimi` is what Kimi-Audio-Evalkit computes, whose tables the papers
quote for Mandarin, and is the default there: every Chinese character is a unit, a run of Latin letters is one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from harness.contracts import PromptFn, Row, Sums
from harness.types import Doc, Generation, Message, Part, Sample, Score, Text
from tasks.data import Source, media_part
from tasks.scoring.error_rate import PROFILES, Language, score_pair
from tasks.task import Metric, Task, on_text

REFERENCE_COLUMNS = ("text", "transcription", "gt", "ref", "reference", "sentence")
"""Columns that public data sets keep transcripts in; read when a saved row lacks the task's own column."""

_QWEN2 = "Detect the language and recognize the speech: "
_KIMI = {"en": "Please transcribe the spoken content into written text.", "zh": "请把这段语音转录成文本。"}
_LMMS_EVAL = "Please recognize the speech and only output the recognized content:"
_ULTRAEVAL = 'listen the audio, output the audio content with format {"content": ""}'


def asr_task(
    name: str,
    language: Language,
    source: Source,
    *,
    citation: str,
    licence: str,
    reference: str = "text",
    speakers: bool = False,
    clean: Callable[[str], str] = str.strip,
    kimi_prompt: str | None = None,
    lmms_eval_prompt: str = _LMMS_EVAL,
) -> Task:
    """A recognition benchmark: WER for English, CER for Mandarin.

    `reference` is the column with the transcript and `clean` what is done to it before it is normalised;
    `speakers` says that rows have a `speaker_id`, which groups them. The two prompts replace those that the
    evaluation kits use for most sets. VITA-1.5 was given no instruction with speech (its demo sends the audio
    alone), so the preset "vita" is empty.
    """

    def sample(row: Row, prompt: PromptFn) -> Sample:
        doc = {key: value for key, value in row.items() if key not in ("sample_id", "audio")}
        text = prompt(doc)
        parts: tuple[Part, ...] = (media_part("audio", row.get("audio")), *([Text(text)] if text else []))
        return Sample(row["sample_id"], (Message("user", parts),), doc)

    def speaker_of(doc: Doc) -> str | None:
        known = speakers and doc.get("speaker_id") is not None
        return str(doc["speaker_id"]) if known else None

    def scorer(doc: Doc, response: str | None, profile: str) -> Score:
        return score(clean(reference_of(doc, reference)), response, profile, language)

    return Task(
        name=name,
        version="1",
        inputs=frozenset({"audio"}),
        source=source,
        sample=sample,
        scorer=on_text(scorer),
        metrics=metrics(language),
        prompts={
            "kimi": _constant(kimi_prompt or _KIMI[language]),
            "qwen2": _constant(f"{_QWEN2}<|{language}|>"),
            "lmms_eval": _constant(lmms_eval_prompt),
            "ultraeval": _constant(_ULTRAEVAL),
            "vita": _constant(""),
        },
        default_prompt="kimi",
        profiles=tuple(PROFILES),
        default_profile="qwen2" if language == "en" else "kimi",
        generation=Generation(max_new_tokens=256),
        cluster_name="speaker" if speakers else None,
        cluster=speaker_of,
        citation=citation,
        licence=licence,
    )


def reference_of(doc: Doc, column: str) -> str:
    """The transcript of a row. Raises ValueError naming the columns that are read when it has none of them."""
    columns = tuple(dict.fromkeys((column, *REFERENCE_COLUMNS)))
    for name in columns:
        if isinstance(doc.get(name), str):
            return cast(str, doc[name])
    raise ValueError(f"the row has no reference: none of the columns {', '.join(columns)} holds a text")


def score(reference: str, response: str | None, profile: str, language: Language) -> Score:
    """One utterance's errors. No answer deletes the whole reference; a reference without units is not scored."""
    name = _rate_name(language)
    counts = score_pair(profile, language, reference, response or "").counts
    if counts.ref_len == 0:
        return Score(name, None, status="unscored", reason="the reference is empty after normalisation")
    parts = {
        "errors": float(counts.errors),
        "units": float(counts.ref_len),
        "sub": float(counts.sub),
        "del": float(counts.del_),
        "ins": float(counts.ins),
        "utterances": 1.0,
        "exact": float(counts.errors == 0),
    }
    return Score(name, counts.errors / counts.ref_len, parts, extracted=response)


def metrics(language: Language) -> Sequence[Metric]:
    """The error rate (headline), its three kinds of errors, and the share of utterances with any error; in %."""
    return (
        Metric(_rate_name(language), "%", False, _percent("errors", "units"), headline=True),
        Metric("sub", "%", False, _percent("sub", "units")),
        Metric("del", "%", False, _percent("del", "units")),
        Metric("ins", "%", False, _percent("ins", "units")),
        Metric("ser", "%", False, lambda sums: 100 - _percent("exact", "utterances")(sums)),
    )


def _percent(part: str, whole: str) -> Callable[[Sums], Any]:
    def value(sums: Sums) -> Any:
        import numpy as np

        count, total = np.asarray(sums.get(part, 0.0), float), np.asarray(sums.get(whole, 0.0), float)
        undefined = np.full(np.broadcast(count, total).shape, np.nan)
        return (100 * np.divide(count, total, out=undefined, where=total != 0))[()]

    return value


def _rate_name(language: Language) -> str:
    return "wer" if language == "en" else "cer"


def _constant(text: str) -> PromptFn:
    def prompt(doc: Mapping[str, Any]) -> str:
        return text

    return prompt
