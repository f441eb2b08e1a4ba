"""The end of a run: judgements -> scores -> results, from plan and log alone. Done again to score a run anew.

Everything is made beside what is there and adopted in one step: a run has the old numbers or the new ones.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from harness.derive import Heading, derive
from harness.judging import Bench, Spread, check_judges, open_bench
from harness.profiles import headline, scored_task, told
from harness.schema import JudgeUsage, Manifest, Record, Scored
from harness.scoring import score_records
from harness.store import RunDir
from harness.task import Task


def finish(
    run: RunDir,
    tasks: Mapping[str, Task],
    judges: Sequence[str] = (),
    profiles: Mapping[str, str] | None = None,
    spread: Spread | None = None,
) -> None:
    """Score every record under every profile that can be, compute the results and adopt both.

    `profiles` choose other headlines than the manifest's; `spread` gives judges to several workers.
    Raises UsageError where a judge is missing, before anything is written.
    """
    described = run.manifest()
    roles = check_judges(list(tasks.values()), judges)
    heads = {name: _heading(task, described, roles, (profiles or {}).get(name)) for name, task in tasks.items()}
    fresh = run.new_scores()
    with open_bench(tasks.values(), judges, run.path, described.device, spread) as bench:
        bench.keep_fingerprints()
        results = derive(run, described, heads, _Asked(run, bench), fresh, f"scores/{fresh.name}")
    run.adopt(results)


class _Asked:
    """Scores for which judges are asked what they have not said yet."""

    def __init__(self, run: RunDir, bench: Bench) -> None:
        self._run, self._bench = run, bench

    def scored(self, task: Task, prompt: str, records: Iterable[Record]) -> Iterator[Scored]:
        return score_records(task, task.presets[prompt], records, self._run.path, self._bench)

    def judges(self, task: Task) -> Mapping[str, str]:
        return self._bench.names(task)

    def spent(self, task: Task) -> Mapping[str, JudgeUsage]:
        return self._bench.spent()


def _heading(task: Task, described: Manifest, roles: Collection[str], chosen: str | None) -> Heading:
    """The profile of the headline: the one that is chosen now, else the one that the run was started with if it can be
    scored, else the task's own."""
    scored = scored_task(task, roles)
    if chosen is None:
        kept = described.config.get("profile", {}).get(task.name)
        chosen = kept if kept in scored.profiles else None
    if chosen is None and not task.without_judge:
        chosen = described.tasks[task.name].profile
    profile = headline(task, roles, chosen)
    return Heading(scored, profile, told(task, roles, profile, chosen))
