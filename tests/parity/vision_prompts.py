"""Parity of what the presets ask with the recorded prompts of the public evaluations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from harness.task import Preset, Task
from harness.types import Media, Text
from tasks.image.ai2d import AI2D
from tasks.image.hallusionbench import HALLUSIONBENCH
from tasks.image.mathvista import MATHVISTA
from tasks.image.mmbench import EN
from tasks.image.mme import MME
from tasks.image.mmmu import MMMU
from tasks.image.mmstar import MMSTAR
from tasks.image.mmvet import MMVET
from tasks.image.ocrbench import OCRBENCH
from tasks.video.mvbench import MVBENCH
from tasks.video.tempcompass import TEMPCOMPASS
from tasks.video.videomme import SUBTITLED, VIDEOMME
from tests.parity.check import Check
from tests.parity.vision import load

TASKS = {
    "mme": MME,
    "hallusionbench": HALLUSIONBENCH,
    "mmbench": EN,
    "ai2d": AI2D,
    "mmstar": MMSTAR,
    "mmmu": MMMU,
    "videomme": VIDEOMME,
    "mvbench": MVBENCH,
    "tempcompass": TEMPCOMPASS,
    "ocrbench": OCRBENCH,
    "mmvet": MMVET,
    "mathvista": MATHVISTA,
}
PRESETS = {"cot": "lmms_eval", "solution": "lmms_eval_solution", "format": "lmms_eval_format"}
FORMATS = {"multi_choice": "multi-choice"}


def prompts(goldens: Path) -> Check:
    golden = load(goldens, "prompts")
    check = Check("prompts")
    for record in golden["records"]:
        name, tag = record["id"].partition("-")[0], record["tag"]
        task = SUBTITLED if tag == "subtitles_file_missing" else TASKS[name]
        row = _row(task, record["doc"], tag, goldens)
        expected = record["expected"]
        if "lmms_eval" in expected:
            said, _ = _asked(task.presets[PRESETS.get(tag, "lmms_eval")], row)
            check.equal(f"lmms_eval {record['id']}", said, expected["lmms_eval"])
        if "vita_vlmevalkit" in expected:
            _vita(check, record["id"], task.presets["vita"], row, expected["vita_vlmevalkit"])
    return check


def _row(task: Task, doc: Mapping[str, Any], tag: str, file: Path) -> dict[str, Any]:
    medium = "video" if "video" in task.inputs else "image"
    row = {**doc, medium: file}
    return row | ({"task_type": FORMATS.get(tag, tag)} if task is TEMPCOMPASS else {})


def _asked(preset: Preset, row: Mapping[str, Any]) -> tuple[str, bool]:
    """The text of a conversation with its marks of pictures, and whether all media come first."""
    parts = [part for message in preset.messages(dict(row)) for part in message.parts]
    first = [isinstance(part, Media) for part in parts]
    media_first = first == sorted(first, reverse=True)
    text = "".join(part.text if isinstance(part, Text) else "<image 1>" for part in parts[sum(first) * media_first :])
    return text, media_first


def _vita(check: Check, name: str, preset: Preset, row: Mapping[str, Any], expected: Mapping[str, Any]) -> None:
    said, media_first = _asked(preset, row)
    if "hint" not in row and said != expected["text"] and expected["text"].endswith(f"\n{said}"):
        # the record's doc leaves out the hint that the reference was given
        said, _ = _asked(preset, {**row, "hint": expected["text"].removesuffix(f"\n{said}")})
    check.equal(f"vita {name}", said, expected["text"])
    check.equal(f"vita {name} order", media_first, expected["images_first"])
    check.equal(f"vita {name} tiles", preset.pictures.max_tiles, expected["max_tiles"])


COMPONENTS: dict[str, Callable[[Path], Check]] = {"prompts": prompts}
