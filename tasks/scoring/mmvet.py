"""MM-Vet's rules: a judge's grade, or the share of the gold texts that an answer has."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from harness.types import Doc
from tasks.judges.prompts import mmvet as judge_prompt
from tasks.scoring import outcome
from tasks.scoring.asking import TEMPERATURES, asked, score_of
from tasks.scoring.cells import absent
from tasks.scoring.free_text import contains, mentions
from tasks.scoring.grading import Grading, lmms_eval_number, vlmevalkit_number
from tasks.scoring.outcome import Asking, Outcome


def elements(doc: Doc) -> list[list[str]]:
    """The alternatives of the gold answer, each a list of texts that all must be there. Raises ValueError for none."""
    alternatives = [option.split("<AND>") for option in str(doc["answer"]).split("<OR>")]
    found = [[part.strip() for part in parts if part.strip()] for parts in alternatives]
    if not any(found) or absent(doc["answer"]):
        raise ValueError(f"the row has no gold answer: answer is {doc['answer']!r}")
    return [parts for parts in found if parts]


def _prompt(answer: str, doc: Doc) -> str:
    elements(doc)
    return judge_prompt(str(doc["question"]), str(doc["answer"]), answer)


def _graded(grade: Callable[[str], Grading]) -> Callable[[str, Doc], Asking]:
    def rule(answer: str, doc: Doc) -> Asking:
        value = yield from grade(_prompt(answer, doc))
        return Outcome(f"{value:g}", value)

    return rule


def _judged(answer: str, doc: Doc) -> Asking:
    """A whole reply that is a number in 0..1, of five tries; a judge that gives none has failed."""
    value = yield from asked(_prompt(answer, doc), score_of, TEMPERATURES)
    return Outcome(f"{value:g}", value)


def _by_rule(holds: Callable[[str, str], bool]) -> Callable[[str, Doc], Outcome]:
    """The share of the elements that must be there, of the best alternative: words, not their meaning."""

    def rule(answer: str, doc: Doc) -> Outcome:
        shares = [sum(holds(answer, part) for part in parts) / len(parts) for parts in elements(doc)]
        return Outcome(answer, max(shares))

    return rule


RULES: Mapping[str, outcome.Rule] = {
    "judged": _judged,
    "vlmevalkit_vita": _graded(vlmevalkit_number),
    "vlmevalkit": _graded(vlmevalkit_number),
    "lmms_eval": _graded(lmms_eval_number),
    "rules": _by_rule(lambda answer, gold: contains(answer, [gold], formula=False)),
    "robust": _by_rule(lambda answer, gold: mentions(answer, [gold])),
}
