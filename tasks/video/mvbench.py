"""MVBench: 20 tasks of 200 questions on clips that single frames do not answer (Li et al., 2311.17005)."""

from __future__ import annotations

from harness.task import Combined, Preset, Ratio, Row, Task
from harness.types import Doc, Generation, Message, Pictures, Text
from tasks.data import Source
from tasks.docs import kept, tagged
from tasks.prompts import clip_of, field, preset
from tasks.readers.clips import MVBENCH as TASKS
from tasks.readers.clips import below, mvbench
from tasks.readers.hub import Hub
from tasks.scoring import outcome
from tasks.scoring.cells import options_of
from tasks.scoring.choice import scored
from tasks.scoring.mvbench import RULES, gold_of

FRAMES = Pictures(max_frames=16, frame_rule="centres")
SYSTEM = (
    "Carefully watch the video and pay attention to the cause and sequence of events, the detail and movement of "
    "objects, and the action and pose of persons. Based on your observations, select the best option that accurately "
    "addresses the question.\n"
)
ONLY = "Only give the best option."


def doc_of(row: Row) -> Doc:
    doc = kept(row, "question", "answer", "task_type")
    if doc["task_type"] not in TASKS:
        raise ValueError(f"MVBench has no task {doc['task_type']!r}; it has {', '.join(TASKS)}")
    gold_of(doc)
    return doc


def _options(row: Row) -> str:
    return "".join(f"({letter}) {text}\n" for letter, text in options_of(row).items())


def _lmms_eval(row: Row) -> str:
    return f"Question:{field(row, 'question')}\nOption:\n{_options(row)}{ONLY}\n"


def _vlmevalkit(row: Row) -> str:
    return f"Question: {field(row, 'question')}\nOptions:\n{_options(row)}{ONLY}"


def best_option(row: Row) -> str:
    """VLMEvalKit's question, with the beginning of the answer."""
    return f"{_vlmevalkit(row)}\nBest option:("


def _with_system(generation: Generation) -> Preset:
    """VLMEvalKit's: a system text, the clip, the question."""

    def messages(row: Row) -> tuple[Message, ...]:
        return (Message("system", (Text(SYSTEM),)), Message("user", (clip_of(row), Text(best_option(row)))))

    return Preset(messages, generation, Pictures(max_frames=8, frame_rule="centres"))


MVBENCH = Task(
    name="mvbench",
    version="2",
    inputs=frozenset({"text", "video"}),
    source=Source(
        below("MVBench", mvbench),
        ("MVBench",),
        "MVBench/{json/<task>.json, video/<folder of the task>/*}",
        Hub(
            "OpenGVLab/MVBench",
            "train",
            ("video", "question", "candidates", "answer"),
            revision="video",
            folder=mvbench,
        ),
        published=4000,
    ),
    doc=doc_of,
    presets={
        "lmms_eval": preset(_lmms_eval, Generation(max_new_tokens=16), FRAMES),
        "vlmevalkit": _with_system(Generation(max_new_tokens=2048)),
    },
    default_preset="vlmevalkit",
    scorer=outcome.scorer(RULES, lambda doc: tagged(doc, task="task_type"), gold_of),
    metrics=(
        Ratio("accuracy", "%", True, "right", "n", headline=True, by=("task",)),
        Combined("task_mean", "%", True, "accuracy", "task", dict.fromkeys(TASKS, 1 / len(TASKS))),
    ),
    profiles=tuple(RULES),
    default_profile="strict",
    judges=scored.JUDGES,
    without_judge=tuple(name for name in RULES if name != "judged"),
    benchmark="MVBench",
    split="all 20 tasks",
    published_metrics={"accuracy": "acc %"},
    cluster_name="video",
    cluster=lambda doc: str(doc["video_name"]) if doc.get("video_name") else None,
    citation="Li et al., MVBench: a comprehensive multi-modal video understanding benchmark, CVPR 2024",
    licence="MIT; the videos keep the licences of their sources",
)
