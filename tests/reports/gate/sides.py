"""Sides of a gate made by hand: utterances with their errors, answers right and wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from harness.schema import MetricResult
from harness.units import PartTable
from reports.gate.config import Gate
from reports.gate.side import Parts, Side, TaskSide

WORDS = 20.0
ASR, MME, LATENCY, CHOICE = "librispeech_test_clean", "mme", "latency_fixed", "ai2d"


def metric(value: float | None, unit: str = "%", higher: bool = False, ci_unit: str = "sample") -> MetricResult:
    return MetricResult(value, unit, higher, True, 40, ci_unit=ci_unit)


CONDITIONS = {"prompt": "vita", "data": {"sha256": "a"}, "profile": "qwen2", "decoding": {"mode": "turbo"}}


def task_side(metrics: dict[str, MetricResult], **changes: Any) -> TaskSide:
    made = TaskSide(
        profile="qwen2",
        channel="",
        metrics={"": metrics},
        n_expected=40,
        n_scored=40,
        n_failed=0,
        valid=True,
        conditions=CONDITIONS,
        samples="ids",
        questions="messages",
    )
    return msgspec.structs.replace(made, **changes)


def utterances(errors: Sequence[float]) -> Parts:
    table = PartTable()
    for number, count in enumerate(errors):
        table.add(str(number), {"errors": count, "units": WORDS}, None, {})
    return [table]


def answers(right: Sequence[bool]) -> Side:
    """A run of questions that are right or wrong."""
    table = PartTable()
    for number, one in enumerate(right):
        table.add(str(number), {"right": float(one), "n": 1.0}, None, {})
    value = metric(100 * sum(right) / len(right), higher=True)
    side = task_side({"accuracy": value}, n_expected=len(right), n_scored=len(right))
    return Side("run", "float32 on cpu", {CHOICE: side}, lambda task, channel: [table])


def asr(errors: Sequence[float], device: str = "float32 on cpu", **changes: Any) -> Side:
    """A run of recognition with as many errors in each utterance of 20 words."""
    value = 100 * sum(errors) / (WORDS * len(errors)) if errors else None
    about = {"n_expected": len(errors), "n_scored": len(errors)} | changes
    return Side(
        "run", device, {ASR: task_side({"wer": metric(value)}, **about)}, lambda task, channel: utterances(errors)
    )


def numbers(task: str, device: str = "float32 on cpu", **metrics: MetricResult) -> Side:
    """A run with numbers and no parts."""
    return Side("run", device, {task: task_side(metrics)}, lambda task, channel: None)


def gate(task: str = ASR, metric: str = "wer", **fields: Any) -> Gate:
    return Gate(task=task, metric=metric, **fields)
