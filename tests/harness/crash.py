"""Kill a run with SIGKILL at random moments, resume it, and compare with an undisturbed run.

`python -m tests.harness.crash [--kills 20] [--samples 2000] [--seed 0]` prints what happened as JSON and exits 1 if
`results.json` differs in any field but the times. The child process runs the toy task, 2 ms a sample.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import msgspec

from harness.contracts import ModelOptions
from harness.run import resume, start
from harness.schema import TaskResult
from harness.store import RunDir
from tests.harness.toy import ToyModel, config, numbered, objects, toy_task

ROOT = Path(__file__).resolve().parents[2]


def child(path: Path, samples: int) -> None:
    """Run, or resume if there is something to resume."""
    toys = objects(toy_task(numbered(samples)), model=ToyModel(ModelOptions("slow")))
    if (path / "manifest.json").exists():
        resume(path, toys)
    else:
        start(config(), path, toys)


def kill_and_resume(folder: Path, kills: int, samples: int, seed: int) -> dict[str, Any]:
    """What an undisturbed and a disturbed run say; `kept` counts the records after each kill."""
    rng = random.Random(seed)
    command = [sys.executable, "-m", "tests.harness.crash", "--samples", str(samples), "--child"]
    began = time.monotonic()
    subprocess.run([*command, str(folder / "whole")], cwd=ROOT, check=True, capture_output=True)
    whole_s = time.monotonic() - began

    killed: list[int] = []
    while len(killed) < kills:
        process = subprocess.Popen(
            [*command, str(folder / "killed")], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        # Past start-up, and short enough that the run lasts for all kills.
        time.sleep(rng.uniform(0.25, 0.25 + max(0.3, 1.2 * whole_s / (kills + 1))))
        process.kill()
        if process.wait() == 0:
            break  # it finished before the kill
        started = (folder / "killed" / "manifest.json").exists()
        killed.append(len(RunDir(folder / "killed").done("toy")) if started else 0)
    subprocess.run([*command, str(folder / "killed")], cwd=ROOT, check=True, capture_output=True)
    whole, resumed = (_without_times(folder / name) for name in ("whole", "killed"))
    ids = [record.id for record in RunDir(folder / "killed").records("toy")]
    return {
        "kills": len(killed),
        "kept": killed,
        "samples": len(ids),
        "repeated": len(ids) - len(set(ids)),
        "equal": whole == resumed,
    }


def _without_times(path: Path) -> TaskResult:
    found = RunDir.open(path).results().tasks["toy"]
    return msgspec.structs.replace(found, seconds=0.0)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--samples", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--child", type=Path)
    args = parser.parse_args()
    if args.child is not None:
        child(args.child, args.samples)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        told = kill_and_resume(Path(folder), args.kills, args.samples, args.seed)
    print(json.dumps(told))
    return 0 if told["equal"] and not told["repeated"] and told["samples"] == args.samples else 1


if __name__ == "__main__":
    sys.exit(main())
