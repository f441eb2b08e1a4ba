"""The samples of a task as they come, counted and kept as the parts that its metrics are made of."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from harness.schema import Record
from harness.task import Member, Quantile, Task
from harness.types import Score
from harness.units import Grouped, PartTable


@dataclass(slots=True)
class Tally:
    """The samples of one profile and channel in one repeat."""

    task: Task
    profile: str
    counts: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    """Why samples are unscored."""
    notes: Counter[str] = field(default_factory=Counter)
    """What is lacking beside samples' scores."""
    lost: int = 0
    """Failed samples that count nowhere: it is not known what they belong to."""
    unfit: Counter[str] = field(default_factory=Counter)
    """Why groups have no parts that count -> how many samples they have."""
    table: PartTable = field(default_factory=PartTable)
    groups: Grouped | None = None

    def __post_init__(self) -> None:
        if self.task.group is not None:
            self.groups = Grouped(self.task, self.profile)

    def add(self, record: Record, score: Score) -> None:
        self.counts[score.status] += 1
        if score.status == "unscored":
            self.reasons[score.reason or ""] += 1
            return
        if score.status == "ok" and score.reason:
            self.notes[score.reason] += 1
        timed = all(isinstance(metric, Quantile) for metric in self.task.metrics)
        if score.status == "failed" and not timed:
            self.lost += not score.parts or (self.groups is not None and record.cluster is None)
        if self.groups is not None:
            if score.parts:
                self.groups.add(record.cluster, record.id, Member(record.doc, score))
        else:
            self.table.add(record.id, score.parts, record.cluster, score.tags)
            self.table.add_payload(record.id, score.payload or {})

    def finished(self) -> PartTable:
        if self.groups is not None:
            self.table = self.groups.table()
            self.lost += self.groups.torn
            self.unfit = self.groups.unfit
        return self.table
