"""What carries a run's numbers to another tool (`harness export --to`): the contract of `harness.exporters`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from harness.schema import Results


class Number(NamedTuple):
    """One value with what it has to be read with."""

    name: str
    """`task/metric`, of the headline; `task/profile/metric` and `task/profile/channel/metric` of the others."""
    value: float
    unit: str
    low: float | None
    high: float | None
    """Ends of the 95 % interval; None where there is none."""
    n: int


class RunNumbers(NamedTuple):
    """A finished run as exporters get it."""

    name: str
    """Of the run directory."""
    path: Path
    identity: str
    """The same for every export of one run, however it was moved."""
    created: str
    config: Mapping[str, Any]
    model: str
    note: str
    """What must be said beside the numbers, such as that weights are random or data synthetic; "" if nothing."""
    valid: bool
    numbers: tuple[Number, ...]


class Exporter(Protocol):
    """Sends numbers and returns where they are, for people. `options` are the user's `--option NAME=VALUE`, `out` the
    folder or None.

    Raises UsageError for an option that it does not know, and naming the extra where its package is missing."""

    def __call__(self, run: RunNumbers, out: Path | None, options: Mapping[str, str]) -> str: ...


def numbers_of(results: Results) -> Iterator[Number]:
    """Every metric that has a value, of every task, profile and channel; the headline's under the task's own name."""
    for task, result in results.tasks.items():
        for profile, channels in result.scores.items():
            for channel, scored in channels.items():
                headline = (profile, channel) == (result.profile, result.channel)
                place = "/".join(filter(None, (task, *(() if headline else (profile, channel)))))
                for name, metric in scored.metrics.items():
                    if metric.value is not None:
                        low, high = metric.ci or (None, None)
                        yield Number(f"{place}/{name}", metric.value, metric.unit, low, high, metric.n)
