"""What was measured of weights that ship, as numbers in a small file beside them: `claims.json`. None is rounded, or a
table made of them could differ from the card in its last digit.

The cards and `docs/claims.md` print it with the same code.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from models.training.person import Heard

FILE = "claims.json"
FORMAT = 1


@dataclass(frozen=True)
class Claim:
    """A paper's claim, and states of a small model that decide on it.

    kind "compare": `states` are what `models.training.claims.compare` gives, each against the state `before`; "probe":
    the `results.json` of alignment probes as `models.training.nexus.alignment.kept` leaves it, each state tested
    against the one above it.
    """

    question: str
    paper: str
    """Where it is claimed, and in short what."""
    kind: Literal["compare", "probe"]
    states: Mapping[str, Mapping[str, Any]]
    before: str = ""


@dataclass(frozen=True)
class Record:
    model: str
    claims: Sequence[Claim]
    heard: Sequence[Heard] = field(default=())
    """What it makes of a person's speech."""


def save(record: Record, weights: Path) -> None:
    content = {
        "format": FORMAT,
        "model": record.model,
        "claims": [asdict(claim) for claim in record.claims],
        "heard": [one._asdict() for one in record.heard],
    }
    (weights / FILE).write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def load(weights: Path) -> Record:
    """Raises ValueError naming a file of another format."""
    path = weights / FILE
    content = json.loads(path.read_text(encoding="utf-8"))
    if content.get("format") != FORMAT:
        raise ValueError(f"{path}: is of format {content.get('format')}, not {FORMAT}; make it again")
    claims = tuple(Claim(**claim) for claim in content["claims"])
    return Record(content["model"], claims, tuple(Heard(**one) for one in content["heard"]))
