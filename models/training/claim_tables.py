"""`docs/claims.md`: what the papers claim and what the small models that ship show of it, as tables.

    python -m models.training.claim_tables [--weights DIR] [--out FILE]

Every number comes from `claims.json` beside the weights, which their release command writes from its runs. With
`--check` nothing is written, and the exit code is 1 where the page is another.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment, StrictUndefined

from models.training.claims import read, verdict
from models.training.nexus import alignment
from models.training.recorded import FILE, Claim, Record, load

ROOT = Path(__file__).parents[2]
WEIGHTS, PAGE = ROOT / "models" / "weights", ROOT / "docs" / "claims.md"
TEMPLATE = Path(__file__).with_name("claims.md.j2")


class Table(NamedTuple):
    question: str
    paper: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    verdicts: Sequence[str]


def page(weights: Path) -> str:
    """The page of all folders below `weights` that hold a record. Raises ValueError on one of another format."""
    records = [load(path.parent) for path in sorted(weights.glob(f"*/{FILE}"))]
    environment = Environment(undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False)
    return environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(
        models=[_model(record) for record in records],
        heard=[(record.model, one) for record in records for one in record.heard],
    )


def table(claim: Claim) -> Table:
    if claim.kind == "probe":
        columns = ("after stage", "sides", "metric", "value [95 % CI]", "shuffled", "to the stage before", "p (Holm)")
        aligned = [row for name, results in claim.states.items() for row in alignment.read(name, results)]
        return Table(claim.question, claim.paper, columns, aligned, ())
    rows = [(name, *change) for name, compared in claim.states.items() for change in read(compared)]
    columns = ("state", "task", "metric", claim.before, "this state", "difference [95 % CI]", "p (Holm)")
    verdicts = [f"{claim.before} to {name}: {verdict(compared)}" for name, compared in claim.states.items()]
    return Table(claim.question, claim.paper, columns, rows, verdicts)


def _model(record: Record) -> dict[str, Any]:
    return {"name": record.model, "tables": [table(claim) for claim in record.claims]}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Make the page of claims from what ships beside the weights.")
    parser.add_argument("--weights", type=Path, default=WEIGHTS, help="folder with a folder for each model")
    parser.add_argument("--out", type=Path, default=PAGE)
    parser.add_argument("--check", action="store_true", help="write nothing; say whether the page is up to date")
    options = parser.parse_args(arguments)
    try:
        made = page(options.weights)
    except (ValueError, KeyError, TypeError) as error:
        print(f"{options.weights}: {error}", file=sys.stderr)
        return 2
    if options.check:
        same = options.out.is_file() and options.out.read_text(encoding="utf-8") == made
        print(json.dumps({"page": str(options.out), "up_to_date": same}))
        return 0 if same else 1
    options.out.write_text(made, encoding="utf-8")
    print(options.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
