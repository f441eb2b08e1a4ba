"""MVBench's rules: the first word, as public scorers take it with their gifts, and without them."""

from __future__ import annotations

from collections.abc import Mapping

from harness.types import Doc
from tasks.scoring import outcome
from tasks.scoring.cells import options_of
from tasks.scoring.choice import API_FAILED, scored, vlmevalkit
from tasks.scoring.choice.lmms_eval import lone_letter
from tasks.scoring.choice.robust import stated
from tasks.scoring.outcome import WRONG, Outcome


def gold_of(doc: Doc) -> str:
    """The letter of the option whose text the answer is, also where an option's text is a letter. Raises ValueError
    naming the field where it is none."""
    text = str(doc.get("answer")).strip()
    named = next((letter for letter, option in options_of(doc).items() if option == text), None)
    return named or scored.lettered(doc)


def _first_word(current: bool) -> outcome.Rule:
    """Right if the first word fits the gold letter (an empty answer fits any); a failed call counts as right.

    The current version strips blanks first, and looks with the option matcher where the word does not fit.
    """

    def rule(answer: str, doc: Doc) -> Outcome:
        gold = gold_of(doc)
        if API_FAILED in answer:
            return Outcome(None, 1.0)
        if vlmevalkit.first_word_fits(answer.strip() if current else answer, gold):
            return Outcome(gold, 1.0)
        letter = vlmevalkit.matched(answer, options_of(doc), current=True) if current else None
        return Outcome(letter, float(letter == gold))

    return rule


def _strict(answer: str, doc: Doc) -> Outcome:
    """VLMEvalKit's current rule without its gifts: an empty answer, a lone mark and a failed call are wrong."""
    if not any(character.isalnum() for character in answer) or API_FAILED in answer:
        return WRONG
    words = answer.split()
    letter = words[0].strip("().:,").upper()
    if letter in options_of(doc):
        return Outcome(letter, float(letter == gold_of(doc)))
    found = vlmevalkit.matched(answer, options_of(doc), current=True)
    return Outcome(found, float(found == gold_of(doc)))


def _lmms_rule(answer: str, doc: Doc) -> Outcome:
    """An empty answer leaves the denominator."""
    said = lone_letter(answer)
    return Outcome(said or None, float(said == gold_of(doc)), counted=answer != "")


RULES: Mapping[str, outcome.Rule] = {
    "strict": _strict,
    "vlmevalkit_vita": _first_word(False),
    "vlmevalkit": _first_word(True),
    "lmms_eval": _lmms_rule,
    "robust": scored.by_letter(stated, gold_of),
    "judged": scored.by_judge(gold_of),
}
