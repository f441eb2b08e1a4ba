"""MathVista's rules: what is taken without a judge, what a judge extracts, and what is right of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from harness.types import Doc
from tasks.judges.prompts import mathvista as judge_prompt
from tasks.scoring import extraction, outcome
from tasks.scoring.asking import ask, asked
from tasks.scoring.outcome import Asking, Outcome


def _vlmevalkit(current: bool) -> Callable[[str, Doc], Outcome | Asking]:
    def rule(answer: str, doc: Doc) -> Outcome | Asking:
        found = extraction.prefetched(answer, doc, current=current)
        if found is not None:
            return Outcome(found, extraction.vlmevalkit_right(found, doc, current=current))
        return _asking(answer, doc, lambda reply: extraction.vlmevalkit_right(reply, doc, current=current))

    return rule


def _lmms_rule(answer: str, doc: Doc) -> Outcome | Asking:
    found = extraction.quickly(answer.strip(), doc)
    if found is not None:
        return Outcome(found, extraction.lmms_eval_right(found, doc))
    return _asking(answer.strip(), doc, lambda reply: extraction.lmms_eval_right(reply, doc))


def _asking(answer: str, doc: Doc, right: Callable[[str], bool]) -> Asking:
    reply = (yield ask(judge_prompt(str(doc.get("query") or doc["question"]), answer))).text.strip()
    return Outcome(reply, right(reply))


def _by_rule(robust: bool) -> Callable[[str, Doc], Outcome]:
    def rule(answer: str, doc: Doc) -> Outcome:
        found = extraction.by_rule(answer, doc, robust=robust)
        return Outcome(found, found is not None and extraction.is_right(found, doc))

    return rule


def _judged(answer: str, doc: Doc) -> Outcome | Asking:
    """What the answer states outright, else what a judge reads in it."""
    found = extraction.by_rule(answer, doc, robust=True)
    if found is not None and extraction.is_right(found, doc):
        return Outcome(found, 1.0)
    return _asking_for_one(answer, doc) if answer.strip() else outcome.WRONG


def _asking_for_one(answer: str, doc: Doc) -> Asking:
    prompt = judge_prompt(str(doc.get("query") or doc["question"]), answer)
    reply = yield from asked(prompt, lambda text: text.strip() or None)
    return Outcome(reply, extraction.is_right(reply, doc))


RULES: Mapping[str, outcome.Rule] = {
    "judged": _judged,
    "vlmevalkit_vita": _vlmevalkit(False),
    "vlmevalkit": _vlmevalkit(True),
    "lmms_eval": _lmms_rule,
    "rules": _by_rule(False),
    "robust": _by_rule(True),
}
