"""The harness from Python: run, load, score. The command line does the same by the same functions.

    run = harness.evaluate(model="vita15-mini", tasks=["asr", "mme"], data="mini")
    run.results.tasks["mme"].headline.metrics["total"].value
    run.samples("mme")      # a DataFrame

A model or a task of one's own stands in the place of a name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.contracts import Model
from harness.exclusions import excluded
from harness.export import flat
from harness.recount import recounted
from harness.run import Objects
from harness.schema import Manifest, Results
from harness.store import RunDir
from harness.task import Task

if TYPE_CHECKING:
    import pandas as pd


class Run:
    """A run directory, finished or not."""

    def __init__(self, directory: RunDir) -> None:
        self._directory = directory

    def __repr__(self) -> str:
        return f"Run({str(self.path)!r})"

    @property
    def path(self) -> Path:
        return self._directory.path

    @property
    def finished(self) -> bool:
        return self._directory.finished

    @property
    def manifest(self) -> Manifest:
        return self._directory.manifest()

    @property
    def results(self) -> Results:
        """Invalid where plan or log changed since. Raises UsageError while the run is not finished."""
        return recounted(self._directory)

    def samples(self, task: str, profile: str | None = None) -> pd.DataFrame:
        """One row for each sample and channel: what was asked and answered, and its score under a profile (the
        headline's unless one is named). Columns as in `samples.parquet`."""
        import pandas as pd

        reasons = excluded(self._directory).reasons(task)
        wanted = profile or self.results.tasks[task].profile
        rows = [
            row
            for record, scored in self._directory.pairs(task)
            for row in flat(task, record, scored, reasons.get(record.id))
            if row["profile"] == wanted
        ]
        return pd.DataFrame(rows)


def evaluate(
    model: str | Model, tasks: str | Task | Sequence[str | Task], *, out: str | Path | None = None, **fields: Any
) -> Run:
    """Run a model on tasks, to the end. `fields` are those of `RunConfig` (data, limit, seed, profile, ...).

    Raises UsageError for what the caller can mend, RunStopped where a run cannot go on.
    """
    from harness.config import gather
    from harness.run import start

    named = [tasks] if isinstance(tasks, str | Task) else list(tasks)
    own = {task.name: task for task in named if isinstance(task, Task)}
    objects = Objects(own, None if isinstance(model, str) else model)
    given = dict(fields)
    given["model"] = model if isinstance(model, str) else model.name
    given["tasks"] = [task if isinstance(task, str) else task.name for task in named]
    for choice in ("profile", "prompt"):
        if isinstance(given.get(choice), str):
            given[choice] = [given[choice]]
    return Run(start(gather(given, objects=own), None if out is None else Path(out), objects))


def load_run(path: str | Path) -> Run:
    """A run directory. Raises UsageError where there is none."""
    return Run(RunDir.open(Path(path)))


def resume(path: str | Path, model: Model | None = None, tasks: Sequence[Task] = (), **where: Any) -> Run:
    """Go on with a run; a model or tasks of one's own are given again. `where`: engine, replicas, address."""
    from harness.run import resume as resume_run

    return Run(resume_run(Path(path), Objects({task.name: task for task in tasks}, model), where))


def score(
    run: str | Path | Run,
    profile: Mapping[str, str] | None = None,
    judge: Sequence[str] | None = None,
    tasks: Sequence[Task] = (),
) -> Run:
    """Score a finished run's answers again, with other headline profiles (task -> name) or judges."""
    from harness.run import score_again

    path = run.path if isinstance(run, Run) else Path(run)
    return Run(score_again(path, profile or {}, judge, Objects({task.name: task for task in tasks})))


def score_responses(task: str | Task, path: str | Path, profile: str | None = None, **options: Any) -> dict[str, Any]:
    """Score answers of any origin: a JSONL file of {"id", "doc", "response"}."""
    from harness.registry import get_task
    from harness.responses import score_file

    return score_file(task if isinstance(task, Task) else get_task(task), Path(path), profile, **options)
