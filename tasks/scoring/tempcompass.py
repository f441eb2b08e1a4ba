"""TempCompass's rules: those of each format first, then a judge; captions are for a judge alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from harness.failures import lacking
from harness.types import Doc
from tasks.judges import prompts
from tasks.scoring import free_text, outcome, yes_no
from tasks.scoring import temporal as rules
from tasks.scoring.asking import ask, asked, correctness_of
from tasks.scoring.choice import NO_OPTION, Options
from tasks.scoring.grading import Grading, chosen_from_caption, lmms_eval_correct, vlmevalkit_correct
from tasks.scoring.outcome import WRONG, Asking, Outcome

_NONE_FITS = re.compile(r"\bnone of the\b", re.IGNORECASE)


def gold_of(doc: Doc) -> str:
    """Raises ValueError naming the field that is missing."""
    name = "mc_answer" if doc["task_type"] == "captioning" else "answer"
    if not doc.get(name):
        raise lacking(doc, name)
    return str(doc[name])


def _by_rule(answer: str, doc: Doc) -> float | None:
    gold = gold_of(doc)
    match doc["task_type"]:
        case "multi-choice":
            return rules.multiple_choice(answer, gold)
        case "yes_no":
            return rules.yes_no(answer, gold)
        case "caption_matching":
            return rules.caption_matching(answer, str(doc["question"]), gold)
    return None


def _exact(answer: str, doc: Doc) -> Outcome:
    """Where no rule reads the answer it is wrong."""
    return Outcome(answer, _by_rule(answer, doc) or 0.0)


def _public(correct: Callable[[str], Grading], unusable: float) -> outcome.Rule:
    """A rule first, then a judge; `unusable` is what a caption counts whose judge says nothing."""

    def rule(answer: str, doc: Doc) -> Outcome | Asking:
        if doc["task_type"] == "captioning":
            return _caption(answer, doc, unusable)
        found = _by_rule(answer, doc)
        return _grade(answer, doc) if found is None else Outcome(answer, found)

    def _grade(answer: str, doc: Doc) -> Asking:
        return Outcome(answer, (yield from correct(_prompt(answer, doc))))

    return rule


def _caption(answer: str, doc: Doc, unusable: float) -> Asking:
    reply = (yield ask(prompts.tempcompass_caption(answer, str(doc["mc_question"])))).text
    said, rating = chosen_from_caption(reply, gold_of(doc))
    return Outcome(said, unusable if rating < 0 else rating)


def _judged(answer: str, doc: Doc) -> Outcome | Asking:
    """Rules first; a judge whose reply cannot be used has failed."""
    if doc["task_type"] == "captioning":
        return _caption_judged(answer, doc)
    found = _by_rule(answer, doc)
    return _correct(answer, doc) if found is None and answer.strip() else Outcome(answer, found or 0.0)


def _correct(answer: str, doc: Doc) -> Asking:
    return Outcome(answer, float((yield from asked(_prompt(answer, doc), correctness_of))))


def _caption_judged(answer: str, doc: Doc) -> Asking:
    question = str(doc["mc_question"])
    options = rules.listed(question)
    prompt = prompts.tempcompass_caption(answer, question)
    label = yield from asked(prompt, lambda reply: _from_caption(reply, options))
    return Outcome(label, label == rules.label_of(gold_of(doc), options))


def _from_caption(reply: str, options: Options) -> str | None:
    """The label that a judge's reply states, `NO_OPTION` where it says that none fits; None where it says neither."""
    text = free_text.final_text(reply)
    return rules.chosen(text, options) or (NO_OPTION if _NONE_FITS.search(text) else None)


def _robust(answer: str, doc: Doc) -> Outcome:
    gold = gold_of(doc)
    match doc["task_type"]:
        case "yes_no":
            said = yes_no.stated(answer)
            return Outcome(said, said == gold.lower())
        case "captioning":
            return WRONG
    options = rules.listed(str(doc["question"]))
    label = rules.chosen(answer, options)
    return Outcome(label, label is not None and label == rules.label_of(gold, options))


def _prompt(answer: str, doc: Doc) -> str:
    return prompts.tempcompass(str(doc["task_type"]), str(doc["question"]), gold_of(doc), answer)


RULES: Mapping[str, outcome.Rule] = {
    "judged": _judged,
    "vlmevalkit_judge": _public(vlmevalkit_correct, unusable=-1.0),
    "lmms_eval": _public(lmms_eval_correct, unusable=0.0),
    "vlmevalkit_exact_matching": _exact,
    "robust": _robust,
}
WITHOUT_JUDGE = ("vlmevalkit_exact_matching", "robust")


def needs_judge(doc: Doc, profile: str) -> str:
    return "a caption needs a judge" if doc.get("task_type") == "captioning" and profile in WITHOUT_JUDGE else ""
