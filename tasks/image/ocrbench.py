"""OCRBench: 1,000 questions on text in pictures, of ten types in five groups (Liu et al., 2305.07895).

Right is an answer that contains a gold text; the score is points of 1,000, one a right answer on the whole set.
"""

from __future__ import annotations

from harness.task import Ratio, Row, Task
from harness.types import Doc, Generation, Pictures
from tasks.data import Source
from tasks.docs import kept
from tasks.prompts import SHORT_ANSWER, VLMEVALKIT_TOKENS, field, preset
from tasks.readers.hub import Hub
from tasks.readers.pictures import hub_pictures, table_in
from tasks.scoring import outcome
from tasks.scoring.cells import listed
from tasks.scoring.free_text import contains, mentions
from tasks.scoring.outcome import Outcome

FORMULAS = "Handwritten Mathematical Expression Recognition"
RECOGNITION = (
    "Regular Text Recognition", "Irregular Text Recognition", "Artistic Text Recognition", "Handwriting Recognition",
    "Digit String Recognition", "Non-Semantic Text Recognition",
)  # fmt: skip
GROUPS = dict.fromkeys(RECOGNITION, "Text Recognition") | {
    name: name for name in ("Scene Text-centric VQA", "Doc-oriented VQA", "Key Information Extraction", FORMULAS)
}


def doc_of(row: Row) -> Doc:
    """Raises ValueError naming the field that is missing or unknown."""
    doc = kept(row, "question", "answer")
    _type(doc)
    if not listed(doc["answer"]):
        raise ValueError(f"the row has no gold answer: answer is {doc['answer']!r}")
    return doc


def _type(doc: Doc) -> str:
    named = str(doc.get("question_type") or doc.get("category"))
    if named not in GROUPS:
        raise ValueError(f"OCRBench has no type {named!r}; it has {', '.join(GROUPS)}")
    return named


def _tags(doc: Doc) -> outcome.Tags:
    return {"group": (GROUPS[_type(doc)],), "type": (_type(doc),)}


def _vlmevalkit(answer: str, doc: Doc) -> Outcome:
    return Outcome(answer, contains(answer, listed(doc["answer"]), formula=_type(doc) == FORMULAS))


def _lmms_eval(answer: str, doc: Doc) -> Outcome:
    """Its formulas are told by their source; full-width characters are folded."""
    formula = str(doc.get("dataset")) == "HME100k" if doc.get("dataset") else _type(doc) == FORMULAS
    return Outcome(answer, contains(answer, listed(doc["answer"]), formula=formula, full_width=True))


def _robust(answer: str, doc: Doc) -> Outcome:
    return Outcome(answer, mentions(answer, listed(doc["answer"]), formula=_type(doc) == FORMULAS))


RULES: dict[str, outcome.Rule] = {
    "vlmevalkit_vita": _vlmevalkit,
    "vlmevalkit": _vlmevalkit,
    "lmms_eval": _lmms_eval,
    "robust": _robust,
}
OCRBENCH = Task(
    name="ocrbench",
    version="1",
    inputs=frozenset({"text", "image"}),
    source=Source(
        table_in("OCRBench", "OCRBench.tsv"),
        ("OCRBench.tsv", "OCRBench/OCRBench.tsv", "LMUData/OCRBench.tsv"),
        "OCRBench.tsv (VLMEvalKit's table)",
        Hub("echo840/OCRBench", "test", ("dataset", "question", "question_type", "answer", "image"), hub_pictures()),
        published=1000,
    ),
    doc=doc_of,
    presets={
        "vita": preset(
            lambda row: f"{field(row, 'question')}\n{SHORT_ANSWER}", VLMEVALKIT_TOKENS, Pictures(max_tiles=24)
        ),
        "lmms_eval": preset(lambda row: field(row, "question").strip(), Generation(max_new_tokens=128)),
        "vlmevalkit": preset(lambda row: field(row, "question"), VLMEVALKIT_TOKENS),
    },
    default_preset="vlmevalkit",
    scorer=outcome.scorer(RULES, _tags, lambda doc: " | ".join(listed(doc["answer"]))),
    metrics=(
        Ratio("score", "points", True, "right", "n", scale=1000, upper=1000, headline=True),
        Ratio("accuracy", "%", True, "right", "n", by=("group", "type")),
    ),
    profiles=tuple(RULES),
    default_profile="vlmevalkit_vita",
    benchmark="OCRBench",
    split="all 1000",
    published_metrics={"score": "score /1000"},
    citation="Liu et al., OCRBench: on the hidden mystery of OCR in large multimodal models, 2023",
    licence="the images keep the licences of their sources",
)
