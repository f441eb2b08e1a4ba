"""MM-Vet: 218 open questions that need up to six capabilities together (Yu et al., 2308.02490).

A judge grades each answer 0..1 against gold texts that all (`<AND>`) or one (`<OR>`) must be there.
"""

from __future__ import annotations

from harness.task import Ratio, Row, Task
from harness.types import Doc, Generation
from tasks.data import Source
from tasks.docs import kept
from tasks.prompts import VITA_TILES, VLMEVALKIT_TOKENS, field, preset
from tasks.readers.hub import Hub
from tasks.readers.pictures import hub_pictures, table_in
from tasks.scoring import outcome
from tasks.scoring.choice import scored
from tasks.scoring.mmvet import RULES, elements

CAPABILITIES = ("rec", "ocr", "know", "gen", "spat", "math")
REASONING = (
    "First please perform reasoning, and think step by step to provide best answer to the following question: \n\n"
)


def doc_of(row: Row) -> Doc:
    doc = kept(row, "question", "answer")
    _capabilities(doc)
    elements(doc)
    return doc


def _capabilities(doc: Doc) -> list[str]:
    value = str(doc.get("capability") or doc.get("category") or "")
    named = [part.strip() for part in value.split(",")]
    if unknown := [name for name in named if name not in CAPABILITIES]:
        raise ValueError(f"MM-Vet has no capability {unknown[0]!r}; it has {', '.join(CAPABILITIES)}")
    return named


def _tags(doc: Doc) -> outcome.Tags:
    named = _capabilities(doc)
    return {"capability": tuple(named), "combination": ("_".join(named),)}


MMVET = Task(
    name="mmvet",
    version="1",
    inputs=frozenset({"text", "image"}),
    source=Source(
        table_in("MMVet", "MMVet.tsv", pictureless="kept"),
        ("MMVet.tsv", "MMVet/MMVet.tsv", "LMUData/MMVet.tsv"),
        "MMVet.tsv (VLMEvalKit's table)",
        Hub(
            "lmms-lab-encoder/MMVet",
            "test",
            ("question_id", "question", "answer", "capability", "image"),
            hub_pictures("question_id", pictureless="kept"),
        ),
        published=218,
    ),
    doc=doc_of,
    presets={
        "vita": preset(lambda row: field(row, "question"), VLMEVALKIT_TOKENS, VITA_TILES, blind=True),
        "lmms_eval": preset(
            lambda row: REASONING + field(row, "question"), Generation(max_new_tokens=1024), blind=True
        ),
        "vlmevalkit": preset(lambda row: field(row, "question"), VLMEVALKIT_TOKENS, blind=True),
    },
    default_preset="vlmevalkit",
    scorer=outcome.scorer(RULES, _tags, lambda doc: doc["answer"]),
    metrics=(Ratio("score", "%", True, "right", "n", headline=True, by=("capability", "combination")),),
    profiles=tuple(RULES),
    default_profile="judged",
    judges=scored.JUDGES,
    without_judge=("rules", "robust"),
    benchmark="MM-Vet",
    split="all 218",
    published_metrics={"score": "judge score /100"},
    citation="Yu et al., MM-Vet: evaluating large multimodal models for integrated capabilities, ICML 2024",
    licence="CC BY-NC 4.0; the images keep the licences of their sources",
)
