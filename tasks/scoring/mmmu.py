"""MMMU's rules: option letters, and open questions as VLMEvalKit, the benchmark's own script and a reader take them."""

from __future__ import annotations

from collections.abc import Mapping

from harness.types import Doc
from tasks.scoring import free_text, outcome
from tasks.scoring.cells import listed, options_of
from tasks.scoring.choice import Options, scored, vlmevalkit
from tasks.scoring.choice.lmms_eval import bracketed
from tasks.scoring.choice.robust import stated
from tasks.scoring.outcome import Outcome


def is_open(doc: Doc) -> bool:
    return doc.get("question_type") == "open" or not options_of(doc)


def golds_of(doc: Doc) -> list[str]:
    """Gold answers of an open question; there may be several that are right."""
    return listed(doc["answer"])


def gold_of(doc: Doc) -> str:
    return str(doc["answer"]) if is_open(doc) else scored.lettered(doc)


def _two_way(doc: Doc) -> Options:
    """VLMEvalKit makes of an open question one between the gold answer and all others."""
    return {"A": str(doc["answer"]), "B": "Other Answers"} if is_open(doc) else options_of(doc)


def _two_way_gold(doc: Doc) -> str:
    return "A" if is_open(doc) else scored.lettered(doc)


def _lmms_rule(answer: str, doc: Doc) -> Outcome:
    if not is_open(doc):
        return scored.by_letter(bracketed, scored.lettered)(answer, doc)
    found = free_text.candidates(answer)
    return Outcome(" | ".join(map(str, found)), float(free_text.is_candidate(found, golds_of(doc))))


def _robust(answer: str, doc: Doc) -> Outcome:
    if not is_open(doc):
        return scored.by_letter(stated, scored.lettered)(answer, doc)
    return Outcome(free_text.final_text(answer) or None, float(free_text.equals(answer, golds_of(doc))))


RULES: Mapping[str, outcome.Rule] = {
    **{name: scored.by_letter(rule, _two_way_gold, _two_way) for name, rule in vlmevalkit.RULES.items()},
    "lmms_eval": _lmms_rule,
    "robust": _robust,
    "judged": scored.by_judge(_two_way_gold, _two_way),
}
