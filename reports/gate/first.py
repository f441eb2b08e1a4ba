"""A first gates file out of a run: what its own intervals let one see."""

from __future__ import annotations

import math
from collections.abc import Iterator

from harness import registry, stats
from harness.measures import measure
from harness.schema import MetricResult
from harness.task import Aggregate, Quantile
from reports.figures import headline
from reports.gate.side import parts_of
from reports.runs import Run

TEST, DRAWS = ", test: paired_bootstrap", 200
HEAD = """\
# Which numbers may get worse by how much: `harness gate RUN --baseline FILE`. docs/gates.md tells each field.
# Made from {run}: abs_tol is half of each interval's half width, hard_tol its whole width; numbers without an
# interval may get worse by rel_tol, their share. Tighten what matters to you.
version: 1
missing_baseline: fail
gates:
"""


def first_gates(run: Run) -> str:
    """The text of a gates file with a gate for each headline number that has a value."""
    return HEAD.format(run=run.name) + "".join(_gates(run))


def _gates(run: Run) -> Iterator[str]:
    for task, entry in run.results.tasks.items():
        known = {metric.name: metric for metric in registry.get_task(task).metrics}
        for name, metric in headline(entry.headline.metrics).items():
            if metric.value is None:
                continue
            match known.get(name):
                case Quantile():
                    fields = _timed()
                case Aggregate():
                    fields = f"rel_tol: 0.02, min_samples: {entry.n_scored}"
                case _:
                    fields = _tolerances(metric, entry.n_scored) + (TEST if _testable(run, task, name) else "")
            yield f"- {{task: {task}, metric: {_quoted(name)}, {fields}}}\n"


def _timed() -> str:
    return "rel_tol: 0.1, same_device: true, level: warn"


def _tolerances(metric: MetricResult, n: int) -> str:
    if metric.ci is None:
        return f"rel_tol: 0.02, min_samples: {n}"
    width = metric.ci[1] - metric.ci[0]
    return f"abs_tol: {_rounded(width / 4)}, hard_tol: {_rounded(width)}, min_samples: {n}"


def _testable(run: Run, task: str, name: str) -> bool:
    """Whether the run has units enough to be held against itself."""
    known = registry.get_task(task)
    metric = next((one for one in known.metrics if one.name == name), None)
    made = metric and measure(known, metric, parts_of(run, task, run.results.tasks[task].channel))
    return bool(made and stats.paired_bootstrap(made.parts, made.parts, made.compute, resamples=DRAWS))


def _rounded(value: float) -> str:
    """Two digits, upwards.

    >>> _rounded(0.2341), _rounded(12.01), _rounded(0.0)
    ('0.24', '13', '0')
    """
    if value <= 0:
        return "0"
    scale = 10.0 ** (math.floor(math.log10(value)) - 1)
    return f"{math.ceil(round(value / scale, 9)) * scale:.10g}"


def _quoted(name: str) -> str:
    return name if name.isidentifier() else '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
