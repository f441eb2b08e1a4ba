"""A first gates file out of a run: what its own intervals let one see."""

from __future__ import annotations

import math
from collections.abc import Iterator

from harness import registry
from harness.schema import MetricResult
from harness.task import Aggregate, Quantile
from reports.figures import headline
from reports.runs import Run

HEAD = """\
# Which numbers may get worse by how much: `harness gate RUN --baseline FILE`. docs/gates.md tells each field.
# Made from {run}: abs_tol is half of each interval's half width, hard_tol its whole width. Tighten what matters to you.
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
                    fields = _tested(metric, entry.n_scored)
            yield f"- {{task: {task}, metric: {_quoted(name)}, {fields}}}\n"


def _timed() -> str:
    return "rel_tol: 0.1, same_device: true, level: warn"


def _tested(metric: MetricResult, n: int) -> str:
    if metric.ci is None:
        return f"rel_tol: 0.02, min_samples: {n}, test: paired_bootstrap"
    width = metric.ci[1] - metric.ci[0]
    return f"abs_tol: {_rounded(width / 4)}, hard_tol: {_rounded(width)}, min_samples: {n}, test: paired_bootstrap"


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
