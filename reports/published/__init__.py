"""Values that the papers print, for the model, benchmark, split and metric of a run.

`published.json` holds the cells of the papers' result tables; `note` of a cell says what is doubtful about it. A task
names its benchmark, split and metrics as they stand there.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import orjson

from reports.published.models import OWN


@dataclass(frozen=True)
class Published:
    """One printed value. `note` is empty unless the cell is doubtful."""

    value: float
    source: str
    table: str
    metric: str
    note: str


def find(model: str, benchmark: str | None, split: str, metric: str | None) -> Published | None:
    """The value of the model's own paper, or None where model, benchmark, split or metric are not in it."""
    rows = OWN.get(model)
    if rows is None or not benchmark or not metric:
        return None
    for entry in records():
        place = entry["benchmark"], entry["split"], entry["metric"]
        if entry["source"] == rows.source and entry["model"] in rows.names and place == (benchmark, split, metric):
            return Published(entry["value"], entry["source"], entry["table"], entry["metric"], entry["note"])
    return None


@cache
def records() -> list[dict[str, Any]]:
    """The cells of all tables, in the papers' order."""
    content: list[dict[str, Any]] = orjson.loads(files(__package__).joinpath("published.json").read_bytes())
    return content
