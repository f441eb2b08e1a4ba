"""Values that the papers print, matched to a run's model, task and metric by name.

`published.json` holds the cells of the papers' result tables; `note` of a cell says what is doubtful about it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

import orjson


class Cell(NamedTuple):
    """Where a task's metric stands in the papers' tables."""

    benchmark: str
    split: str
    metric: str


@dataclass(frozen=True)
class Published:
    """One printed value. `note` is empty unless the cell is doubtful."""

    value: float
    source: str
    table: str
    metric: str
    note: str


class _Rows(NamedTuple):
    """A model's own paper and the names of its final stage in that paper's tables."""

    source: str
    names: frozenset[str]


_MODELS: Mapping[str, _Rows] = {
    "vita15": _Rows(
        "VITA-1.5 (arXiv:2501.01957)",
        frozenset({"VITA-1.5", "VITA-1.5 (Stage 3)", "VITA-1.5-Audio (Stage 3)"}),
    ),
}

_CELLS: Mapping[tuple[str, str], Cell] = {
    ("librispeech_dev_clean", "wer"): Cell("LibriSpeech", "dev-clean", "WER %"),
    ("librispeech_dev_other", "wer"): Cell("LibriSpeech", "dev-other", "WER %"),
    ("librispeech_test_clean", "wer"): Cell("LibriSpeech", "test-clean", "WER %"),
    ("librispeech_test_other", "wer"): Cell("LibriSpeech", "test-other", "WER %"),
    ("aishell1", "cer"): Cell("AISHELL-1", "test", "CER %"),
    ("wenetspeech_net", "cer"): Cell("WenetSpeech", "test_net", "CER %"),
    ("wenetspeech_meeting", "cer"): Cell("WenetSpeech", "test_meeting", "CER %"),
    ("mme", "total"): Cell("MME", "all", "score /2800 (perception+cognition)"),
}


def find(model: str, task: str, metric: str) -> Published | None:
    """The value of the model's own paper, or None where model, task or metric are not in it."""
    rows, cell = _MODELS.get(model), _CELLS.get((task, metric))
    if rows is None or cell is None:
        return None
    for entry in _table():
        place = Cell(entry["benchmark"], entry["split"], entry["metric"])
        if entry["source"] == rows.source and entry["model"] in rows.names and place == cell:
            return Published(entry["value"], entry["source"], entry["table"], entry["metric"], entry["note"])
    return None


@cache
def _table() -> list[dict[str, Any]]:
    content: list[dict[str, Any]] = orjson.loads(files(__package__).joinpath("published.json").read_bytes())
    return content
