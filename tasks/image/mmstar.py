"""MMStar: 1,500 multiple-choice questions that need their picture, 18 kinds (Chen et al., 2403.20330)."""

from __future__ import annotations

import re

from harness.task import Combined, Ratio, Row, Task
from harness.types import Doc, Generation
from tasks.data import Source
from tasks.docs import kept, tagged
from tasks.prompts import VITA_TILES, VLMEVALKIT_TOKENS, field, preset, vita_choice, vlmevalkit_choice
from tasks.readers.hub import Hub
from tasks.readers.pictures import hub_pictures, table_in
from tasks.scoring.cells import options_of
from tasks.scoring.choice import Options, scored
from tasks.scoring.choice.lmms_eval import best_placed

KINDS = {
    "coarse perception": ("image style & quality", "image scene and topic", "image emotion"),
    "fine-grained perception": ("object counting", "recognition", "localization"),
    "instance reasoning": (
        "single-instance reasoning", "cross-instance attribute reasoning", "cross-instance relation reasoning",
    ),
    "logical reasoning": ("code & sequence reasoning", "diagram reasoning", "common reasoning"),
    "science & technology": (
        "biology & chemistry & physics", "electronics & energy & mechanical eng.",
        "geography & earth science & agriculture",
    ),
    "math": ("geometry", "numeric commonsense and calculation", "statistical reasoning"),
}  # fmt: skip
_INSIDE = re.compile(r"\n?Options:\s*(?=A: )")
_OPTION = re.compile(r"(?:^|,\s*|\n)([A-D]): ")


def question_of(row: Row | Doc) -> tuple[str, Options]:
    """The question without its options, and these: the hub's question text holds both ("Options: A: .., B: ..")."""
    question, *listed = _INSIDE.split(field(row, "question"), maxsplit=1)
    if options := options_of(row):
        return question, options
    pieces = _OPTION.split(listed[0])[1:] if listed else []
    return question, dict(zip(pieces[::2], (text.strip().rstrip(",") for text in pieces[1::2]), strict=True))


def doc_of(row: Row) -> Doc:
    doc = kept(row, "question", "answer", "category", "l2_category")
    _gold(doc)
    return doc


def _options(doc: Doc) -> Options:
    return question_of(doc)[1]


def _gold(doc: Doc) -> str:
    return scored.lettered({**doc, "options": _options(doc)})


def _lmms_eval(row: Row) -> str:
    question, options = question_of(row)
    listed = ", ".join(f"{letter}: {text}" for letter, text in options.items())
    text = row["question"] if _INSIDE.search(row["question"]) else f"{question}\nOptions: {listed}"
    return f"{text}\nAnswer with the option's letter from the given choices directly"


MMSTAR = Task(
    name="mmstar",
    version="1",
    inputs=frozenset({"text", "image"}),
    source=Source(
        table_in("MMStar", "MMStar.tsv"),
        ("MMStar.tsv", "MMStar/MMStar.tsv", "LMUData/MMStar.tsv"),
        "MMStar.tsv (VLMEvalKit's table)",
        Hub(
            "Lin-Chen/MMStar",
            "val",
            ("index", "question", "image", "answer", "category", "l2_category"),
            hub_pictures("index"),
        ),
        published=1500,
    ),
    doc=doc_of,
    presets={
        "vita": preset(lambda row: vita_choice(*question_of(row)), VLMEVALKIT_TOKENS, VITA_TILES),
        "lmms_eval": preset(_lmms_eval, Generation()),
        "vlmevalkit": preset(lambda row: vlmevalkit_choice(*question_of(row)), VLMEVALKIT_TOKENS),
    },
    default_preset="vlmevalkit",
    scorer=scored.scorer(
        lambda answer, options: best_placed(answer),
        lambda doc: tagged(doc, "category", "l2_category"),
        gold=_gold,
        options=_options,
    ),
    metrics=(
        Ratio("accuracy", "%", True, "right", "n", headline=True, by=("category", "l2_category")),
        Combined(
            "l2_mean",
            "%",
            True,
            "accuracy",
            "l2_category",
            dict.fromkeys((kind for kinds in KINDS.values() for kind in kinds), 1 / 18),
        ),
    ),
    profiles=scored.PROFILES,
    default_profile="vlmevalkit_vita",
    judges=scored.JUDGES,
    without_judge=scored.RULE_PROFILES,
    benchmark="MMStar",
    split="val",
    published_metrics={"accuracy": "acc %"},
    citation="Chen et al., Are we on the right way for evaluating large vision-language models?, NeurIPS 2024",
    licence="the images keep the licences of their sources",
)
