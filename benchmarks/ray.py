"""What Ray costs for each sample, and how that grows with the number of workers.

`python -m benchmarks.ray [--n 4000] [--workers 1 2 4] [--turns 3] [--json]`. The echo model answers a text task of its
own, first in this process and then by workers of Ray, each size in turn and several times; medians. What differs is
Ray's: the driver's CPU time, and the CPU time of all of Ray's processes, from when the workers are open to the last
answer. Starting Ray and the workers is told apart. Answers that come fast travel together; a slow model's come
one by one, so that `lone` measures what each then costs the driver. `limits` are estimates on paper from it.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from benchmarks.machine import described
from benchmarks.overhead import task
from harness.contracts import DataChoice, ModelOptions
from harness.engines import Engine, ray_cluster
from harness.engines.leases import Lease, Leases
from harness.engines.local import LocalEngine
from harness.engines.ray_engine import RayEngine
from harness.engines.ray_pool import Pool
from harness.plan import Planned, choose, given_to_all, planned, rows_of
from harness.registry import get_model
from harness.schedule import groups
from harness.types import Response

BUDGET_TOKENS = 1024
"""Of a batch: about 50 of the questions side by side."""
THOUSAND = 1000
RECORD_MS = 0.17
"""What planning, writing and scoring a sample costs the driver besides (`benchmarks.overhead`)."""
ANSWER_S = (0.1, 1.0, 10.0)
"""Seconds of a worker for each answer, for the estimate."""


def questions(n: int) -> list[Planned]:
    """`n` planned requests of the task of `benchmarks.overhead`."""
    asked = task(n, None)
    data = DataChoice("mini")
    chosen = choose(asked, data, prompt=None, styles=(), profile=None, limit=None, repeats=1)
    rows = rows_of(chosen, asked.rows(data), get_model("echo")(ModelOptions()))
    return list(planned(chosen, rows, 0, given_to_all(None, "mean")))


def measure(engine: Engine, items: list[Planned]) -> dict[str, float]:
    """Seconds to open, then for each sample: wall, CPU of this process, and CPU of the processes that it started."""
    began = time.monotonic()
    with closing(engine):
        engine.open()
        opened = time.monotonic()
        for _ in engine.answers(groups(items[:200], BUDGET_TOKENS)):  # the first pieces pay for connections
            pass
        before = time.monotonic(), time.process_time(), cpu_below()
        count = sum(1 for _ in engine.answers(groups(items, BUDGET_TOKENS)))
        after = time.monotonic(), time.process_time(), cpu_below()
    assert count == len(items)
    wall, driver, below = (1000 * (late - early) / count for early, late in zip(before, after, strict=True))
    return {"open_s": opened - began, "wall_ms": wall, "driver_cpu_ms": driver, "other_cpu_ms": below}


class Teller:
    """An actor that gives each answer alone, as one does that takes long for each."""

    def open(self) -> str:
        return "open"

    def answers(self, items: list[int], rows: int, timed: bool) -> Iterator[list[tuple[int, Response]]]:
        for number in items:
            yield [(number, Response("as long as an answer to a choice is"))]


def lone(workers: int, n: int) -> dict[str, Any]:
    """Milliseconds of the driver's CPU and of wall time for each answer that travels alone."""
    ray_cluster.join(None, workers)
    pool: Pool[int] = Pool(
        lambda: ray_cluster.actor(Teller, False).remote(), workers, lambda told: None, lambda i, _: i
    )
    pool.open()
    leases = [Lease(dict(enumerate(range(at, at + 100))), 1) for at in range(0, n, 100)]
    for _ in pool.answers(Leases(Lease({0: 0}, 1) for _ in range(4 * workers))):
        pass
    before = time.monotonic(), time.process_time()
    count = sum(1 for _ in pool.answers(Leases(leases)))
    after = time.monotonic(), time.process_time()
    pool.close()
    ray_cluster.leave()
    wall, driver = (1000 * (late - early) / count for early, late in zip(before, after, strict=True))
    return {"workers": workers, "wall_ms": wall, "driver_cpu_ms": driver}


def cpu_below() -> float:
    """CPU seconds that the living descendants of this process have used."""
    ticks = os.sysconf("SC_CLK_TCK")
    found = {pid: (parent, seconds / ticks) for pid, parent, seconds in _processes()}

    def below(pid: int) -> bool:
        while pid in found:
            pid = found[pid][0]
            if pid == os.getpid():
                return True
        return False

    return sum(seconds for pid, (_, seconds) in found.items() if below(pid))


def _processes() -> Iterator[tuple[int, int, int]]:
    """Process, its parent, and the ticks of CPU time that it used."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:  # it ended meanwhile
            continue
        yield int(path.parent.name), int(fields[1]), int(fields[11]) + int(fields[12])


def estimates(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """How many answers a second the driver can take in, and how busy a thousand workers would keep it."""
    dearest = max(row["driver_cpu_ms"] for row in rows)
    taken = 1000 / (dearest + RECORD_MS)
    return {
        "driver_answers_per_s": taken,
        "driver_share_at_1000_workers": {str(s): THOUSAND / s / taken for s in ANSWER_S},
        "workers_that_fill_the_driver": {str(s): int(taken * s) for s in ANSWER_S},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=4000)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    items = questions(args.n)
    turns: dict[int, list[dict[str, float]]] = {}
    for _ in range(args.turns):
        for workers in (0, *args.workers):
            engine: Engine = LocalEngine(get_model("echo")(ModelOptions()))
            if workers:
                engine = RayEngine("echo", ModelOptions(), workers)
            turns.setdefault(workers, []).append(measure(engine, items))
    rows = [
        {"workers": workers, **{name: statistics.median(turn[name] for turn in found) for name in found[0]}}
        for workers, found in turns.items()
    ]
    alone = [lone(workers, args.n) for workers in args.workers]
    told = {"machine": described(), "n": args.n, "turns": args.turns, "runs": rows, "lone": alone}
    told["limits"] = estimates(alone)
    if args.json:
        print(json.dumps(told, indent=1))
        return
    print(f"{'workers':>8} {'open s':>8} {'wall ms':>9} {'driver CPU ms':>14} {'other CPU ms':>13}   for each sample")
    for row in rows:
        name = row["workers"] or "none"
        print(
            f"{name:>8} {row['open_s']:>8.1f} {row['wall_ms']:>9.3f} {row['driver_cpu_ms']:>14.3f} "
            f"{row['other_cpu_ms']:>13.3f}"
        )
    for row in alone:
        print(f"{row['workers']:>8} alone {row['wall_ms']:>11.3f} {row['driver_cpu_ms']:>14.3f}")
    for name, value in told["limits"].items():
        print(f"{name}: {value}")


if __name__ == "__main__":
    main()
