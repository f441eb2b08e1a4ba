"""Score saved responses of any origin: lines of `{"id", "doc", "response"}`, no model needed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from harness import aggregate
from harness.contracts import TaskLike
from harness.failures import UsageError
from harness.records import scored
from harness.types import Failure, Response

NO_ANSWER = Failure("generate", "permanent", "the file gives no response")


def score_file(task: TaskLike, path: Path, profile: str | None, seed: int = 0) -> dict[str, Any]:
    """The task's entry as in `results.json`, with the scored rows under "samples".

    A response of null is a missing answer: it counts as wrong. Raises UsageError naming the line at fault.
    """
    chosen = profile or task.default_profile
    if chosen not in task.profiles:
        raise UsageError(f"task {task.name} has no profile {chosen!r}; it has {', '.join(task.profiles)}")
    records = [_record(task, line, chosen) for line in read_lines(path)]
    result = aggregate.task_result(task, chosen, "from file", records, seed)
    samples = [{"id": r["id"], **r["score"], **({"failure": r["failure"]} if "failure" in r else {})} for r in records]
    return {"task": task.name, **result, "samples": samples}


def read_lines(path: Path) -> Iterator[dict[str, Any]]:
    """The objects of a responses file; ids are unique, "doc" is an object, "response" is text or null."""
    seen: set[str] = set()
    try:
        file = path.open("rb")
    except OSError as error:
        raise UsageError(f"responses file cannot be read: {path}: {error.strerror}") from error
    with file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            where = f"{path}, line {number}"
            try:
                row = orjson.loads(line)
            except orjson.JSONDecodeError as error:
                raise UsageError(f"{where}: not JSON: {error}") from error
            if not isinstance(row, dict) or not isinstance(row.get("doc"), dict):
                raise UsageError(f'{where}: needs an object with "id", "doc" (an object) and "response"')
            if not isinstance(row.get("id"), (str, int)):
                raise UsageError(f'{where}: "id" is missing')
            if "response" not in row or not isinstance(row["response"], (str, type(None))):
                raise UsageError(f'{where}: "response" must be text, or null for a missing answer')
            row["id"] = str(row["id"])
            if row["id"] in seen:
                raise UsageError(f"{where}: id {row['id']!r} occurs twice")
            seen.add(row["id"])
            yield row
    if not seen:
        raise UsageError(f"responses file holds no lines: {path}")


def _record(task: TaskLike, row: dict[str, Any], profile: str) -> dict[str, Any]:
    outcome = NO_ANSWER if row["response"] is None else Response(row["response"])
    return {
        "id": row["id"],
        "cluster": task.cluster_of(row["doc"]),
        "doc": row["doc"],
        **({} if row["response"] is None else {"response": {"text": row["response"]}}),
        **scored(task, row["doc"], profile, outcome),
    }
