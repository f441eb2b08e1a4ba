"""One side of a gate, a run's or a baseline's: numbers, what decides them, and the parts that they are made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import msgspec

from harness import registry
from harness.exclusions import excluded
from harness.measures import tables_of
from harness.schema import MetricResult
from harness.types import Channel
from harness.units import PartTable
from reports.conditions import DECODING, asked, conditions_of, decoding_of, digest
from reports.runs import Run


class TaskSide(msgspec.Struct, kw_only=True):
    """A task's numbers of the headline profile, by channel, and what they rest on."""

    profile: str
    channel: Channel
    metrics: dict[str, dict[str, MetricResult]]
    """Channel -> metric -> number."""
    n_expected: int
    n_scored: int
    n_failed: int
    valid: bool
    conditions: dict[str, Any]
    samples: str
    """Hash of the ids of the samples that count."""
    questions: str
    """Hash of what was asked of each."""


Parts = list[PartTable]
"""What a task's numbers of one channel are made of, a table each repeat."""


@dataclass(frozen=True)
class Side:
    """`parts` gives those of a task and channel, None where they are not kept."""

    name: str
    device: str
    tasks: Mapping[str, TaskSide]
    parts: Callable[[str, Channel], Parts | None]


def device_of(run: Run) -> str:
    """What a latency depends on, as one text."""
    manifest = run.manifest
    threads = f", {manifest.threads} threads" if manifest.threads else ""
    system = manifest.platform.partition("-")[0]
    return f"{manifest.dtype} on {manifest.device}{threads}, {system}"


def side_of(run: Run) -> Side:
    return Side(
        run.name,
        device_of(run),
        {task: task_side(run, task) for task in run.results.tasks},
        cache(partial(parts_of, run)),
    )


def task_side(run: Run, task: str) -> TaskSide:
    entry, left_out = run.results.tasks[task], excluded(run.directory).by_task.get(task, {})
    questions = {name: one for name, one in asked(run, task).items() if name not in left_out}
    return TaskSide(
        profile=entry.profile,
        channel=entry.channel,
        metrics={channel: found.metrics for channel, found in entry.scores[entry.profile].items()},
        n_expected=entry.n_expected,
        n_scored=entry.n_scored,
        n_failed=entry.n_failed,
        valid=entry.valid,
        conditions=conditions_of(run, task) | {DECODING: decoding_of(run, task)},
        samples=digest(dict.fromkeys(questions, "")),
        questions=digest(questions),
    )


def parts_of(run: Run, task: str, channel: Channel) -> Parts:
    profile = run.results.tasks[task].profile
    return tables_of(registry.get_task(task), profile, channel, run.counted(task))
