"""Image benchmarks as people have them: VLMEvalKit's table in the data folder, or the hub's rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from harness.task import Row
from tasks.readers.layout import need_file, only_one
from tasks.readers.rows import failed
from tasks.readers.tsv import Pictureless, read_table
from tasks.scoring.cells import absent

_ROOTS = ("", "LMUData")
"""Folders that may hold the tables: the data folder, or VLMEvalKit's root in it."""
_MOST_PICTURES = 7


def table_in(
    home: str, table: str, *, pictureless: Pictureless = "fails", split: str | None = None
) -> Callable[[Path], Iterator[Row]]:
    """A reader of VLMEvalKit's `table` in a data folder, in its sub-folder `home` or in `LMUData/`.

    It raises LayoutError where there is none, or more than one.
    """

    def read(folder: Path) -> Iterator[Row]:
        places = [folder / home / table, *(folder / root / table for root in _ROOTS)]
        found = only_one([place for place in places if place.is_file()], table)
        return read_table(need_file(found or places[1]), ("question",), pictureless=pictureless, split=split)

    return read


def hub_pictures(*identity: str, pictureless: Pictureless = "fails") -> Callable[[Iterable[Row]], Iterator[Row]]:
    """An adapter of hub rows: `sample_id` out of the columns `identity` (else the row's number) and the pictures.

    `decoded_image` counts as `image`; those of `image_1` to `image_7` that are there become `images`.
    """

    def adapt(rows: Iterable[Row]) -> Iterator[Row]:
        for number, row in enumerate(rows):
            named = [str(row[name]) for name in identity if not absent(row.get(name))]
            adapted = _pictured(row) | {"sample_id": "_".join(named) or f"row-{number}"}
            if "images" in adapted or not absent(_content(adapted.get("image"))) or "error" in row:
                yield adapted
            elif pictureless == "fails":
                yield failed({**adapted, "image": None}, f"row {number} has no image")
            elif pictureless == "kept":
                yield {**adapted, "image": None}

    return adapt


def _pictured(row: Row) -> Row:
    several = [f"image_{k}" for k in range(1, _MOST_PICTURES + 1)]
    rest = {name: value for name, value in row.items() if name not in (*several, "decoded_image")}
    if pictures := [row[name] for name in several if not absent(_content(row.get(name)))]:
        return {**rest, "images": pictures}
    if "decoded_image" in row:  # `image` is the picture's name there
        return {**rest, "image": row["decoded_image"]}
    return rest


def _content(value: Any) -> object:
    """A picture's bytes or path, None where the hub's struct of them is empty."""
    if isinstance(value, dict):
        return value.get("bytes") or value.get("path")
    return value
