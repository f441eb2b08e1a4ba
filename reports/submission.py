"""A run's answers as files for others: what a benchmark's server takes, or the samples as a table."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

from harness.export import write_parquet
from harness.failures import UsageError
from harness.files import arriving, encoded
from harness.kinds import need_finished
from harness.recount import recounted
from harness.registry import get_task
from harness.schema import Record
from harness.store import RunDir
from reports.grid.place import need_place

Format = Literal["submission", "parquet", "csv"]
FORMATS: tuple[Format, ...] = ("submission", "parquet", "csv")
_UNHOLDABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""Characters that a cell of a workbook cannot hold."""
_LONGEST = 32_767
"""UTF-16 units of a cell."""


class Exported(NamedTuple):
    """The file, its rows, and what has to be told of them."""

    path: Path
    rows: int
    told: list[str]


def export(run: Path, task: str | None, form: Format, out: Path | None, force: bool = False) -> Exported:
    """Write a finished run's answers. Raises UsageError naming what is missing and the remedy."""
    directory = need_finished(run)
    names = list(directory.manifest().tasks)
    if task is not None and task not in names:
        raise UsageError(f"{run} has no task {task}; it has {', '.join(names)}")
    if form == "submission":
        task = _submittable(names, task)
    endings = {"submission": "xlsx", "parquet": "parquet", "csv": "csv"}
    path = out or Path(f"{directory.name}{f'-{task}' if task else ''}.{endings[form]}")
    need_place(path, force)
    with arriving(path) as place:
        return _written(place, directory, names, task, form)._replace(path=path)


def _written(path: Path, directory: RunDir, names: list[str], task: str | None, form: Format) -> Exported:
    if form == "submission":
        assert task is not None
        made = _write_workbook(path, get_task(task).submission, directory.records(task))
        published = directory.manifest().tasks[task].n_published
        if published is not None and made.rows != published:
            made.told.append(f"{made.rows:,} of the benchmark's {published:,} rows are in this run")
        return made
    return _write_table(path, directory, [task] if task else names, form)


def _submittable(names: Sequence[str], task: str | None) -> str:
    able = [name for name in names if get_task(name).submission]
    if task is None and len(able) == 1:
        return able[0]
    if task not in able:
        if not able:
            raise UsageError(f"no task of this run is a benchmark to submit answers to; it has {', '.join(names)}")
        told = f"{task} is no benchmark to submit answers to" if task else "answers to one benchmark make a file"
        raise UsageError(f"{told}; name one by --task: {', '.join(able)}")
    return task


def _write_workbook(path: Path, columns: Sequence[str], records: Iterator[Record]) -> Exported:
    """One sheet: the doc's columns and `prediction`, all as text, in the benchmark's order."""
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell

    found = sorted((record for record in records if record.repeat == 0), key=_place)
    columns = [name for name in columns if any(name in record.doc for record in found)]
    book = Workbook(write_only=True)
    sheet = book.create_sheet("submission")
    changed = missing = 0

    def cell(value: object) -> WriteOnlyCell:
        nonlocal changed
        text = "" if value is None else str(value)
        kept = _shortened(_UNHOLDABLE.sub("\ufffd", text))
        changed += kept != text
        made = WriteOnlyCell(sheet, kept)
        made.data_type = "s"  # never a formula
        return made

    sheet.append([*columns, "prediction"])
    for record in found:
        answer = record.response.text if record.response is not None and record.failure is None else ""
        missing += not answer
        own = [_number(record.doc) if name == "index" else cell(record.doc.get(name)) for name in columns]
        sheet.append([*own, cell(answer)])
    book.save(path)
    told = []
    if missing:
        told.append(f"{missing:,} of {len(found):,} rows have no answer: it is empty, or failed")
    if changed:
        told.append(f"{changed:,} cells held characters that a workbook cannot hold, or too many; they were replaced")
    return Exported(path, len(found), told)


def _number(doc: Mapping[str, object]) -> object:
    """The index as a number where it is one."""
    index = str(doc.get("index", ""))
    return int(index) if index.isdecimal() else index


def _shortened(text: str) -> str:
    """As much of a text as a cell holds; nearly every text is short."""
    if 2 * len(text) <= _LONGEST:
        return text
    return text.encode("utf-16-le")[: 2 * _LONGEST].decode("utf-16-le", "ignore")


def _place(record: Record) -> tuple[int, str]:
    index = str(record.doc.get("index", ""))
    return (int(index), "") if index.isdecimal() else (1 << 62, record.id)


def _write_table(path: Path, directory: RunDir, tasks: list[str], form: Format) -> Exported:
    import pyarrow.parquet as pq
    from pyarrow import ArrowException

    results, place = recounted(directory), directory.path / directory.results().scores / "samples.parquet"
    problems = ((task, line) for task in tasks for line in results.tasks[task].problems)
    told = [f"{task}: {line}" for task, line in problems if line.startswith("invalid: the log")]
    if bare := sum(not scored.scores for task in tasks for _, scored in directory.pairs(task)):
        told.append(
            f"{bare:,} records have no scores and are in no row; `harness score {directory.path}` gives them some"
        )
    if form == "parquet":
        write_parquet(directory, place.parent, tasks, path)
        return Exported(path, pq.ParquetFile(path).metadata.num_rows, told)
    try:
        with place.open("rb") as file:
            table = pq.read_table(file).to_pandas(maps_as_pydicts="strict")
    except (OSError, ArrowException) as error:
        raise UsageError(f"{place} cannot be read: {error}; `harness score {directory.path}` makes it again") from error
    table = table[table["task"].isin(tasks)]
    for name in ("parts", "tags", "media"):
        table[name] = table[name].map(_as_json)
    table.to_csv(path, index=False, lineterminator="\n")
    return Exported(path, len(table), told)


def _as_json(value: Any) -> str:
    """A list or mapping of a cell as JSON."""
    return "" if value is None else encoded(value.tolist() if hasattr(value, "tolist") else value).decode()
