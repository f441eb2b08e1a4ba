"""HallusionBench's rules: yes or no, and questions, figures and question groups of a set that are right together."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence

from harness.task import Member, Sums
from harness.types import Doc
from tasks.judges.prompts import hallusionbench as judge_prompt
from tasks.scoring import outcome, yes_no
from tasks.scoring.asking import ask
from tasks.scoring.cells import absent
from tasks.scoring.grouped import groups_right, once
from tasks.scoring.outcome import Asking, Outcome

CATEGORIES = ("VD", "VS")
MERGED = ("vlmevalkit_vita", "vlmevalkit")
"""Their figures and questions of one set number are grouped without regard to VD and VS."""


def gold_of(doc: Doc) -> str:
    """yes or no. Raises ValueError for another gold answer."""
    gold = {"1": "yes", "0": "no", "yes": "yes", "no": "no"}.get(str(doc.get("gt_answer", doc.get("answer"))).lower())
    if gold is None:
        raise ValueError(f"the gold answer is {doc.get('gt_answer', doc.get('answer'))!r}; it must be 0, 1, Yes or No")
    return gold


def _word(profile: str) -> Callable[[str, Doc], Outcome]:
    def rule(answer: str, doc: Doc) -> Outcome:
        said = yes_no.extract(answer, profile)
        return Outcome(said, said.lower() == gold_of(doc))

    return rule


def _intern(answer: str, doc: Doc) -> Outcome:
    """lmms-eval's rule that its configuration comments out: whatever has no "yes" in it is no."""
    said = "yes" if "yes" in answer.lower() else "no"
    return Outcome(said, said == gold_of(doc))


def _judge(answer: str, doc: Doc) -> Asking:
    """lmms-eval: correct, incorrect or unclear; unclear is right where a VS question has no figure."""
    reply = (yield ask(judge_prompt(str(doc["question"]), str(doc.get("gt_answer_details", "")), answer))).text.lower()
    label = "incorrect" if "incorrect" in reply else "correct" if "correct" in reply else "unclear"
    return Outcome(label, label == "correct" or (label == "unclear" and _has_no_figure(doc)))


def _has_no_figure(doc: Doc) -> bool:
    return doc["category"] == "VS" and str(doc["figure_id"]) == "0"


def accuracies(members: Sequence[Member], profile: str) -> Mapping[str, float]:
    """The parts of a set: questions, figures and question groups, right and all, of both categories and of each.

    Raises ValueError for a row that does not say what it belongs to.
    """
    rows = once(members, lambda m: tuple(_known(m.doc, n) for n in ("category", "set_id", "figure_id", "question_id")))
    merged = profile in MERGED

    def by(column: str) -> Callable[[Member], Hashable]:
        return lambda member: (merged or member.doc["category"], _known(member.doc, column))

    parts: dict[str, float] = {}
    for category in ("", *CATEGORIES):
        own = [m for m in rows if category in ("", m.doc["category"])]
        figures = [m for m in own if profile != "lmms_eval_judge" or not _has_no_figure(m.doc)]
        counts = {
            "aAcc": (sum(m.score.parts["right"] for m in own), float(len(own))),
            "fAcc": groups_right(figures, by("figure_id")),
            "qAcc": groups_right(own, by("question_id")),
        }
        for name, (right, n) in counts.items():
            parts |= {f"{name}{category}": right, f"{name}{category} n": n}
    return parts


def _known(doc: Doc, column: str) -> str:
    value = doc.get(column)
    if absent(value) or not isinstance(value, str | int | float):
        raise ValueError(f"the row's {column} is {value!r}; it must be a name or a number")
    return str(value)


def average(sums: Sums) -> object:
    return 100 * sum(sums[name] / sums[f"{name} n"] for name in ("aAcc", "fAcc", "qAcc")) / 3


RULES: Mapping[str, outcome.Rule] = {
    **{name: _word("vlmevalkit") for name in MERGED},
    "lmms_eval_intern": _intern,
    "robust": _word("robust"),
    "lmms_eval_judge": _judge,
}
