"""`python -m benchmarks.probes [--n 1024 4096] [--k 50] [--json]`: cost of the seven alignment metrics.

CPU seconds (user + system) and extra peak memory, each in a fresh process on one thread, d = 1024, unit rows
of a shared 32-d latent with threefold noise. Beside them the figures of the public reference implementation
on the same kind of input (two threads, one run; measured at k = 50 where it takes a k, CKNNA at k = 10).
Budget: 4 CPU s and 150 MB at n = 4096.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import resource
import subprocess
import sys
from pathlib import Path

import torch

from alignment_probes.metrics import METRICS, score_all
from alignment_probes.neighbours import l2_normalize
from benchmarks.machine import cpu_name

D = 1024
BUDGET = {"cpu_s": 4.0, "extra_mb": 150.0}
# CPU seconds and extra peak MiB of the reference, by metric and n.
REFERENCE = {
    "cka": {1024: (0.31, 23), 2048: (1.56, 116), 4096: (10.31, 321)},
    "cknna": {1024: (0.40, 57), 2048: (1.23, 308), 4096: (5.67, 771)},
    "svcca": {1024: (0.21, 22), 2048: (0.83, 42), 4096: (0.90, 41)},
    "mutual_knn": {1024: (0.25, 37), 2048: (0.98, 115), 4096: (2.44, 450)},
    "cycle_knn": {1024: (0.24, 58), 2048: (1.11, 157), 4096: (2.43, 385)},
    "lcs_knn": {1024: (0.82, 27), 2048: (2.24, 98), 4096: (4.53, 385)},
    "edit_distance_knn": {1024: (0.87, 28), 2048: (2.04, 101), 4096: (4.88, 386)},
}


def features(n: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    latent = torch.randn(n, 32, generator=generator)
    a, b = (
        l2_normalize(
            latent @ torch.randn(32, D, generator=generator) / 32**0.5 + 3 * torch.randn(n, D, generator=generator)
        )
        for _ in "AB"
    )
    return a, b


def measure(n: int, k: int, metrics: list[str]) -> dict[str, object]:
    """Score once in this process; it should be a fresh one."""
    torch.set_num_threads(1)
    a, b = features(n)
    small_a, small_b = features(64)
    score_all(small_a, small_b, 5, metrics)  # loads the linear-algebra libraries
    # Freed memory that the C library keeps would otherwise be reused and hide what the call needs.
    ctypes.CDLL("libc.so.6").malloc_trim(0)
    before_mb = _memory_mb("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak so far
    start = resource.getrusage(resource.RUSAGE_SELF)
    scores = score_all(a, b, k, metrics)
    end = resource.getrusage(resource.RUSAGE_SELF)
    cpu_s = end.ru_utime + end.ru_stime - start.ru_utime - start.ru_stime
    return {"cpu_s": round(cpu_s, 3), "extra_mb": round(_memory_mb("VmHWM") - before_mb, 1), "scores": scores}


def _memory_mb(field: str) -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise OSError(f"/proc/self/status has no {field}; this benchmark needs Linux")


def in_fresh_process(n: int, k: int, metrics: list[str]) -> dict[str, object]:
    command = [sys.executable, "-m", "benchmarks.probes", "--one", *metrics, "--n", str(n), "--k", str(k)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.probes", description=__doc__.splitlines()[0])
    parser.add_argument("--n", type=int, nargs="+", default=[1024, 2048, 4096, 16384])
    parser.add_argument("--k", type=int, default=50)
    parser.add_argument("--one", nargs="+", choices=METRICS, help=argparse.SUPPRESS)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    if args.one:
        print(json.dumps(measure(args.n[0], args.k, args.one)))
        return 0

    rows = []
    for n in args.n:
        for label, metrics in [("all seven", list(METRICS)), *((metric, [metric]) for metric in METRICS)]:
            row = {"n": n, "metric": label} | in_fresh_process(n, args.k, metrics)
            known = REFERENCE.get(label, {}).get(n)
            if label == "all seven" and all(n in by_n for by_n in REFERENCE.values()):
                figures = [by_n[n] for by_n in REFERENCE.values()]
                known = (round(sum(cpu for cpu, _ in figures), 2), max(mib for _, mib in figures))
            if known:
                row |= {"reference_cpu_s": known[0], "reference_extra_mb": round(known[1] * 1.048576, 1)}
            rows.append(row)
            if not args.json:
                beside = f"   reference {known[0]:6.2f} s {known[1]:4d} MiB" if known else ""
                print(f"{n:6} {label:18} {row['cpu_s']:8.2f} CPU s {row['extra_mb']:7.1f} MB{beside}", flush=True)
    if args.json:
        print(
            json.dumps(
                {
                    "command": "python -m benchmarks.probes " + " ".join(sys.argv[1:]),
                    "cpu": cpu_name(),
                    "threads": 1,
                    "torch": torch.__version__,
                    "d": D,
                    "k": args.k,
                    "budget_n4096": BUDGET,
                    "rows": rows,
                },
                indent=1,
            )
        )
    missed = [
        row
        for row in rows
        if row["n"] == 4096 and row["metric"] == "all seven" and any(row[key] > BUDGET[key] for key in BUDGET)
    ]
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
