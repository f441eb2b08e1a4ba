"""The answers of a task whose moments are known, as the latency plots read them from the log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from harness.types import Timings
from reports.runs import Run

STAGES: Mapping[str, str] = {
    "encoded": "until inputs are encoded",
    "first_token": "until the first text token",
    "first_audio_token": "until the first audio token",
    "first_audio": "until the first sound",
    "end": "until the end",
}
"""Moment of `Timings` -> the stage that ends with it, which begins with the moment before."""


@dataclass(frozen=True)
class Answered:
    """An answer's id and timings, in seconds."""

    id: str
    repeat: int
    timings: Timings

    @property
    def whole(self) -> float:
        return self.timings.end - self.timings.start

    @property
    def stages(self) -> dict[str, tuple[float, float]]:
        """Moment -> (from, to) in seconds since the request, in the order in which the moments came."""
        moments = [(getattr(self.timings, name), name) for name in STAGES]
        known = sorted(((at - self.timings.start, name) for at, name in moments if at is not None), key=lambda m: m[0])
        found, before = {}, 0.0
        for at, name in known:
            found[name] = (before, at)
            before = at
        return found


@dataclass(frozen=True)
class Timed:
    """A task's answers with timings, and how many records have none (failed, kept from an earlier run, not timed)."""

    answers: tuple[Answered, ...]
    without: int


def timed(run: Run, task: str) -> Timed:
    answers, without = [], 0
    for record in run.counted_records(task):
        timings = None if record.cached or record.response is None else record.response.timings
        if timings is None:
            without += 1
        else:
            answers.append(Answered(record.id, record.repeat, timings))
    return Timed(tuple(answers), without)


def limits(run: Run, task: str, without: int) -> list[str]:
    """What limits a task's latencies: how they were asked, on what, and how many answers have none."""
    alone = run.manifest.tasks[task].max_batch == 1
    said = ["asked one at a time" if alone else "answered in batches: latencies hold waiting for the batch"]
    said.append(f"{run.manifest.dtype} on {run.manifest.device}")
    if without:
        said.append(f"{without:,} without timings")
    return said
