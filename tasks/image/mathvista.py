"""MathVista, testmini: 1,000 questions of mathematics in pictures (Lu et al., 2310.02255).

An answer is free text, out of which a rule or a judge extracts a letter, a number or a list; that is compared here.
"""

from __future__ import annotations

from collections.abc import Mapping

from harness.task import Ratio, Row, Task
from harness.types import Doc, Generation
from tasks.data import Source
from tasks.docs import kept
from tasks.image.prompts import as_stored, hinted, short
from tasks.prompts import VITA_TILES, VLMEVALKIT_TOKENS, preset
from tasks.readers.hub import Hub
from tasks.readers.pictures import hub_pictures, table_in
from tasks.scoring import extraction, outcome
from tasks.scoring.cells import listed
from tasks.scoring.choice import scored
from tasks.scoring.mathvista import RULES


def doc_of(row: Row) -> Doc:
    doc = kept(row, "question", "answer", "question_type", "answer_type")
    if extraction.is_choice(doc):
        extraction.gold_letter(doc)
    return doc


def _tags(doc: Doc) -> outcome.Tags:
    """Task and skills, out of the table's columns or the hub's metadata."""
    metadata = doc.get("metadata") or {}
    if not isinstance(metadata, Mapping):
        raise ValueError(f"the row's metadata is {metadata!r}; it must be an object")
    known = {**metadata, **doc}
    tags = {"skill": tuple(listed(known.get("skills")))}
    return tags | {tag: (str(known[tag]),) for tag in ("task", "question_type", "answer_type") if known.get(tag)}


SCORE_TOKENS = Generation(max_new_tokens=16384)
MATHVISTA = Task(
    name="mathvista",
    version="2",
    inputs=frozenset({"text", "image"}),
    source=Source(
        table_in("MathVista", "MathVista_MINI.tsv"),
        ("MathVista_MINI.tsv", "MathVista/MathVista_MINI.tsv", "LMUData/MathVista_MINI.tsv"),
        "MathVista_MINI.tsv (VLMEvalKit's table)",
        Hub(
            "AI4Math/MathVista",
            "testmini",
            ("pid", "question", "query", "choices", "answer", "question_type", "answer_type", "decoded_image"),
            hub_pictures("pid"),
        ),
        published=1000,
    ),
    doc=doc_of,
    presets={
        "vita": preset(as_stored, VLMEVALKIT_TOKENS, VITA_TILES),
        "lmms_eval": preset(hinted, SCORE_TOKENS),
        "lmms_eval_solution": preset(lambda row: f"{hinted(row)}\nSolution:", SCORE_TOKENS),
        "lmms_eval_format": preset(short, SCORE_TOKENS),
        "vlmevalkit": preset(as_stored, VLMEVALKIT_TOKENS),
    },
    default_preset="vlmevalkit",
    scorer=outcome.scorer(RULES, _tags, lambda doc: doc["answer"]),
    metrics=(
        Ratio("accuracy", "%", True, "right", "n", headline=True, by=("task", "skill", "question_type", "answer_type")),
    ),
    profiles=tuple(RULES),
    default_profile="judged",
    judges=scored.JUDGES,
    without_judge=("rules", "robust"),
    benchmark="MathVista",
    split="testmini",
    published_metrics={"accuracy": "acc %"},
    citation="Lu et al., MathVista: mathematical reasoning of foundation models in visual contexts, ICLR 2024",
    licence="CC BY-SA 4.0; the images keep the licences of their sources",
)
