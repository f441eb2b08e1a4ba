"""What lies in a run directory that no number rests on: torn lines, files that no run has, recordings of no answer."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from harness.exclusions import NAME
from harness.store import RunDir

KNOWN = re.compile(
    r"(manifest|results|finished|judges)\.json|\.lock|" + re.escape(NAME) + r"|judgements/[^/]+\.jsonl"
    r"|media/[0-9a-f]{2}/[0-9a-f]{64}\.flac|scores/\d+/samples\.parquet"
)
SHOWN = 5


def torn(run: RunDir) -> list[str]:
    """Logs whose last line a crash left incomplete: it is passed over."""
    folders = [run.path / name for name in ("plan", "samples", "judgements")]
    logs = [path for folder in folders for path in sorted(folder.glob("*.jsonl"))]
    found = [path.relative_to(run.path) for path in (*logs, run.path / NAME) if _torn(path)]
    return [f"{name}: the last line is torn and counts for nothing" for name in found]


def _torn(path: Path) -> bool:
    if not path.is_file() or not (size := path.stat().st_size):
        return False
    with path.open("rb") as file:
        file.seek(size - 1)
        return file.read() != b"\n"


def leftovers(run: RunDir, tasks: Sequence[str], speech: Collection[str]) -> Iterator[str]:
    """Files that no run of these tasks has, and recordings that no record names."""
    strange, unheard = [], []
    for path in sorted(run.path.rglob("*")):
        name = path.relative_to(run.path).as_posix()
        if path.is_dir() and not path.is_symlink():
            continue
        if name.startswith("media/") and KNOWN.fullmatch(name) and name not in speech:
            unheard.append(name)
        elif not KNOWN.fullmatch(name) and not _of_task(name, tasks):
            strange.append(name)
    yield from _told(strange, "files that no run has")
    yield from _told(unheard, "recordings that no answer names")


def _of_task(name: str, tasks: Sequence[str]) -> bool:
    folder, _, file = name.rpartition("/")
    task = file.removesuffix(".jsonl")
    return file.endswith(".jsonl") and task in tasks and bool(re.fullmatch(r"plan|samples|scores/\d+", folder))


def _told(names: Sequence[str], what: str) -> Iterator[str]:
    if names:
        more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
        yield f"{what}: {', '.join(names[:SHOWN])}{more}"
