"""What the engine costs besides the model: CPU time, memory and log bytes a sample, and start-up times.

`python -m benchmarks.overhead [--n 1000 20000] [--json]`. The echo model answers a text task of its own; each size
runs in a fresh process. Growth of the peak with n shows whether memory is flat. Start-up is the median of 7.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.machine import described

BUDGET = {"cpu_ms_per_sample": 0.3, "log_bytes_per_sample": 700, "help_s": 0.15, "list_tasks_s": 0.3}


def questions(n: int) -> Iterator[dict[str, Any]]:
    for i in range(n):
        yield {"id": f"question-{i:07}", "question": f"Which number comes after {i}?", "answer": str(i + 1)}


def measure(n: int) -> dict[str, float]:
    """Run n samples in this process; CPU seconds count from after the imports to the last file written."""
    from harness import registry
    from harness.config import RunConfig
    from harness.contracts import DataChoice, PromptFn, Row
    from harness.run import start
    from harness.types import Doc, Generation, Message, Sample, Score, Text
    from tasks.task import Metric, Task

    class Generated:
        def rows(self, data: DataChoice) -> Iterator[Row]:
            return questions(n)

        def fingerprint(self, data: DataChoice) -> dict[str, Any]:
            return {"rows": n}

    def to_sample(row: Row, prompt: PromptFn) -> Sample:
        return Sample(row["id"], (Message("user", (Text(prompt(row)),)),), row)

    def score(doc: Doc, response: Any, profile: str) -> Score:
        return Score("right", 1.0, {"right": 1.0, "n": 1.0}, extracted="1")

    task = Task(
        name="overhead",
        version="1",
        inputs=frozenset({"text"}),
        source=Generated(),
        sample=to_sample,
        scorer=score,
        metrics=(Metric("accuracy", "%", True, lambda s: 100 * s["right"] / s["n"], headline=True),),
        prompts={"plain": lambda doc: str(doc["question"])},
        default_prompt="plain",
        profiles=("exact",),
        default_profile="exact",
        citation="",
        licence="",
        generation=Generation(max_new_tokens=16),
    )
    registry.names = lambda group: ["overhead"] if group == "tasks" else ["echo"]
    registry.get_task = lambda name: task
    import pandas  # noqa: F401  (pyarrow imports it; a library's import is no cost of a sample)
    import pyarrow.parquet  # noqa: F401

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run"
        before = time.process_time()
        start(RunConfig(model="echo", tasks=("overhead",), data="mini"), path)
        seconds = time.process_time() - before
        log = (path / "samples" / "overhead.jsonl").stat().st_size
    return {
        "n": n,
        "cpu_ms_per_sample": 1000 * seconds / n,
        "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "log_bytes_per_sample": log / n,
    }


def startup(*arguments: str, repeats: int = 7) -> float:
    """Median wall seconds of a harness command."""
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-m", "harness.cli", *arguments], check=True, capture_output=True)
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, nargs="+", default=[1000, 20000])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--child", type=int)
    args = parser.parse_args()
    if args.child is not None:
        print(json.dumps(measure(args.child)))
        return

    rows = []
    for n in args.n:
        command = [sys.executable, "-m", "benchmarks.overhead", "--child", str(n)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        rows.append(json.loads(done.stdout.splitlines()[-1]))
    first, last = rows[0], rows[-1]
    found: dict[str, Any] = {
        "machine": described(),
        "runs": rows,
        "help_s": startup("--help"),
        "list_tasks_s": startup("list", "tasks"),
    }
    if last["n"] > first["n"]:
        grown = last["peak_rss_mb"] - first["peak_rss_mb"]
        found["rss_bytes_per_further_sample"] = 1024 * 1024 * grown / (last["n"] - first["n"])
    if args.json:
        print(json.dumps(found | {"budget": BUDGET}, indent=1))
        return
    print(f"{'n':>8} {'CPU ms/sample':>14} {'peak RSS MB':>12} {'log B/sample':>13}")
    for row in rows:
        print(
            f"{row['n']:>8} {row['cpu_ms_per_sample']:>14.3f} {row['peak_rss_mb']:>12.1f} "
            f"{row['log_bytes_per_sample']:>13.0f}"
        )
    if "rss_bytes_per_further_sample" in found:
        print(f"memory for each further sample: {found['rss_bytes_per_further_sample']:.0f} bytes")
    print(f"harness --help {found['help_s']:.3f} s, harness list tasks {found['list_tasks_s']:.3f} s (median of 7)")
    print(f"budget: {BUDGET}")


if __name__ == "__main__":
    main()
