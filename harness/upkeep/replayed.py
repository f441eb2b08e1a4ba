"""The scores of a run's records made again from what its judges said: no judge is asked, nothing is written.

A judgement that is neither in the run nor in this machine's store cannot be had again. What rests on it is taken from
the scores that are stored, and counted: it is not verified.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from harness.failures import UsageError
from harness.judging import (
    Judgement,
    KnownJudge,
    Said,
    fingerprints,
    judgement_key,
    no_judge,
    read_judges,
    recall_shared,
    shown_name,
    total,
)
from harness.schema import JudgeUsage, Manifest, Record, Results, Scored
from harness.scoring import score_records
from harness.store import RunDir, lines_of
from harness.task import Task
from harness.types import Ask, Failure, Score

ABSENT = "this judgement is neither in the run nor in the store of this machine"


class Judgements:
    """What a run's judges said, by key."""

    def __init__(self, run: RunDir) -> None:
        self._known: dict[str, Judgement] = {}
        self.used: set[str] = set()
        """Keys of those that some score rests on."""
        for path in files(run.path):
            self._known |= {line.key: line for line in lines_of(path, Judgement)}

    def find(self, key: str) -> Judgement | None:
        found = self._known.get(key) or recall_shared(key)
        if found is not None:
            self.used.add(key)
        return found

    @property
    def unused(self) -> list[str]:
        return [key for key in self._known if key not in self.used]


def files(run: Path) -> list[Path]:
    """The logs of a run's judges."""
    return sorted((run / "judgements").glob("*.jsonl"))


class _Stand:
    """The judges of one task, by role, as far as their fingerprints are known."""

    def __init__(self, judges: Mapping[str, KnownJudge | None], known: Judgements) -> None:
        self._judges, self._known = judges, known
        self._used: dict[str, dict[str, Judgement]] = {}
        self.absent: set[str] = set()

    def roles(self, task: Task) -> frozenset[str]:
        return frozenset(self._judges)

    def ask(self, asks: Sequence[Ask]) -> list[Said]:
        return [self._said(ask) for ask in asks]

    def _said(self, ask: Ask) -> Said:
        if ask.role not in self._judges:
            return no_judge(ask.role)
        judge = self._judges[ask.role]
        key = judgement_key(judge.fingerprint if judge else None, ask)
        found = None if judge is None else self._known.find(key)
        if found is None:
            self.absent.add(key)
            return Failure("judge", "transient", ABSENT)
        self._used.setdefault(ask.role, {})[key] = found
        return found.said

    def spent(self) -> dict[str, JudgeUsage]:
        return {role: total(lines.values()) for role, lines in self._used.items()}


Advance = Callable[[], object]


class Replayed:
    """Scores made again, for `harness.derive`. `results` name the judges; `stored` gives the scores of a task as they
    are, in the order of its log."""

    def __init__(
        self,
        run: RunDir,
        results: Results,
        known_judges: Mapping[str, KnownJudge],
        stored: Callable[[str], Iterable[Scored]],
        advance: Advance = lambda: None,
    ) -> None:
        self._run, self._results, self._judges = run, results, known_judges
        self._stored, self._advance = stored, advance
        self.judgements = Judgements(run)
        self._stands: dict[str, _Stand] = {}
        self.taken: dict[str, int] = {}
        """Task -> how many of its records have scores that were taken as they are stored."""

    def scored(self, task: Task, prompt: str, records: Iterable[Record]) -> Iterator[Scored]:
        if prompt not in task.presets:
            raise UsageError(f"task {task.name} has no prompt preset {prompt!r} any more: its answers cannot be read")
        names = self._results.tasks[task.name].judges
        stand = _Stand({role: self._judges.get(names[role]) for role in task.judges if role in names}, self.judgements)
        self._stands[task.name] = stand
        stored = iter(self._stored(task.name))
        for line in score_records(task, task.presets[prompt], records, self._run.path, stand):
            old = next(stored, None)
            self._advance()
            if _lacks(line) and old is not None and (old.id, old.repeat) == (line.id, line.repeat):
                self.taken[task.name] = self.taken.get(task.name, 0) + 1
                line = _mended(line, old)
            yield line

    def judges(self, task: Task) -> Mapping[str, str]:
        names = self._results.tasks[task.name].judges
        return {role: self._name(names[role]) for role in task.judges if role in names}

    def _name(self, stored: str) -> str:
        judge = self._judges.get(stored)
        return stored if judge is None else shown_name(judge.judge, judge.fingerprint)

    def spent(self, task: Task) -> Mapping[str, JudgeUsage]:
        """As it is stored where a judgement is absent: what it took is not known then."""
        stand = self._stands[task.name]
        return self._results.tasks[task.name].judge_usage if stand.absent else stand.spent()

    @property
    def n_absent(self) -> int:
        return len(set().union(*(stand.absent for stand in self._stands.values())))


def known_judges(run: RunDir, described: Manifest, results: Results, tasks: Sequence[Task]) -> dict[str, KnownJudge]:
    """The judges that results name, as far as their fingerprints can be had: from the run, or from the judges
    themselves for a run that did not keep them."""
    known = read_judges(run.path)
    wanted = {name for entry in results.tasks.values() for name in entry.judges.values()}
    if wanted - known.keys():
        with suppress(UsageError):  # a judge that cannot be had here: what rests on it is taken as it is stored
            known = fingerprints(tasks, tuple(described.config.get("judge", ())), described.device) | known
    return known


def _lacks(line: Scored) -> bool:
    scores = (score for channels in line.scores.values() for score in channels.values())
    return any(map(_absent, scores)) or (line.failure is not None and ABSENT in line.failure.message)


def _absent(score: Score) -> bool:
    return ABSENT in (score.reason or "")


def _mended(line: Scored, old: Scored) -> Scored:
    """The line with the stored scores of every profile that an absent judgement is in the place of one."""
    scores = {
        profile: old.scores.get(profile, channels) if any(map(_absent, channels.values())) else channels
        for profile, channels in line.scores.items()
    }
    failure = old.failure if line.failure and ABSENT in line.failure.message else line.failure
    return msgspec.structs.replace(line, scores=scores, failure=failure)
