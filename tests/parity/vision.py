"""What the image and video benchmarks' parity checks share: golden records through the engine's own scoring."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from harness.aggregate import Planned, task_result
from harness.judging import Replay
from harness.schema import Record, Scored, ScoreResult, StoredResponse
from harness.scoring import score_records
from harness.task import Task
from harness.types import Score
from tests.parity.goldens import locate

SCORE_TOLERANCE = 1e-6


def load(goldens: Path, name: str) -> dict[str, Any]:
    golden: dict[str, Any] = json.loads(locate(goldens, "vision", f"{name}.json").read_text("utf-8"))
    return golden


class Run(NamedTuple):
    """Golden records with our score of each under one profile."""

    task: Task
    profile: str
    records: Sequence[Mapping[str, Any]]
    scored: Sequence[Scored]

    @property
    def pairs(self) -> list[tuple[Mapping[str, Any], Score]]:
        return [(golden, one.scores[self.profile][""]) for golden, one in zip(self.records, self.scored, strict=True)]

    def result(self, keep: Mapping[str, Any] | None = None) -> ScoreResult:
        """The aggregator's result over records whose doc has these values."""
        wanted = [
            (_record(self.task, golden), one)
            for golden, one in zip(self.records, self.scored, strict=True)
            if all(golden["doc"].get(name) == value for name, value in (keep or {}).items())
            and not golden.get("exclude_from_aggregate")
        ]
        return task_result(self.task, Planned("", self.profile), wanted, None).headline


def run(task: Task, golden: Mapping[str, Any], profile: str, key: str) -> Run:
    """The golden records that the reference `key` has an expectation of."""
    only = replace(task, profiles=(profile,), default_profile=profile)
    records = [record for record in golden["records"] if key in record["expected"]]
    scored = [next(score_records(only, None, [_record(only, one)], Path(), _replies(one))) for one in records]
    return Run(only, profile, records, scored)


def _record(task: Task, golden: Mapping[str, Any]) -> Record:
    response = StoredResponse(golden["response"])
    return Record(golden["id"], "", 0, [], golden["doc"], cluster=task.cluster(golden["doc"]), response=response)


def _replies(golden: Mapping[str, Any]) -> Replay:
    replies = golden.get("judge_replies") or [golden.get("judge_reply") or ""]
    return Replay(replies)


def value(result: ScoreResult, metric: str) -> float | None:
    return result.metrics[metric].value


def of_tag(result: ScoreResult, tag: str, name: str, metric: str) -> float | None:
    group = result.groups.get(tag, {}).get(name)
    return None if group is None else group.metrics[metric].value
