"""AI2D: 3,088 multiple-choice questions on diagrams of school science, test split (Kembhavi et al., 1603.07396)."""

from __future__ import annotations

from harness.task import Ratio, Row, Task
from harness.types import Doc, Generation
from tasks.data import Source
from tasks.docs import kept, tagged
from tasks.prompts import (
    LETTER_ONLY,
    VITA_TILES,
    VLMEVALKIT_TOKENS,
    field,
    option_lines,
    preset,
    vita_asks,
    vlmevalkit_asks,
)
from tasks.readers.hub import Hub
from tasks.readers.media import content_key
from tasks.readers.pictures import hub_pictures, table_in
from tasks.scoring.cells import options_of
from tasks.scoring.choice import Options, scored
from tasks.scoring.choice.lmms_eval import comparable


def doc_of(row: Row) -> Doc:
    """With `image_key`, by which questions on one diagram are known."""
    doc = kept(row, "question", "answer")
    gold(doc)
    return {**doc, "image_key": content_key(row.get("image"))}


def gold(doc: Doc) -> str:
    """The gold letter: the table's answer is one, the hub's is the place of an option, counted from 0, even where the
    options are numbers. Raises ValueError."""
    answer, options = str(doc.get("answer", "")).strip(), list(options_of(doc))
    if not answer.isdecimal():
        return scored.lettered(doc)
    if int(answer) >= len(options):
        raise ValueError(f"answer {answer!r} is the place of none of the {len(options)} options, counted from 0")
    return options[int(answer)]


def _letter(answer: str, options: Options) -> str | None:
    """lmms-eval compares whole answers: the option whose letter is all that is left of it."""
    return next((letter for letter in options if letter.lower() == comparable(answer)), None)


def _lmms_eval(row: Row) -> str:
    return f"{field(row, 'question')}{option_lines(options_of(row))}\n{LETTER_ONLY}"


AI2D = Task(
    name="ai2d",
    version="2",
    inputs=frozenset({"text", "image"}),
    source=Source(
        table_in("AI2D", "AI2D_TEST.tsv"),
        ("AI2D_TEST.tsv", "AI2D/AI2D_TEST.tsv", "LMUData/AI2D_TEST.tsv"),
        "AI2D_TEST.tsv (VLMEvalKit's table; option boxes masked)",
        Hub("lmms-lab-encoder/ai2d", "test", ("question", "options", "answer", "image"), hub_pictures()),
        published=3088,
    ),
    doc=doc_of,
    presets={
        "vita": preset(vita_asks, VLMEVALKIT_TOKENS, VITA_TILES),
        "lmms_eval": preset(_lmms_eval, Generation(max_new_tokens=16)),
        "vlmevalkit": preset(vlmevalkit_asks, VLMEVALKIT_TOKENS),
    },
    default_preset="vlmevalkit",
    scorer=scored.scorer(_letter, lambda doc: tagged(doc, "category"), gold=gold),
    metrics=(Ratio("accuracy", "%", True, "right", "n", headline=True, by=("category",)),),
    profiles=scored.PROFILES,
    default_profile="vlmevalkit_vita",
    judges=scored.JUDGES,
    without_judge=scored.RULE_PROFILES,
    benchmark="AI2D",
    split="test",
    published_metrics={"accuracy": "acc %"},
    cluster_name="image",
    cluster=lambda doc: doc.get("image_key"),
    citation="Kembhavi et al., A diagram is worth a dozen images, ECCV 2016",
    licence="CC BY-SA 4.0",
)
