"""Join runs of parts of the same tasks into one run, as if it had been made in one place.

Plan, log, speech, judgements and exclusions are put together, and everything derived is made anew from them, without a
model and without asking a judge. The run is made beside its place and moved there in one step.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from heapq import merge as in_order
from itertools import chain
from pathlib import Path
from uuid import uuid4

import msgspec

from harness import exclusions
from harness.derive import derive, heading_of
from harness.failures import UsageError
from harness.files import encoded, told, write_atomically, write_json, write_lines_atomically
from harness.idset import IdSet
from harness.judging import Judgement, KnownJudge, read_judges
from harness.kinds import need_finished
from harness.part import Part, joined
from harness.plan import key
from harness.progress import track
from harness.run import NONE, Objects, tasks_of
from harness.schema import JudgeUsage, Manifest, PlannedRow, Record, Results, Scored, Shard
from harness.store import RunDir, lines_of
from harness.upkeep.mergeable import check_alike, differing
from harness.upkeep.replayed import Replayed, files, known_judges


@dataclass(frozen=True, slots=True)
class Opened:
    """A shard with what it says of itself. `first` is the number of its first stretch in the joined run."""

    run: RunDir
    manifest: Manifest
    results: Results
    part: Part
    first: int = 0

    @property
    def stretches(self) -> int:
        return 1 + len(self.manifest.resumed)


@dataclass(frozen=True, slots=True)
class Merged:
    """The run that was made, and what has to be said of it."""

    run: RunDir
    told: tuple[str, ...]


def merge(shards: Sequence[Path], out: Path, objects: Objects = NONE) -> Merged:
    """Join shards into the run directory `out`.

    Raises UsageError, before anything is at `out`, where they are not parts of one whole, differ in what the answers
    depend on, or hold a sample twice.
    """
    if len(shards) < 2:
        raise UsageError("name two runs or more that are to be joined")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"{out} is there already; give another --out")
    opened = _numbered(sorted(map(_open, shards), key=lambda one: min(one.part.numbers)))
    part = joined(one.part for one in opened)
    check_alike([(one.run.path, one.manifest, one.results) for one in opened])
    with told(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        _clear(out)
        place = out.with_name(f"{_prefix(out)}{uuid4().hex}")
        place.mkdir()
    try:
        run = RunDir(place)
        with run.lock():
            said = _build(run, opened, part, objects)
        with told(out):
            place.replace(out)
    except BaseException:
        shutil.rmtree(place, ignore_errors=True)
        raise
    missing = [f"{part.told}: the run lacks the rows of the others"] if part.missing else []
    differ = differing([(one.run.path, one.manifest, one.results) for one in opened])
    return Merged(RunDir(out), (*missing, *differ, *said))


def _prefix(out: Path) -> str:
    return f".{out.name}.merge-"


def _clear(out: Path) -> None:
    """Remove what killed commands left beside `out`; what is locked is being made."""
    for left in out.parent.glob(f"{_prefix(out)}*"):
        with suppress(UsageError, FileNotFoundError), RunDir(left).lock():
            shutil.rmtree(left, ignore_errors=True)


def _open(path: Path) -> Opened:
    run = need_finished(path)
    if run.format == 1:
        raise UsageError(f"{path} is of format 1, which has no parts")
    described = run.manifest()
    part = described.config.get("part")
    if part is None:
        raise UsageError(f"{path} is no part of a run: parts are made by `harness run --part K/N`")
    for task in described.tasks:
        if changed := run.changed_plan(task):
            raise UsageError(f"{changed}; run the part again")
    return Opened(run, described, run.results(), Part.parse(part))


def _numbered(shards: Sequence[Opened]) -> list[Opened]:
    first, found = 0, []
    for one in shards:
        found.append(replace(one, first=first))
        first += one.stretches
    return found


def _build(run: RunDir, shards: Sequence[Opened], part: Part, objects: Objects) -> list[str]:
    """Put everything together in an empty folder; returns what has to be said."""
    described = _manifest(shards, part)
    run.write_manifest(described)
    tasks = tasks_of(described, objects)
    planned = {}
    for name in tasks:
        planned[name] = run.write_plan(name, _rows(shards, name, whole=not part.missing))
        strays = (shards[0].manifest.planned or {})[name]
        planned[name].strays, planned[name].n_strays = strays.strays, strays.n_strays
        write_lines_atomically(run.samples_path(name), (encoded(one) + b"\n" for one in _records(run, shards, name)))
    described.planned = planned
    run.write_manifest(described)
    said = _judgements(run, shards)
    if left_out := [line for one in shards for line in exclusions.lines(one.run)]:
        exclusions.append(run, left_out)
    results = _results(shards)
    known = known_judges(run, described, results, list(tasks.values()))
    fresh = run.new_scores()
    total = sum(made.rows for made in planned.values()) * int(described.config.get("repeats", 1))
    with track("score", total) as progress:
        replayed = Replayed(run, results, known, lambda task: _scored(shards, task), progress.advance)
        headings = {name: heading_of(task, results.tasks[name]) for name, task in tasks.items()}
        run.adopt(derive(run, described, headings, replayed, fresh, f"scores/{fresh.name}"))
    if replayed.n_absent:
        rows = sum(replayed.taken.values())
        said.append(f"{replayed.n_absent} judgements are absent: {rows} records keep the scores that they had")
    return said


def _manifest(shards: Sequence[Opened], part: Part) -> Manifest:
    """The first shard's, with the stretches of the others as if the run had been resumed where they were made."""
    first = shards[0].manifest
    resumed = [*first.resumed]
    for one in shards[1:]:
        own = one.manifest
        resumed.append({"created": own.created, "harness": own.harness, "versions": own.versions, "device": own.device})
        resumed += own.resumed
    return msgspec.structs.replace(
        first,
        config=first.config | {"part": str(part) if part.missing else None},
        resumed=resumed,
        planned=None,
        merged=[
            Shard(one.run.name, str(one.part), one.manifest.device, one.stretches, one.manifest.harness)
            for one in shards
        ],
    )


def _rows(shards: Sequence[Opened], task: str, whole: bool) -> Iterator[PlannedRow]:
    """The plans of all shards, in the benchmark's order. Raises UsageError for a sample that two of them have."""
    seen = IdSet()
    for row in in_order(*(one.run.plan(task) for one in shards), key=_place):
        if not seen.add(row.id):
            raise UsageError(f"two shards have the sample {row.id!r} of task {task}")
        yield msgspec.structs.replace(row, place=None) if whole else row


def _place(row: PlannedRow) -> int:
    if row.place is None:
        raise UsageError(f"the plan does not say where the row {row.id!r} stands; was it edited?")
    return row.place


def _records(run: RunDir, shards: Sequence[Opened], task: str) -> Iterator[Record]:
    """The logs of all shards one after another; generated speech is copied as it is named."""
    seen = IdSet()
    for one in shards:
        for record in one.run.records(task):
            if not seen.add(key(record.id, record.repeat)):
                raise UsageError(f"the sample {record.id!r} of task {task} is there twice (repeat {record.repeat})")
            if record.response is not None and record.response.speech is not None:
                _copy_speech(one.run.path, run.path, record.response.speech.path, record.response.speech.sha256)
            yield msgspec.structs.replace(record, stretch=record.stretch + one.first)


def _copy_speech(source: Path, target: Path, name: str, sha256: str) -> None:
    if name != f"media/{sha256[:2]}/{sha256}.flac":
        raise UsageError(f"{source}: the log names speech {name!r}, which is no place of it; was it edited?")
    try:
        content = (source / name).read_bytes()
    except OSError as error:
        raise UsageError(f"{source / name} cannot be read: {error.strerror}") from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise UsageError(f"{source / name} is not the speech that was generated: its hash is another")
    if not (target / name).exists():
        write_atomically(target / name, content)


def _judgements(run: RunDir, shards: Sequence[Opened]) -> list[str]:
    """Put the judgements of all shards together, each once; returns what has to be said of those that disagree."""
    known: dict[str, KnownJudge] = {}
    disagreeing = 0
    by_file: dict[str, dict[str, Judgement]] = {}
    for one in shards:
        known |= read_judges(one.run.path)
        for path in files(one.run.path):
            joint = by_file.setdefault(path.name, {})
            for line in lines_of(path, Judgement):
                disagreeing += joint.setdefault(line.key, line).said != line.said
    for name, lines in by_file.items():
        content = (encoded(line) + b"\n" for line in lines.values())
        write_lines_atomically(run.path / "judgements" / name, content)
    if known:
        write_json(run.path / "judges.json", known)
    return [f"{disagreeing} judgements are in several shards, and not alike: the first counts"] if disagreeing else []


def _scored(shards: Sequence[Opened], task: str) -> Iterator[Scored]:
    return chain.from_iterable(one.run.scored(task) for one in shards)


def _results(shards: Sequence[Opened]) -> Results:
    """What the joined run takes from the results of its shards: headlines, judges, and what the judges took."""
    tasks = {}
    for name, entry in shards[0].results.tasks.items():
        every = [one.results.tasks[name] for one in shards]
        usage = {role: _total([e.judge_usage[role] for e in every if role in e.judge_usage]) for role in entry.judges}
        problems = list(dict.fromkeys(problem for e in every for problem in e.problems))
        tasks[name] = msgspec.structs.replace(entry, judge_usage=usage, problems=problems)
    return msgspec.structs.replace(shards[0].results, tasks=tasks)


def _total(usages: Sequence[JudgeUsage]) -> JudgeUsage:
    costs = [usage.cost for usage in usages if usage.cost is not None]
    return JudgeUsage(
        sum(usage.judgements for usage in usages),
        sum(usage.prompt_tokens for usage in usages),
        sum(usage.new_tokens for usage in usages),
        sum(costs) if len(costs) == len(usages) else None,
    )
