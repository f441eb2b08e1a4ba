"""Runs of the toy model, whose answers are changed afterwards and scored again."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

Call = Callable[..., Any]
ARGUMENTS = ("run", "-m", "toy-model", "-t", "toy", "--data", "mini")


def made(call: Call, path: Path, *more: object) -> Path:
    """A run of 40 questions in clusters of four, all answered right."""
    assert call(*ARGUMENTS, "--out", path, *more).code == 0
    return path


def worsened(call: Call, run: Path, to: Path, wrong: Collection[int]) -> Path:
    """A copy in which some answers are wrong."""
    return answered(call, run, to, {str(number): "no idea" for number in wrong})


def answered(call: Call, run: Path, to: Path, texts: Mapping[str, str]) -> Path:
    """A copy in which some samples (by id) have other answers."""
    shutil.copytree(run, to)
    log = to / "samples" / "toy.jsonl"
    records = [json.loads(line) for line in log.read_text("utf-8").splitlines()]
    for record in records:
        if record["id"] in texts:
            record["response"]["text"] = texts[record["id"]]
    log.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    assert call("score", to).code == 0
    return to
