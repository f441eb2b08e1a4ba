"""HallusionBench, image part: 951 yes/no questions on figures and edited figures (Guan et al., 2310.14566).

Three accuracies: of questions (aAcc), of figures with all their questions right (fAcc), of questions right on all
figures of their set (qAcc). The papers print the mean of the three.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from harness.task import Member, Ratio, Row, Statistic, Sums, Task
from harness.types import Doc, Generation
from tasks.data import Source
from tasks.docs import kept
from tasks.judges.prompts import hallusionbench as judge_prompt
from tasks.prompts import SHORT_ANSWER, VITA_TILES, VLMEVALKIT_TOKENS, field, preset
from tasks.readers.hub import Hub
from tasks.readers.pictures import hub_pictures, table_in
from tasks.scoring import outcome, yes_no
from tasks.scoring.asking import ask
from tasks.scoring.grouped import groups_right, once
from tasks.scoring.outcome import Asking, Outcome

CATEGORIES = ("VD", "VS")
MERGED = ("vlmevalkit_vita", "vlmevalkit")
"""Their figures and questions of one set number are grouped without regard to VD and VS."""


def doc_of(row: Row) -> Doc:
    """With `set_id`, `figure_id`, `question_id`, `subcategory` and `gt_answer`, which a table has in its index."""
    doc = dict(kept(row, "question", "category"))
    tokens = str(doc.get("index", "")).split("_")
    if "set_id" not in doc and len(tokens) >= 6:
        doc |= dict(zip(("set_id", "figure_id", "question_id"), tokens[3:6], strict=True))
    doc.setdefault("subcategory", doc.get("l2-category"))
    for name in ("set_id", "figure_id", "question_id", "subcategory"):
        if doc.get(name) is None:
            raise ValueError(f"the row has no {name}, and its index {doc.get('index')!r} does not hold it")
    gold_of(doc)
    return doc


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


def set_of(doc: Doc) -> str | None:
    """Everything that is grouped together lies within one set of a subcategory."""
    parts = (doc.get("subcategory") or doc.get("l2-category"), doc.get("set_id"))
    return None if None in parts else "/".join(map(str, parts))


def accuracies(members: Sequence[Member], profile: str) -> Mapping[str, float]:
    """The parts of a set: questions, figures and question groups, right and all, of both categories and of each."""
    rows = once(members, lambda m: tuple(str(m.doc[n]) for n in ("category", "set_id", "figure_id", "question_id")))
    parts: dict[str, float] = {}
    for category in ("", *CATEGORIES):
        own = [m for m in rows if category in ("", m.doc["category"])]
        figures = [m for m in own if profile != "lmms_eval_judge" or not _has_no_figure(m.doc)]
        merged = profile in MERGED
        counts = {
            "aAcc": (sum(m.score.parts["right"] for m in own), float(len(own))),
            "fAcc": groups_right(figures, lambda m: (merged or m.doc["category"], str(m.doc["figure_id"]))),
            "qAcc": groups_right(own, lambda m: (merged or m.doc["category"], str(m.doc["question_id"]))),
        }
        for name, (right, n) in counts.items():
            parts |= {f"{name}{category}": right, f"{name}{category} n": n}
    return parts


def average(sums: Sums) -> object:
    return 100 * sum(sums[name] / sums[f"{name} n"] for name in ("aAcc", "fAcc", "qAcc")) / 3


def _tags(doc: Doc) -> outcome.Tags:
    return {"subcategory": (str(doc.get("subcategory") or doc.get("l2-category")),)}


def _accuracy(name: str, category: str = "") -> Ratio:
    part = f"{name}{category}"
    by = () if category else ("subcategory",)
    return Ratio(f"{name} {category}".strip(), "%", True, part, f"{part} n", headline=not category, by=by)


RULES: dict[str, outcome.Rule] = {
    **{name: _word("vlmevalkit") for name in MERGED},
    "lmms_eval_intern": _intern,
    "robust": _word("robust"),
    "lmms_eval_judge": _judge,
}
HALLUSIONBENCH = Task(
    name="hallusionbench",
    version="1",
    inputs=frozenset({"text", "image"}),
    source=Source(
        table_in("HallusionBench", "HallusionBench.tsv", pictureless="dropped"),
        ("HallusionBench.tsv", "HallusionBench/HallusionBench.tsv"),
        "HallusionBench.tsv (VLMEvalKit's table; rows without a picture are left out)",
        Hub(
            "lmms-lab-encoder/HallusionBench",
            "image",
            ("category", "subcategory", "set_id", "figure_id", "question_id", "question", "gt_answer", "image"),
            hub_pictures("category", "subcategory", "set_id", "figure_id", "question_id", pictureless="dropped"),
        ),
        published=951,
    ),
    doc=doc_of,
    presets={
        "vita": preset(
            lambda row: f"{field(row, 'question')} Please answer yes or no. {SHORT_ANSWER}",
            VLMEVALKIT_TOKENS,
            VITA_TILES,
        ),
        "lmms_eval": preset(lambda row: field(row, "question"), Generation(max_new_tokens=128)),
        "vlmevalkit": preset(lambda row: field(row, "question"), VLMEVALKIT_TOKENS),
    },
    default_preset="vlmevalkit",
    scorer=outcome.scorer(RULES, _tags, gold_of),
    metrics=(
        *(_accuracy(name) for name in ("aAcc", "fAcc", "qAcc")),
        Statistic("average", "%", True, average, headline=True),
        *(_accuracy(name, category) for category in CATEGORIES for name in ("aAcc", "fAcc", "qAcc")),
    ),
    profiles=tuple(RULES),
    default_profile="vlmevalkit_vita",
    judges={"llm": "llm"},
    without_judge=(*MERGED, "lmms_eval_intern", "robust"),
    benchmark="HallusionBench",
    split="image",
    published_metrics={"average": "mean of aAcc,fAcc,qAcc %"},
    cluster_name="set",
    cluster=set_of,
    group=accuracies,
    citation="Guan et al., HallusionBench: an advanced diagnostic suite for entangled language hallusion, CVPR 2024",
    licence="BSD-3-Clause",
)
