"""What a rule finds in one answer, and a scorer made of such rules."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from typing import NamedTuple

from harness.task import Scorer
from harness.types import Answer, Ask, Doc, Score, Verdict

Tags = Mapping[str, tuple[str, ...]]


class Outcome(NamedTuple):
    """`right` is 0..1; an answer that is not `counted` leaves the denominator, as a few public scorers have it."""

    extracted: str | None
    right: float
    counted: bool = True


WRONG = Outcome(None, 0.0)
Asking = Generator[Ask, Verdict, Outcome]
Rule = Callable[[str, Doc], Outcome | Asking]
"""(answer, doc) -> outcome; a generator asks a judge on the way."""


def never(doc: Doc, profile: str) -> str:
    """`unscored` of a benchmark whose questions all have an answer."""
    return ""


def scorer(
    rules: Mapping[str, Rule],
    tags: Callable[[Doc], Tags],
    gold: Callable[[Doc], object],
    unscored: Callable[[Doc, str], str] = never,
) -> Scorer:
    """A task's scorer: the rule of each profile, parts `right` and `n`. No answer is wrong whatever the gold answer is.

    `gold` raises KeyError or ValueError where a row has none; `unscored` says why a question cannot be scored under a
    profile, "" where it can. The scorer raises ValueError for an unknown profile.
    """

    def score(doc: Doc, answer: Answer, profile: str) -> Score | Generator[Ask, Verdict, Score]:
        if profile not in rules:
            raise ValueError(f"no profile {profile!r}; there are {', '.join(rules)}")
        if reason := unscored(doc, profile):
            return Score("correct", None, status="unscored", reason=reason, tags=tags(doc))
        if answer.text is None:
            return _score(doc, WRONG)
        gold(doc)  # whatever is answered, a row that has none fails
        outcome = rules[profile](answer.text, doc)
        return _score(doc, outcome) if isinstance(outcome, Outcome) else _asked(doc, outcome)

    def _asked(doc: Doc, asking: Asking) -> Generator[Ask, Verdict, Score]:
        return _score(doc, (yield from asking))

    def _score(doc: Doc, outcome: Outcome) -> Score:
        parts = {"right": float(outcome.right), "n": 1.0} if outcome.counted else {"right": 0.0, "n": 0.0}
        extracted = "no answer" if outcome.extracted is None else outcome.extracted
        return Score(
            "correct",
            parts["right"],
            parts,
            extracted=outcome.extracted,
            tags=tags(doc),
            wrong=outcome.right < 1,
            shown=(_shown(gold, doc), extracted),
        )

    return score


def _shown(gold: Callable[[Doc], object], doc: Doc) -> str:
    """The gold answer for showing, of a row that was not answered too."""
    try:
        return str(gold(doc))
    except (KeyError, ValueError):
        return ""
