"""TempCompass: 7,540 questions in four formats on five aspects of time, on 410 videos (Liu et al., 2403.00476).

Captions can only be scored by a judge, which answers a question from them; without a judge they are unscored.
"""

from __future__ import annotations

from harness.task import Combined, Ratio, Row, Task
from harness.types import Doc, Generation, Pictures
from tasks.data import Source
from tasks.docs import kept, tagged
from tasks.prompts import field, preset
from tasks.readers.clips import below, tempcompass
from tasks.readers.hub import Hub
from tasks.scoring import outcome
from tasks.scoring.choice import scored
from tasks.scoring.tempcompass import RULES, WITHOUT_JUDGE, gold_of, needs_judge

FORMATS = ("multi-choice", "yes_no", "caption_matching", "captioning")
ASPECTS = ("action", "direction", "speed", "order", "attribute_change")
SUFFIXES = {
    "multi-choice": "\nPlease directly give the best option:",
    "yes_no": "\nPlease answer yes or no:",
    "caption_matching": "\nPlease directly give the best option:",
    "captioning": "",
}
FRAMES = Pictures(max_frames=16, frame_rule="uniform")


def doc_of(row: Row) -> Doc:
    """Raises ValueError naming the field that is missing or unknown."""
    doc = kept(row, "question", "task_type", "dim")
    for name, known in (("task_type", FORMATS), ("dim", ASPECTS)):
        if doc[name] not in known:
            raise ValueError(f"TempCompass has no {name} {doc[name]!r}; it has {', '.join(known)}")
    gold_of(doc)
    return doc


def _wording(row: Row) -> str:
    return field(row, "question") + SUFFIXES[str(row["task_type"])]


def _first_line(row: Row) -> str:
    """VLMEvalKit keeps the first line of a yes/no question only."""
    question = field(row, "question")
    return (question.split("\n")[0] if row["task_type"] == "yes_no" else question) + SUFFIXES[str(row["task_type"])]


LIMIT = Generation(max_new_tokens=512)
TEMPCOMPASS = Task(
    name="tempcompass",
    version="2",
    inputs=frozenset({"text", "video"}),
    source=Source(
        below("TempCompass", tempcompass),
        ("TempCompass",),
        "TempCompass/{questions/{multi-choice,yes_no,caption_matching,captioning}.json, videos/*.mp4}",
        Hub(
            "lmms-lab/TempCompass",
            "test",
            ("video_id", "question", "answer", "dim"),
            folder=tempcompass,
        ),
        published=7540,
    ),
    doc=doc_of,
    presets={
        "lmms_eval": preset(_wording, LIMIT, FRAMES),
        "vlmevalkit": preset(_first_line, LIMIT, Pictures(max_frames=8, frame_rule="inner")),
    },
    default_preset="lmms_eval",
    scorer=outcome.scorer(RULES, lambda doc: tagged(doc, "dim", format="task_type"), gold_of, unscored=needs_judge),
    metrics=(
        Ratio("accuracy", "%", True, "right", "n", lower=-100.0, headline=True, by=("format", "dim")),
        Combined("format_mean", "%", True, "accuracy", "format", dict.fromkeys(FORMATS, 1 / len(FORMATS))),
    ),
    profiles=tuple(RULES),
    default_profile="judged",
    judges=scored.JUDGES,
    without_judge=WITHOUT_JUDGE,
    benchmark="TempCompass",
    split="overall (task mix not named)",
    published_metrics={"accuracy": "acc %"},
    cluster_name="video",
    cluster=lambda doc: str(doc["video_id"]) if doc.get("video_id") else None,
    citation="Liu et al., TempCompass: do video LLMs really understand videos?, ACL Findings 2024",
    licence="the videos keep the licences of their sources",
)
