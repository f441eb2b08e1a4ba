"""HallusionBench, image part: 951 yes/no questions on figures and edited figures (Guan et al., 2310.14566).

Three accuracies: of questions (aAcc), of figures with all their questions right (fAcc), of questions right on all
figures of their set (qAcc). The papers print the mean of the three.
"""

from __future__ import annotations

from harness.task import Ratio, Row, Statistic, Task
from harness.types import Doc, Generation
from tasks.data import Source
from tasks.docs import kept
from tasks.prompts import SHORT_ANSWER, VITA_TILES, VLMEVALKIT_TOKENS, field, preset
from tasks.readers.hub import Hub
from tasks.readers.pictures import hub_pictures, table_in
from tasks.scoring import outcome
from tasks.scoring.hallusionbench import CATEGORIES, MERGED, RULES, accuracies, average, gold_of


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
    _tags(doc)
    return doc


def set_of(doc: Doc) -> str | None:
    """Everything that is grouped together lies within one set of a subcategory."""
    parts = (doc.get("subcategory") or doc.get("l2-category"), doc.get("set_id"))
    return None if None in parts else "/".join(map(str, parts))


def _tags(doc: Doc) -> outcome.Tags:
    """Raises ValueError for a category that is none."""
    if doc["category"] not in CATEGORIES:
        raise ValueError(f"HallusionBench has no category {doc['category']!r}; it has {', '.join(CATEGORIES)}")
    return {"subcategory": (str(doc.get("subcategory") or doc.get("l2-category")),)}


def _vita(row: Row) -> str:
    return f"{field(row, 'question')} Please answer yes or no. {SHORT_ANSWER}"


def _accuracy(name: str, category: str = "") -> Ratio:
    part = f"{name}{category}"
    by = () if category else ("subcategory",)
    return Ratio(f"{name} {category}".strip(), "%", True, part, f"{part} n", headline=not category, by=by)


HALLUSIONBENCH = Task(
    name="hallusionbench",
    version="1",
    inputs=frozenset({"text", "image"}),
    source=Source(
        table_in("HallusionBench", "HallusionBench.tsv", pictureless="dropped"),
        ("HallusionBench.tsv", "HallusionBench/HallusionBench.tsv", "LMUData/HallusionBench.tsv"),
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
        "vita": preset(_vita, VLMEVALKIT_TOKENS, VITA_TILES),
        "lmms_eval": preset(lambda row: field(row, "question"), Generation(max_new_tokens=128)),
        "vlmevalkit": preset(lambda row: field(row, "question"), VLMEVALKIT_TOKENS),
    },
    default_preset="vlmevalkit",
    scorer=outcome.scorer(RULES, _tags, gold_of),
    metrics=(
        *(_accuracy(name) for name in ("aAcc", "fAcc", "qAcc")),
        Statistic("average", "%", True, average, over="aAcc n", headline=True),
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
