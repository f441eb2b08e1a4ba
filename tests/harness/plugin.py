"""A plug-in as another package brings it: an installed distribution with entry points."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

TOY, JUDGE = "tests.harness.toy", "tests.harness.toy_judge"
TOYS = {
    "tasks": {
        "toy": f"{TOY}:TASK",
        "toy_broken": f"{TOY}:BROKEN",
        "toy_judged": f"{JUDGE}:JUDGED",
        "toy_either": f"{JUDGE}:EITHER",
        "toy_graded": f"{JUDGE}:GRADED",
        "toy_heard": f"{JUDGE}:HEARD",
    },
    "models": {"toy-model": f"{TOY}:ToyModel"},
    "judges": {"toy-judge": f"{JUDGE}:toy_judge", "toy-ear": f"{JUDGE}:toy_ear"},
}


def write_plugin(folder: Path, entries: Mapping[str, Mapping[str, str]]) -> Path:
    """Write a distribution (group -> name -> address) into a folder that is to be put on `sys.path`."""
    info = folder / "omni_plugin-1.dist-info"
    info.mkdir(parents=True, exist_ok=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: omni-plugin\nVersion: 1\n")
    lines = [
        line
        for group, names in entries.items()
        for line in (f"[harness.{group}]", *(f"{name} = {address}" for name, address in names.items()), "")
    ]
    (info / "entry_points.txt").write_text("\n".join(lines))
    return folder
