"""Rows that fail alone, and the last check that every row passes before the engine sees it.

A row that cannot be used is still a row: it carries `error`, which names the place and the remedy, its `sample_id`
and what is known of it (category, image name, sentence), so that the sample fails in its own cluster.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from harness.task import Row
from tasks.readers.layout import readable, text_fault

MEDIA_COLUMNS = ("audio", "image", "images", "video", "prompt_wav", "reference_wav")
_DEEPEST = 32
_INT64 = range(-(2**63), 2**63)
_CONTAINERS = ("audio", "test", "wav")
"""First folders of a file name that only hold a data set's media and tell no two files apart."""


def failed(row: Row, error: str) -> Row:
    """The row as one that fails with this message. Its media stays by name alone (`media_path`), for the record."""
    found = {name: None for name in MEDIA_COLUMNS if name in row}
    path = next((str(row[name]) for name in found if isinstance(row[name], Path)), None)
    return {**row, **found, **({"media_path": path} if path else {}), "error": error}


def own_columns(row: Row) -> Row:
    """A data file's row without a column of its own called `error`: that word is the readers', to the engine."""
    return {name: value for name, value in row.items() if name != "error"}


def utterance_id(file_name: str) -> str:
    """A media file's name as an id: its folders and its stem, so that `spk0/0001` and `spk1/0001` differ."""
    path = PurePosixPath(file_name)
    parts = [part for part in path.with_suffix("").parts if part not in ("/", "..")] if path.name else []
    return "/".join(parts[1:] if len(parts) > 1 and parts[0] in _CONTAINERS else parts)


def sound(rows: Iterable[Row]) -> Iterator[Row]:
    """The rows with values that can be stored as JSON; a row whose text cannot be fails, in readable characters."""
    for number, row in enumerate(rows):
        if faults := [f"column {name}: {fault}" for name, value in row.items() if (fault := _fault(value))]:
            where = row.get("error") or f"row {number}: {faults[0]}"
            row = failed(row, where)
        clean = {readable(name): _clean(value) for name, value in row.items()}
        identity = clean["sample_id"] = str(clean.get("sample_id") or f"row-{number}")
        if "error" not in clean and ".." in identity.split("/"):
            clean = failed(clean, f"row {number}: the id {identity!r} leads out of its folder; correct it in the table")
        yield clean


def _fault(value: Any, depth: int = 0) -> str:
    if isinstance(value, str | Path):
        return text_fault(str(value))
    if isinstance(value, dict | list):
        if depth == _DEEPEST:
            return f"nested more than {_DEEPEST} deep; flatten it"
        inner = [*value, *value.values()] if isinstance(value, dict) else value
        return next((fault for item in inner if (fault := _fault(item, depth + 1))), "")
    return ""


def _clean(value: Any, depth: int = 0) -> Any:
    """Media (paths, bytes) and plain values as they are; what JSON has no form for (dates, huge numbers) as text."""
    match value:
        case str():
            return readable(value)
        case bool() | float() | None | bytes() | Path():
            return value
        case int():
            return value if value in _INT64 else str(value)
        case dict() | list() if depth == _DEEPEST:
            return None
        case dict():
            return {readable(str(key)): _clean(item, depth + 1) for key, item in value.items()}
        case list():
            return [_clean(item, depth + 1) for item in value]
    return readable(str(value))
