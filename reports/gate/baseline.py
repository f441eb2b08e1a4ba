"""Baselines: a JSON file to be committed, with the parts of every sample beside it in a parquet file.

Without the parts there is no paired test. A run directory serves as a baseline too.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any

import msgspec

from harness.failures import UsageError
from harness.files import read_json, write_atomically
from harness.kinds import need_finished
from harness.media import sha256_of
from harness.schema import converted
from harness.types import Channel
from harness.units import PartTable
from reports.gate.side import Parts, Side, TaskSide, device_of, parts_of, side_of, task_side
from reports.runs import Run, load

FORMAT = 1
_ROWS = 1 << 15


class Update(msgspec.Struct):
    """Why a baseline was changed, by whom, when, from which run."""

    when: str
    who: str
    reason: str
    run: str
    commit: str | None


class Baseline(msgspec.Struct, kw_only=True):
    """`baselines/<model>.json`."""

    model: str
    run: str
    created: str
    device: str
    harness: dict[str, Any]
    versions: dict[str, str | None]
    weights: dict[str, Any]
    tasks: dict[str, TaskSide]
    parts_sha256: str
    """Of the file with the parts, so that one of another run is not taken for it."""
    history: list[Update]
    format: int = FORMAT


def beside(path: Path) -> Path:
    """Where the parts of a baseline's samples are."""
    return path.with_name(f"{path.stem}.samples.parquet")


def make(run: Run, update: Update, earlier: Baseline | None) -> Baseline:
    manifest = run.manifest
    return Baseline(
        model=run.model,
        run=run.name,
        created=manifest.created,
        device=device_of(run),
        harness=manifest.harness,
        versions=manifest.versions,
        weights=manifest.model.fingerprint,
        tasks={task: task_side(run, task) for task in run.results.tasks},
        parts_sha256="",
        history=[*(earlier.history if earlier else []), update],
    )


def write(path: Path, baseline: Baseline, run: Run) -> None:
    """The parts first: a JSON file never stands beside parts of another run for long."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _write_parts(beside(path), run)
        baseline.parts_sha256 = sha256_of(beside(path))
        content = msgspec.json.encode(msgspec.to_builtins(baseline), order="sorted")
        write_atomically(path, msgspec.json.format(content, indent=1) + b"\n")
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}; name another file with -o") from error


def read(path: Path) -> Baseline:
    """Raises UsageError naming file and field at fault."""
    content = read_json(path)
    if content.get("format") != FORMAT:
        raise UsageError(f"{path}: no baseline of format {FORMAT}; `harness baseline update RUN -o FILE` writes one")
    return converted(content, Baseline, str(path))


def complete(path: Path) -> Run:
    """A run that others can be held against. Raises UsageError for one that is unfinished or has an invalid task."""
    run = load(need_finished(path).path)
    for task, entry in run.results.tasks.items():
        if not entry.valid:
            why = next((line for line in entry.problems if line.startswith("invalid")), "invalid")
            raise UsageError(f"{path}: {task} is {why}; a baseline is made of valid results alone")
    return run


def open_baseline(path: Path) -> Side:
    """A baseline file, or a run directory in its place."""
    if path.is_dir():
        return side_of(complete(path))
    if not path.is_file():
        raise UsageError(f"no baseline: {path} is not there; `harness baseline update RUN -o {path}` makes it")
    kept, parts = read(path), beside(path)
    if parts.is_file() and sha256_of(parts) != kept.parts_sha256:
        raise UsageError(f"{parts} is not the file that {path.name} was written with: commit both, or update it again")
    return Side(kept.run, kept.device, kept.tasks, cache(partial(_read_parts, parts)))


def _schema() -> Any:
    import pyarrow as pa

    text, tags = pa.string(), pa.map_(pa.string(), pa.list_(pa.string()))
    columns = {"task": text, "channel": text, "repeat": pa.int64(), "key": pa.uint64(), "cluster": pa.uint64()}
    columns |= {"parts": pa.map_(text, pa.float64()), "tags": tags}
    return pa.schema(list(columns.items()))


def _write_parts(path: Path, run: Run) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    partial = path.with_name(f".{path.name}.part")
    with pq.ParquetWriter(partial, _schema(), compression="zstd") as writer:
        for rows in _rows(run):
            writer.write_table(pa.Table.from_pylist(rows, schema=_schema()))
    partial.replace(path)


def _rows(run: Run) -> Iterator[list[dict[str, Any]]]:
    """A row a sample, or a group of samples that is scored together."""
    for task, entry in run.results.tasks.items():
        for channel in entry.scores[entry.profile]:
            about = {"task": task, "channel": channel}
            yield [
                about | {"repeat": repeat, "key": key, "cluster": cluster, "parts": own, "tags": tags}
                for repeat, table in enumerate(parts_of(run, task, channel))
                for key, cluster, own, tags in table.rows()
            ]


def _read_parts(path: Path, task: str, channel: Channel) -> Parts | None:
    import pyarrow.parquet as pq

    if not path.is_file():
        return None
    found = pq.read_table(path, filters=[("task", "=", task), ("channel", "=", channel)])
    tables: dict[int, PartTable] = {}
    for row in found.to_pylist(maps_as_pydicts="strict"):
        table = tables.setdefault(row["repeat"], PartTable())
        table.add_row(row["key"], row["cluster"], row["parts"] or {}, row["tags"] or {})
    return [table for _, table in sorted(tables.items())]
