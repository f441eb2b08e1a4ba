"""Parity of seed-tts-eval's scoring: rates of utterances and their mean, which is the benchmark's number."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from tasks.scoring.error_rate import ErrorCounts, Language, PairScore, score_pair, to_simplified
from tests.parity.check import Check
from tests.parity.speech_pairs import (
    COUNTS,
    NOT_COMPARED,
    RATE_TOLERANCE,
    compare_counts,
    compare_texts,
    load,
    tell_unknown,
)

PRINTED = 5.001e-4
"""Half of the last of three printed decimals."""
_KINDS = {"subs": "sub", "dele": "del_", "inse": "ins"}
_ROW = {"ref_norm", "hyp_norm", "wer", *COUNTS, "hyp_after_zhconv", "rate_denominator", *(f"{k}_rate" for k in _KINDS)}
_CORPUS = {"WER_percent", *_KINDS, "n_scored", "n_error", "WER_below50_percent", "micro_rate_for_contrast"}


def kind_rates(got: PairScore) -> Mapping[str, float]:
    """Substitutions, deletions and insertions over what the script divides by: pieces between single blanks."""
    pieces = len(got.reference_norm.split(" "))
    return {kind: getattr(got.counts, ours) / pieces for kind, ours in _KINDS.items()}


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else float("nan")


def seed_tts(language: Language, goldens: Path) -> Check:
    component = f"seed_tts_{language}"
    golden = load(goldens, component)
    check = Check(component, tolerance=RATE_TOLERANCE)
    own = f"seed_tts_eval_{language}"
    tell_unknown(component, golden["results"], (own, "ultraeval_seed_tts"))
    pairs = {pair["id"]: pair for pair in golden["pairs"]}
    scores = {name: score_pair("seedtts", language, pair["ref"], pair["hyp"]) for name, pair in pairs.items()}
    for recorded in golden["results"].get(own, {}).get("per_utt", []):
        name, got = f"{own} {recorded['id']}", scores[recorded["id"]]
        hypothesis = pairs[recorded["id"]]["hyp"]
        heard = to_simplified(hypothesis) if language == "zh" else hypothesis
        check.equal(f"{name} hyp_after_zhconv", heard, recorded["hyp_after_zhconv"])
        check.equal(f"{name} fails", got.unscored is not None, "error" in recorded)
        compare_texts(check, name, got, recorded)
        compare_counts(check, name, got.counts, recorded)
        if "rate_denominator" in recorded:
            pieces = len(got.reference_norm.split(" "))
            check.equal(f"{name} rate_denominator", pieces, recorded["rate_denominator"])
        for kind, rate in kind_rates(got).items():
            if f"{kind}_rate" in recorded:
                check.close(f"{name} {kind}_rate", rate, recorded[f"{kind}_rate"])
        tell_unknown(f"{component} row", recorded, _ROW | NOT_COMPARED.keys())
    if own in golden["results"]:
        _corpus(check, golden["results"][own]["corpus"], list(scores.values()))
    if "ultraeval_seed_tts" in golden["results"]:
        _ultraeval(check, golden["results"]["ultraeval_seed_tts"], scores)
    return check


def _corpus(check: Check, corpus: Mapping[str, Any], scores: Sequence[PairScore]) -> None:
    """What `average_wer.py` prints."""
    scored = [score for score in scores if score.unscored is None]
    rates = [score.counts.rate for score in scored]
    check.equal("n_scored", len(scored), corpus["n_scored"])
    check.equal("n_error", len(scores) - len(scored), corpus["n_error"])
    check.close("WER", 100 * _mean(rates), float(corpus["WER_percent"]), PRINTED)
    for kind in _KINDS:
        rate = _mean([kind_rates(score)[kind] for score in scored])
        check.close(kind, 100 * rate, float(corpus[kind]), PRINTED)
    below = [rate for rate in rates if rate <= 0.5]
    check.close("WER of rates up to 50 %", 100 * _mean(below), float(corpus["WER_below50_percent"]), PRINTED)
    total = sum((score.counts for score in scored), ErrorCounts())
    check.close("micro rate", total.rate, float(corpus["micro_rate_for_contrast"]))
    tell_unknown("seed-tts-eval corpus", corpus, _CORPUS | NOT_COMPARED.keys())


def _ultraeval(check: Check, result: Mapping[str, Any], scores: Mapping[str, PairScore]) -> None:
    for recorded in result["per_utt"]:
        name, got = f"ultraeval {recorded['id']}", scores[recorded["id"]]
        check.equal(f"{name} fails", got.unscored is not None, "error" in recorded)
        if "wer" in recorded:
            check.close(f"{name} wer", got.counts.rate, recorded["wer"])
        tell_unknown("ultraeval row", recorded, ("wer", *NOT_COMPARED))
    rates = [score.counts.rate for score in scores.values() if score.unscored is None]
    check.close("ultraeval mean", 100 * _mean(rates), float(result["corpus"]["mean_percent"]))
    check.equal("ultraeval n_error", len(scores) - len(rates), result["corpus"]["n_error"])
    tell_unknown("ultraeval corpus", result["corpus"], ("mean_percent", "n_error", *NOT_COMPARED))


COMPONENTS: dict[str, Callable[[Path], Check]] = {
    "seed_tts_en": partial(seed_tts, "en"),
    "seed_tts_zh": partial(seed_tts, "zh"),
}
