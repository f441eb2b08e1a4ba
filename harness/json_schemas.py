"""JSON schemas of a run directory's files, for docs/schemas: `python -m harness.json_schemas [--out FOLDER]`."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from harness.config import RunConfig
from harness.exclusions import Exclusion
from harness.schema import FORMAT, Manifest, PlannedRow, Record, Results, Scored

FILES: Mapping[str, tuple[type, str]] = {
    "config": (RunConfig, "the fields of a YAML file for `harness run --config`"),
    "manifest": (Manifest, "manifest.json"),
    "plan": (PlannedRow, "a line of plan/<task>.jsonl"),
    "record": (Record, "a line of samples/<task>.jsonl"),
    "scored": (Scored, "a line of scores/<n>/<task>.jsonl"),
    "exclusion": (Exclusion, "a line of exclusions.jsonl"),
    "results": (Results, "results.json, and what `harness run --json` prints beside the run's path"),
}


def schemas() -> dict[str, dict[str, Any]]:
    """Name -> JSON schema (draft 2020-12)."""
    found = {}
    for name, (kind, what) in FILES.items():
        schema = msgspec.json.schema(kind)
        head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": f"{what}, format {FORMAT}"}
        found[name] = head | schema
    return found


def write(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, schema in schemas().items():
        content = msgspec.json.format(msgspec.json.encode(schema), indent=1)
        (folder / f"{name}.json").write_bytes(content + b"\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Write the JSON schemas of a run directory's files.")
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[1] / "docs" / "schemas", help="folder")
    write(parser.parse_args().out)
