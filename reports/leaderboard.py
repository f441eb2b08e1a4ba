"""Every number of a run as one flat row each: `data/leaderboard.json` of a site, for programs.

`python -m reports.leaderboard` writes its JSON schema to docs/schemas.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from harness.schema import MetricResult, ScoreResult, TaskResult
from harness.types import Channel
from reports import figures
from reports.conditions import decoding_of
from reports.figures import profile_values
from reports.published import Published, find
from reports.runs import Run, caveats

FORMAT = 1
SCHEMA = Path(__file__).parents[1] / "docs" / "schemas" / "leaderboard.json"


class Row(msgspec.Struct):
    """A metric of a task under one profile and channel."""

    run: str
    model: str
    """The model's label."""
    task: str
    prompt: str
    profile: str
    channel: Channel
    metric: str
    result: MetricResult
    headline: bool
    """Whether it is what the run shows first: a headline metric of the headline profile and channel."""
    valid: bool
    finished: bool
    benchmark: bool
    """False for the mini world."""
    n_expected: int
    n_scored: int
    n_failed: int
    n_unscored: int
    coverage: float
    n_rows: int
    n_excluded: int
    """Samples that are left out of every number; `problems` say why."""
    n_published: int | None
    repeats: int
    truncated: int
    dtype: str
    device: str
    batch_tokens: int | None
    decoding: dict[str, Any]
    """How the model decoded, as far as it is not what was asked: options that were set, a mode, its penalty."""
    judges: dict[str, str]
    caveats: list[str]
    problems: list[str]
    profiles: dict[str, float]
    """Of the headline profile's metrics: profile -> value."""
    published: Published | None


class Leaderboard(msgspec.Struct):
    """`data/leaderboard.json`."""

    rows: list[Row]
    format: int = FORMAT


def rows(run: Run) -> Iterator[Row]:
    """Every metric under every profile and channel, with the counts and caveats that belong to it."""
    for task, entry in run.results.tasks.items():
        for profile, channels in entry.scores.items():
            for channel, scores in channels.items():
                for name in scores.metrics:
                    yield _row(run, task, entry, profile, channel, scores, name)


def _row(run: Run, task: str, entry: TaskResult, profile: str, channel: Channel, scores: ScoreResult, name: str) -> Row:
    first = (profile, channel) == (entry.profile, entry.channel)
    metric = scores.metrics[name]
    return Row(
        run=run.name,
        model=run.model,
        task=task,
        prompt=entry.prompt,
        profile=profile,
        channel=channel,
        metric=name,
        result=metric,
        headline=first and name in figures.headline(scores.metrics),
        valid=entry.valid and scores.valid,
        finished=run.finished,
        benchmark=not run.is_mini,
        n_expected=entry.n_expected,
        n_scored=scores.n_scored,
        n_failed=scores.n_failed,
        n_unscored=scores.n_unscored,
        coverage=scores.coverage,
        n_rows=entry.n_rows,
        n_excluded=entry.n_excluded,
        n_published=entry.n_published,
        repeats=entry.repeats,
        truncated=entry.truncated,
        dtype=run.manifest.dtype,
        device=run.manifest.device,
        batch_tokens=run.manifest.config.get("batch_tokens"),
        decoding=decoding_of(run, task),
        judges=entry.judges,
        caveats=caveats(run),
        problems=entry.problems,
        profiles=profile_values(entry, name) if first else {},
        published=published(run, task, name, channel) if profile == entry.profile else None,
    )


def published(run: Run, task: str, metric: str, channel: Channel | None = None) -> Published | None:
    """The paper's value of a number, in the headline's channel unless one is named: of the released weights only, of
    this benchmark, split and metric, and not beside a rule that stands in for a judge."""
    described = run.manifest.tasks[task]
    if not run.as_released or run.results.tasks[task].by_rule:
        return None
    theirs = described.published_metrics.get(metric)
    headline = run.results.tasks[task].channel
    split = described.split if channel in (None, headline) else described.splits.get(channel or "")
    return None if split is None else find(run.results.model.name, described.benchmark, split, theirs)


def leaderboard(runs: Sequence[Run]) -> Leaderboard:
    return Leaderboard([row for run in runs for row in rows(run)])


def schema() -> dict[str, Any]:
    """JSON schema (draft 2020-12) of `data/leaderboard.json`."""
    title = f"data/leaderboard.json of a report, format {FORMAT}"
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": title}
    return head | msgspec.json.schema(Leaderboard)


if __name__ == "__main__":
    SCHEMA.write_bytes(msgspec.json.format(msgspec.json.encode(schema()), indent=1) + b"\n")
