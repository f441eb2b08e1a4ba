"""Parity of transcript scoring with recorded public scorers (goldens of the format `speech-golden-1`).

Normalised strings, tokens, errors and reference lengths are compared exactly, corpus rates to 1e-9. The
split into substitutions, deletions and insertions is not compared: optimal alignments tie, and the
recorded scorers break ties in different ways.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from tasks.scoring.error_rate import ErrorCounts, PairScore, score_pair, to_simplified
from tasks.scoring.normalizers import chinese_textnorm, whisper_basic, whisper_english
from tests.parity.check import Check
from tests.parity.goldens import locate

RATE_TOLERANCE = 1e-9

Score = Callable[[str, str], PairScore]


def _words(text: str) -> list[str]:
    """As jiwer cuts them: at blanks and at two or more of any white space; a single tab is part of a word."""
    return [word for word in re.sub(r"\s\s+", " ", text).strip().split(" ") if word]


def _characters(text: str) -> list[str]:
    return list(text.strip())


def _after(normalize: Callable[[str], str], cut: Callable[[str], list[str]]) -> Score:
    def score(reference: str, hypothesis: str) -> PairScore:
        norms = normalize(reference), normalize(hypothesis)
        tokens = cut(norms[0]), cut(norms[1])
        return PairScore(*tokens, *norms, ErrorCounts.of(*tokens))

    return score


def _without_blanks(normalize: Callable[[str], str]) -> Callable[[str], str]:
    return lambda text: normalize(text).replace(" ", "")


EN_SCORERS: Mapping[str, Score] = {
    "whisper_english+jiwer4_words": partial(score_pair, "whisper", "en"),
    "whisper_basic+jiwer4_words": _after(whisper_basic.normalize, _words),
    "raw+jiwer4_words": _after(str, _words),
    "lower+jiwer4_words": _after(str.lower, _words),
    "whisper_english_no_space+jiwer4_chars": _after(_without_blanks(whisper_english.normalize), _characters),
    "lmms_librispeech_en": partial(score_pair, "qwen2", "en"),
    "lmms_fleurs_en": partial(score_pair, "qwen2", "en"),
    "kimi_evalkit_en": partial(score_pair, "kimi", "en"),
    "ultraeval_13a": partial(score_pair, "ultraeval", "en"),
}
ZH_SCORERS: Mapping[str, Score] = {
    "raw+jiwer4_chars": _after(str, _characters),
    "whisper_basic_nospace+jiwer4_chars": _after(_without_blanks(whisper_basic.normalize), _characters),
    "whisper_basic_split_letters+jiwer4_words": partial(score_pair, "whisper", "zh"),
    "lmms_librispeech_zh": partial(score_pair, "qwen2", "zh"),
    "lmms_fleurs_cmn_hans": partial(score_pair, "qwen2", "zh"),
    "kimi_evalkit_zh": partial(score_pair, "kimi", "zh"),
    "ultraeval_zh": partial(score_pair, "ultraeval", "zh"),
}


def _load(goldens: Path, name: str) -> dict[str, Any]:
    golden: dict[str, Any] = json.loads(locate(goldens, "speech", f"{name}.json").read_text("utf-8"))
    return golden


def _compare_counts(check: Check, name: str, counts: ErrorCounts, recorded: Mapping[str, Any]) -> None:
    """Scorers record the distance, the counts of their alignment, or both."""
    if "errors" in recorded:
        check.equal(f"{name} errors", counts.errors, recorded["errors"])
    if "ref_len" in recorded:
        check.equal(f"{name} ref_len", counts.ref_len, recorded["ref_len"])
    aligned = recorded.get("derived", recorded)
    if "hits" in aligned:
        edits = aligned["sub"] + aligned["del"] + aligned["ins"]
        check.equal(f"{name} edits", counts.errors, edits)
        check.equal(f"{name} aligned reference", counts.ref_len, aligned["hits"] + aligned["sub"] + aligned["del"])


def _compare(check: Check, golden: Mapping[str, Any], scorer: str, score: Score) -> None:
    pairs = {pair["id"]: pair for pair in golden["pairs"]}
    result = golden["results"][scorer]
    total = ErrorCounts()
    for recorded in result["per_utt"]:
        name = f"{scorer} {recorded['id']}"
        pair = pairs[recorded["id"]]
        got = score(pair["ref"], pair["hyp"])
        total += got.counts
        for key, value in (
            ("ref_norm", got.reference_norm),
            ("hyp_norm", got.hypothesis_norm),
            ("ref_tokens", got.reference_tokens),
            ("hyp_tokens", got.hypothesis_tokens),
        ):
            if key in recorded:
                check.equal(f"{name} {key}", value, recorded[key])
        _compare_counts(check, name, got.counts, recorded)
        _compare_rates(check, name, got.counts, recorded)
    _compare_counts(check, f"{scorer} corpus", total, result["corpus"])
    _compare_rates(check, f"{scorer} corpus", total, result["corpus"])


def _compare_rates(check: Check, name: str, counts: ErrorCounts, recorded: Mapping[str, Any]) -> None:
    if "printed_percent" in recorded:  # the scripts print 0.00 for an empty reference
        percent = 100 * counts.rate if counts.ref_len else 0.0
        check.equal(f"{name} printed percent", f"{percent:.2f}", recorded["printed_percent"])
    if "rate" in recorded and counts.ref_len:
        check.close(f"{name} rate", counts.rate, float(recorded["rate"]))
    if isinstance(recorded.get("single_call"), float) and counts.ref_len:
        check.close(f"{name} single call", counts.rate, recorded["single_call"])


def _compare_all(component: str, golden: Mapping[str, Any], scorers: Mapping[str, Score]) -> Check:
    check = Check(component, tolerance=RATE_TOLERANCE)
    for scorer, score in scorers.items():
        if scorer in golden["results"]:
            _compare(check, golden, scorer, score)
    return check


def en_wer(goldens: Path) -> Check:
    return _compare_all("en_wer", _load(goldens, "en_wer"), EN_SCORERS)


def zh_cer(goldens: Path) -> Check:
    golden = _load(goldens, "zh_cer")
    check = _compare_all("zh_cer", golden, ZH_SCORERS)
    pairs = {pair["id"]: pair for pair in golden["pairs"]}
    for recorded in golden["results"].get("textnorm", {}).get("per_utt", []):
        for side in ("ref", "hyp"):
            name, text = f"textnorm {recorded['id']} {side}", pairs[recorded["id"]][side]
            check.equal(name, chinese_textnorm.normalize(text), recorded[f"{side}_norm"])
            check.equal(f"{name} simplified", to_simplified(text), recorded[f"{side}_zhcn"])
    return check


def _vita(component: str, goldens: Path) -> Check:
    golden = _load(goldens, component)
    language = "en" if component.endswith("en") else "zh"
    scorers: Mapping[str, Score] = {
        "vita_audio_compute_wer_char1": partial(score_pair, "vita_wer", language),
        "vita_audio_compute_cer_char1": partial(score_pair, "vita_cer", language),
    }
    return _compare_all(component, golden, scorers)


COMPONENTS: dict[str, Callable[[Path], Check]] = {
    "en_wer": en_wer,
    "zh_cer": zh_cer,
    "vita_audio_en": partial(_vita, "vita_audio_en"),
    "vita_audio_zh": partial(_vita, "vita_audio_zh"),
}
