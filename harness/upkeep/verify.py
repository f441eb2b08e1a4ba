"""Whether a run directory holds what its log says: everything derived is made again beside it and compared.

No model and no judge is asked, and nothing is written into the run. What cannot be made again is told at the end: the
numbers are worth what that is.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from itertools import zip_longest
from pathlib import Path
from typing import Any

import msgspec

from harness import exclusions
from harness.derive import derive, heading_of
from harness.differences import NOTHING, Difference, Differences, fields
from harness.failures import UsageError
from harness.files import encoded
from harness.kinds import need_finished
from harness.progress import track
from harness.run import NONE, Objects, tasks_of
from harness.schema import Manifest, Results, Scored
from harness.store import RunDir, lines_of
from harness.task import Task
from harness.upkeep.files import leftovers, torn
from harness.upkeep.log import Media, check_log, check_media
from harness.upkeep.replayed import Replayed, known_judges
from harness.upkeep.trust import other_code, trusted

OTHER_BYTES = "other bytes than are written, though the values are the same"


class Verified(msgspec.Struct):
    """What `harness verify --json` prints."""

    run: str
    agrees: bool
    """All that can be made again is as it is stored."""
    differences: list[Difference]
    """The first few of each kind."""
    counts: dict[str, int]
    """File and kind -> how many differences."""
    made_again: dict[str, int]
    """What was held against what: records, scores, media."""
    notes: list[str]
    """What is odd and changes no number."""
    trusted: list[str]
    """What cannot be made again."""


def verify(path: Path, objects: Objects = NONE) -> Verified:
    """Make again what is derived and compare. Raises UsageError for what is no finished run of answers."""
    run = need_finished(path)
    if run.format == 1:
        raise UsageError(f"{path} is of format 1, whose log has no plan to be held against; it can be scored and shown")
    described = run.manifest()
    tasks = tasks_of(described, objects)
    found, notes = Differences(), torn(run)
    code = other_code(described)
    if code:
        notes.append(f"numbers are compared within one in a billion, as the run was made by other code: {code}")
    counts = {"records": 0}
    for task in tasks.values():
        with _readable(found, f"samples/{task.name}.jsonl"):
            counts["records"] += check_log(run, described, task, found)
    media, speech = Media(), set[str]()
    with _readable(found, "samples"):
        media, speech = check_media(run, list(tasks), found)
    notes += leftovers(run, list(tasks), speech)
    replayed: Replayed | None = None
    with _readable(found, "results.json"):
        _check_exclusions(run, found)
        stored = run.results()
        replayed = _replayed(run, described, stored, tasks, counts["records"], not code, found)
        notes += _headlines(described, stored)
        if unused := replayed.judgements.unused:
            notes.append(f"judgements/: {len(unused)} judgements belong to no score, e.g. {unused[0]}")
    more = {"media": media.checked, "recordings of speech": media.speech}
    return Verified(
        run=str(path),
        agrees=not found.counts,
        differences=found.first,
        counts=found.counts,
        made_again=counts | more,
        notes=notes,
        trusted=trusted(described, media, replayed),
    )


class _readable:
    """What cannot be read at all is a difference as well."""

    def __init__(self, found: Differences, file: str) -> None:
        self._found, self._file = found, file

    def __enter__(self) -> None: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: object) -> bool:
        if not isinstance(error, UsageError):
            return False
        self._found.add(Difference(self._file, f"cannot be made again: {error}"))
        return True


def _replayed(
    run: RunDir,
    described: Manifest,
    stored: Results,
    tasks: Mapping[str, Task],
    total: int,
    exact: bool,
    found: Differences,
) -> Replayed:
    """Compare results, scores and table of samples with what is made again in a temporary folder."""
    if gone := sorted(tasks.keys() ^ stored.tasks.keys()):
        raise UsageError(f"manifest and results do not have the same tasks: {', '.join(gone)}")
    label = _folder(run, stored)
    headings = {name: heading_of(task, stored.tasks[name]) for name, task in tasks.items()}
    with tempfile.TemporaryDirectory(prefix="harness-verify-") as place, track("verify", total) as progress:
        judges = known_judges(run, described, stored, list(tasks.values()))
        lines = {name: run.path / label / f"{name}.jsonl" for name in tasks}
        replayed = Replayed(run, stored, judges, lambda task: lines_of(lines[task], Scored), progress.advance)
        made = derive(run, described, headings, replayed, Path(place), label)
        for name, path in lines.items():
            _compare_scores(f"{label}/{name}.jsonl", path, Path(place) / path.name, name, exact, found)
        _compare_tables(f"{label}/samples.parquet", run.path / label, Path(place), exact, found)
    _compare_results(run.path / "results.json", stored, made, exact, found)
    return replayed


def _folder(run: RunDir, stored: Results) -> str:
    """The scores that are there, whatever the results name."""
    folders = [path.name for path in (run.path / "scores").glob("*") if path.is_dir() and path.name.isdecimal()]
    there = [f"scores/{name}" for name in sorted(folders, key=int)]
    if not there:
        raise UsageError("there is no folder of scores")
    return stored.scores if stored.scores in there else there[-1]


def _headlines(described: Manifest, stored: Results) -> Iterator[str]:
    for name, entry in stored.tasks.items():
        begun = described.tasks[name].profile
        if entry.profile != begun:
            yield f"results.json: the headline of {name} is {entry.profile}, the run was begun with {begun}"


def _check_exclusions(run: RunDir, found: Differences) -> None:
    for task, by_id in exclusions.excluded(run).by_task.items():
        for stray in sorted(by_id.keys() - {row.id for row in run.plan(task)}):
            found.add(Difference(exclusions.NAME, "a sample that was not planned is left out", task, stray))


def _compare_results(path: Path, stored: Results, made: Results, exact: bool, found: Differences) -> None:
    before = len(found.first)
    for one in fields(msgspec.to_builtins(stored), msgspec.to_builtins(made), exact):
        task = next((name for name in made.tasks if one.path.startswith(f"tasks.{name}.")), "")
        found.value(path.name, one, task)
    written = msgspec.json.format(encoded(made), indent=2) + b"\n"
    if exact and len(found.first) == before and path.read_bytes() != written:
        found.add(Difference(path.name, OTHER_BYTES))


def _compare_scores(name: str, stored: Path, made: Path, task: str, exact: bool, found: Differences) -> None:
    if not stored.is_file():
        found.add(Difference(name, "missing", task))
        return
    decoder = msgspec.json.Decoder(Scored)
    with stored.open("rb") as ours, made.open("rb") as theirs:
        for number, (one, other) in enumerate(zip_longest(ours, theirs, fillvalue=b""), start=1):
            if one == other:
                continue
            right = decoder.decode(other) if other else None
            sample = right.id if right else f"line {number}"
            try:
                left = decoder.decode(one) if one else None
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                found.add(Difference(name, f"a line is no score: {error}", task, sample))
                continue
            ours_now, made_now = (NOTHING if line is None else msgspec.to_builtins(line) for line in (left, right))
            differing = list(fields(ours_now, made_now, exact))
            for field in differing:
                found.value(name, field, task, sample)
            if exact and not differing:
                found.add(Difference(name, OTHER_BYTES, task, sample))


def _compare_tables(name: str, stored: Path, made: Path, exact: bool, found: Differences) -> None:
    for number, (one, other) in enumerate(zip_longest(_rows(stored), _rows(made))):
        if isinstance(one, str):
            found.add(Difference(name, f"cannot be read: {one}"))
            return
        if one is None or other is None or isinstance(other, str):
            found.add(Difference(name, "more or fewer rows than there are scores"))
            return
        if not exact:  # an earlier version had fewer columns
            other = {column: value for column, value in other.items() if column in one or value is not None}
        if one != other:
            for field in fields(one, other, exact):
                found.value(name, field, str(other["task"]), f"{other['id']}, row {number}")


def _rows(folder: Path) -> Iterator[dict[str, Any] | str]:
    """The rows of the table of samples, or why there are none."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(folder / "samples.parquet") as file:
            for batch in file.iter_batches():
                yield from batch.to_pylist()
    except (OSError, pa.ArrowException) as error:
        yield str(error)
