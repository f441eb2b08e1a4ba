"""Values that the papers print, for the model, benchmark, split and metric of a run.

`published.json` holds the cells of the papers' result tables; `note` of a cell says what is doubtful about it. A task
names its benchmark, split (one for each channel) and metrics as they stand there.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import orjson

from reports.published.models import OWN, Elsewhere, OwnRows

Record = dict[str, Any]
"""A cell of a table, as `published.json` has it."""
PRINTED_AS_WER = " (printed as WER)"


@dataclass(frozen=True)
class Published:
    """One printed value. `note` is empty unless the cell is doubtful, or made in a way that has to be known."""

    value: float
    source: str
    table: str
    metric: str
    note: str
    comparable: bool = True
    """False for a row of the same weights in another mode, or of another thing: no difference may be taken."""


def find(model: str, benchmark: str | None, split: str, metric: str | None) -> Published | None:
    """The value of the model's own paper, or None where model, benchmark, split or metric are not in it."""
    rows = OWN.get(model)
    if rows is None or not benchmark or not metric:
        return None
    there = rows.elsewhere.get((benchmark, split, metric), Elsewhere(split, metric))
    wanted = place(benchmark, there.split, there.metric)
    found = [one for one in records() if one["source"] == rows.source and place_of(one) == wanted]
    for entry in found:
        if entry["model"] in rows.names:
            return _published(entry, rows, there.note, there.comparable)
    for entry in found:
        if entry["model"] in rows.modes:
            return _published(entry, rows, rows.modes[entry["model"]], comparable=False)
    return None


def _published(entry: Record, rows: OwnRows, about: str, comparable: bool) -> Published:
    notes = about, rows.notes.get(entry["table"], ""), entry["note"]
    said = "; ".join(note.rstrip(".") for note in notes if note)
    return Published(entry["value"], entry["source"], entry["table"], entry["metric"], said, comparable)


def place(benchmark: str, split: str, metric: str) -> tuple[str, str, str]:
    """What papers call differently is one place: the case of a split, and a rate whose heading is known to be wrong.

    >>> place("AISHELL-2", "iOS", "CER % (printed as WER)")
    ('AISHELL-2', 'ios', 'CER %')
    """
    return benchmark, split.casefold(), metric.removesuffix(PRINTED_AS_WER)


def place_of(record: Record) -> tuple[str, str, str]:
    return place(record["benchmark"], record["split"], record["metric"])


@cache
def records() -> list[Record]:
    """The cells of all tables, in the papers' order."""
    content: list[Record] = orjson.loads(files(__package__).joinpath("published.json").read_bytes())
    return content
