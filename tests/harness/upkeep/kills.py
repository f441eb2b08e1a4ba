"""Kill `merge` and `exclude` before, within and after each of their file operations.

`python -m tests.harness.upkeep.kills [merge exclude] [--every 1]` prints what happened, as `tests.harness.faults` does.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from harness.run import start
from harness.store import RunDir
from harness.upkeep.exclude import exclude
from harness.upkeep.merge import merge
from harness.upkeep.verify import verify
from reports.runs import load
from tests.harness.faults import TASK as TWELVE
from tests.harness.faults import Command, main, own, trials
from tests.harness.toy import config


def kill_merge(folder: Path, every: int) -> dict[str, int]:
    """The joined run is not there, or is whole; joining again ends with it and leaves nothing beside it."""
    shards = [start(config(TWELVE, part=f"{n}/2"), folder / f"part-{n}", own()).path for n in (1, 2)]
    whole = start(config(TWELVE), folder / "whole", own())
    expected = _headline(whole)

    def verdict(path: Path) -> str:
        if path.exists():
            return "good" if _headline(RunDir.open(path)) == expected else "wrong: a part of it looks whole"
        try:
            merge(shards, path, own())
        except Exception as error:
            return f"stuck: {error}"
        beside = [one.name for one in path.parent.iterdir() if one.name.startswith(f".{path.name}")]
        good = _headline(RunDir.open(path)) == expected and verify(path, own()).agrees and not beside
        return "good" if good else f"wrong: {beside}"

    return trials(lambda path: merge(shards, path, own()), lambda path: None, verdict, folder, every)


def kill_exclude(folder: Path, every: int) -> dict[str, int]:
    """The earlier numbers, or the later ones; where the list is ahead of them, they are called invalid."""
    whole = start(config(TWELVE), folder / "whole", own())
    ids = [("toy", "1"), ("toy", "2")]

    def verdict(path: Path) -> str:
        entry = load(path).results.tasks["toy"]
        listed = (path / "exclusions.jsonl").is_file()
        if entry.valid and entry.n_excluded != (2 if listed else 0):
            return "wrong: the numbers do not say that they are of another list"
        try:
            exclude(path, ids, "wrong gold answers", objects=own())
        except Exception as error:
            return f"stuck: {error}"
        later = load(path).results.tasks["toy"]
        lines = (path / "exclusions.jsonl").read_text().splitlines()
        good = later.valid and later.n_excluded == 2 == len(lines) and verify(path, own()).agrees
        return "good" if good else "wrong"

    def work(path: Path) -> object:
        return exclude(path, ids, "wrong gold answers", objects=own())

    return trials(work, lambda path: shutil.copytree(whole.path, path), verdict, folder, every)


def _headline(run: RunDir) -> object:
    entry = run.results().tasks["toy"]
    return entry.n_expected, entry.n_scored, entry.headline.metrics["accuracy"].value, run.finished


COMMANDS: dict[str, Command] = {"merge": kill_merge, "exclude": kill_exclude}


if __name__ == "__main__":
    sys.exit(main(COMMANDS, __doc__))
