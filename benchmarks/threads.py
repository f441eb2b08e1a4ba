"""How many CPU threads a forward pass should have: `python -m benchmarks.threads [--threads 1 2] [--json]`.

`vita15-mini` answers 140 questions of MME with small and with large batches, on a machine that is else quiet and beside
a process for each core that computes all the time. Wall seconds of whole runs, each in a process of its own, start-up
included; medians over the repeats.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.machine import described

BUDGETS = {"small": 1024, "large": 16384}
"""Batch budgets in tokens: about 4 and 64 questions side by side."""


def seconds(threads: int, budget: int) -> float:
    """Wall seconds of a run."""
    environment = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "harness", "run", "--model", "vita15-mini", "--tasks", "mme"]
        command += ["--data", "mini", "--limit", "140", "--out", str(Path(folder) / "run")]
        command += ["--threads", str(threads), "--batch-tokens", str(budget)]
        began = time.perf_counter()
        done = subprocess.run(command, env=environment, capture_output=True, check=False)
        if done.returncode not in (0, 4):
            raise RuntimeError(done.stderr.decode())
        return time.perf_counter() - began


@contextmanager
def loaded(busy: bool) -> Iterator[None]:
    """A computing process for each core."""
    others = [multiprocessing.Process(target=_compute, daemon=True) for _ in range((os.cpu_count() or 1) * busy)]
    for other in others:
        other.start()
    try:
        yield
    finally:
        for other in others:
            other.kill()


def _compute() -> None:
    while True:
        sum(i * i for i in range(10_000))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    rows = []
    for busy in (False, True):
        for size, budget in BUDGETS.items():
            with loaded(busy):
                times = {n: [seconds(n, budget) for _ in range(args.repeats)] for n in args.threads}
            found = {f"threads_{n}_s": round(statistics.median(took), 2) for n, took in times.items()}
            rows.append({"machine": "busy" if busy else "quiet", "batches": size, **found})
            if not args.json:
                print(rows[-1], flush=True)
    if args.json:
        print(json.dumps({**described(), "runs": rows}, indent=1))


if __name__ == "__main__":
    main()
