"""What the components for pairs of reference and hypothesis share (goldens of the format `speech-golden-1`).

Normalised strings, tokens, errors and reference lengths are compared exactly, rates to 1e-9. The split into
substitutions, deletions and insertions is compared where the reference breaks ties as rapidfuzz does (jiwer, and
`derived`, which was made with it); WeNet's scripts break them otherwise, so of theirs the sums are compared.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from tasks.scoring.error_rate import ErrorCounts, PairScore
from tests.parity.check import Check
from tests.parity.goldens import locate

RATE_TOLERANCE = 1e-9
COUNTS = {"sub": "sub", "del": "del_", "ins": "ins", "hits": "hits"}
"""Key of a recorded count -> our name for it."""
COMPARED = {
    "ref_norm", "hyp_norm", "ref_tokens", "hyp_tokens", "errors", "ref_len", *COUNTS, "derived", "rate", "wer",
    "printed_percent", "single_call", "dropped",
}  # fmt: skip
NOT_COMPARED = {
    "id": "the key by which rows are found",
    "note": "a remark",
    "error": "null, or the name of an exception; such rows have no counts, ours raises none",
}

Score = Callable[[str, str], PairScore]


def load(goldens: Path, name: str, folder: str = "speech") -> dict[str, Any]:
    golden: dict[str, Any] = json.loads(locate(goldens, folder, f"{name}.json").read_text("utf-8"))
    return golden


def tell_unknown(where: str, recorded: Iterable[str], known: Iterable[str]) -> None:
    """Name on stderr what a golden file has and no rule here compares."""
    for key in sorted(set(recorded) - set(known)):
        print(f"{where}: no rule for the golden key {key!r}, not compared", file=sys.stderr)


def compare_all(component: str, golden: Mapping[str, Any], scorers: Mapping[str, Score]) -> Check:
    check = Check(component, tolerance=RATE_TOLERANCE)
    for scorer, score in scorers.items():
        if scorer in golden["results"]:
            compare(check, golden, scorer, score)
    return check


def compare(check: Check, golden: Mapping[str, Any], scorer: str, score: Score) -> None:
    """Every row of one scorer, then its corpus; rows that the scorer dropped are not in the corpus."""
    pairs = {pair["id"]: pair for pair in golden["pairs"]}
    result = golden["results"][scorer]
    total = ErrorCounts()
    for recorded in result["per_utt"]:
        name = f"{scorer} {recorded['id']}"
        pair = pairs[recorded["id"]]
        got = score(pair["ref"], pair["hyp"])
        if recorded.get("error"):
            continue
        if not recorded.get("dropped"):
            total += got.counts
        compare_texts(check, name, got, recorded)
        compare_counts(check, name, got.counts, recorded)
        if "dropped" in recorded:
            check.equal(f"{name} dropped", got.unscored is not None, recorded["dropped"])
    compare_counts(check, f"{scorer} corpus", total, result["corpus"])
    keys = {key for row in (*result["per_utt"], result["corpus"]) for key in row}
    tell_unknown(f"{check.component} {scorer}", keys, COMPARED | NOT_COMPARED.keys())


def compare_texts(check: Check, name: str, got: PairScore, recorded: Mapping[str, Any]) -> None:
    for key, value in (
        ("ref_norm", got.reference_norm),
        ("hyp_norm", got.hypothesis_norm),
        ("ref_tokens", got.reference_tokens),
        ("hyp_tokens", got.hypothesis_tokens),
    ):
        if recorded.get(key) is not None:
            check.equal(f"{name} {key}", value, recorded[key])


def compare_counts(check: Check, name: str, counts: ErrorCounts, recorded: Mapping[str, Any]) -> None:
    """Scorers record the distance, the counts of their alignment, or both, and the rate in one of four forms."""
    if "errors" in recorded:
        check.equal(f"{name} errors", counts.errors, recorded["errors"])
    if "ref_len" in recorded:
        check.equal(f"{name} ref_len", counts.ref_len, recorded["ref_len"])
    aligned = recorded.get("derived", recorded)
    if "hits" in aligned and "printed_percent" in recorded:  # WeNet's
        compare_sums(check, name, counts, *(aligned[key] for key in COUNTS))
    elif "hits" in aligned:
        for key, ours in COUNTS.items():
            check.equal(f"{name} {key}", getattr(counts, ours), aligned[key])
    # jiwer 4 gives the number of insertions as the rate of an empty reference
    rate = counts.rate if counts.ref_len else float(counts.errors)
    for key in ("rate", "wer"):
        if key in recorded:
            check.close(f"{name} {key}", rate, float(recorded[key]))
    if "printed_percent" in recorded:
        check.equal(f"{name} printed percent", printed_percent(counts), recorded["printed_percent"])
    if isinstance(recorded.get("single_call"), str):
        check.equal(f"{name} single call fails", counts.ref_len, 0)
        check.equal(f"{name} single call", recorded["single_call"], "ZeroDivisionError")
    elif "single_call" in recorded:
        check.close(f"{name} single call", counts.rate, recorded["single_call"])


def compare_sums(check: Check, name: str, counts: ErrorCounts, sub: int, del_: int, ins: int, hits: int) -> None:
    """Counts of an alignment that breaks ties in its own way."""
    check.equal(f"{name} edits", counts.errors, sub + del_ + ins)
    check.equal(f"{name} aligned reference", counts.ref_len, hits + sub + del_)
    check.equal(f"{name} aligned hypothesis", counts.hits + counts.sub + counts.ins, hits + sub + ins)


def printed_percent(counts: ErrorCounts) -> str:
    """As WeNet's scripts print it: 0.00 for an empty reference."""
    return f"{100 * counts.rate if counts.ref_len else 0.0:.2f}"
