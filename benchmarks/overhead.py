"""What the engine costs besides the model: CPU time, memory and log bytes a sample, and start-up times.

`python -m benchmarks.overhead [--n 1000 20000] [--json]`. The echo model answers a text task of its own, then one with
a small picture (1,000 samples); each size runs in a fresh process. Growth of the peak with n shows whether memory is
flat. Start-up is the median of 7.
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
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.machine import described
from harness.config import make_config
from harness.contracts import DataChoice
from harness.run import Objects, start
from harness.task import Preset, Ratio, Row, Task
from harness.types import Generation, Message, Score, Text

BUDGET = {
    "cpu_ms_per_sample": 0.3,
    "cpu_ms_per_picture": 0.4,
    "log_bytes_per_sample": 700,
    "help_s": 0.15,
    "list_tasks_s": 0.3,
}


def task(n: int, picture: Path | None) -> Task:
    """`n` questions, each with the same picture if there is one."""
    from harness.media import reference

    def messages(row: Row) -> tuple[Message, ...]:
        media = [] if picture is None else [reference("image", picture)]
        return (Message("user", (*media, Text(row["question"]))),)

    return Task(
        name="overhead",
        version="1",
        inputs=frozenset({"text"}),
        source=Generated(n),
        doc=lambda row: {"question": row["question"], "answer": row["answer"]},
        presets={"plain": Preset(messages, Generation(max_new_tokens=16))},
        default_preset="plain",
        scorer=lambda doc, answer, profile: Score("right", 1.0, {"right": 1.0, "n": 1.0}, extracted="1", wrong=False),
        metrics=(Ratio("accuracy", "%", True, "right", "n", headline=True),),
        profiles=("exact",),
        default_profile="exact",
        citation="",
        licence="",
    )


@dataclass(frozen=True)
class Generated:
    """Rows that are made as they are asked for."""

    n: int
    published: int | None = None

    def rows(self, data: DataChoice) -> Iterator[Row]:
        for i in range(self.n):
            name = f"question-{i:07}"
            yield {"sample_id": name, "question": f"Which number comes after {i}?", "answer": str(i + 1)}

    def fingerprint(self, data: DataChoice) -> dict[str, Any]:
        return {"rows": self.n}

    def strays(self, data: DataChoice) -> tuple[str, ...]:
        return ()


def measure(n: int, with_picture: bool) -> dict[str, Any]:
    """Run n samples in this process; CPU seconds count from after the imports to the last file written."""
    import pandas  # noqa: F401  (pyarrow imports it; a library's import is no cost of a sample)
    import pyarrow.parquet  # noqa: F401
    from PIL import Image

    Image.init()  # imports its readers
    with tempfile.TemporaryDirectory() as folder:
        picture = Path(folder) / "picture.png" if with_picture else None
        if picture is not None:
            Image.effect_noise((64, 64), 60).save(picture)
        path = Path(folder) / "run"
        config = make_config({"model": "echo", "tasks": ["overhead"], "data": "mini"})
        before = time.process_time()
        start(config, path, Objects({"overhead": task(n, picture)}))
        seconds = time.process_time() - before
        log = (path / "samples" / "overhead.jsonl").stat().st_size
        whole = sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    return {
        "n": n,
        "picture": with_picture,
        "cpu_ms_per_sample": 1000 * seconds / n,
        "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "log_bytes_per_sample": log / n,
        "run_bytes_per_sample": whole / n,
    }


def startup(*arguments: str, repeats: int = 7) -> float:
    """Median wall seconds of a harness command."""
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-m", "harness", *arguments], check=True, capture_output=True)
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, nargs="+", default=[1000, 20000])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--child", type=int)
    parser.add_argument("--picture", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child is not None:
        print(json.dumps(measure(args.child, args.picture)))
        return

    rows = []
    for n, *more in [*([n] for n in args.n), [1000, "--picture"]]:
        command = [sys.executable, "-m", "benchmarks.overhead", "--child", str(n), *map(str, more)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        rows.append(json.loads(done.stdout.splitlines()[-1]))
    first, last = rows[0], rows[-2]
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
    print(f"{'n':>8} {'CPU ms/sample':>14} {'peak RSS MB':>12} {'log B/sample':>13} {'run B/sample':>13}")
    for row in rows:
        print(
            f"{row['n']:>8} {row['cpu_ms_per_sample']:>14.3f} {row['peak_rss_mb']:>12.1f} "
            f"{row['log_bytes_per_sample']:>13.0f} {row['run_bytes_per_sample']:>13.0f}"
            + ("  with a picture" if row["picture"] else "")
        )
    if "rss_bytes_per_further_sample" in found:
        print(f"memory for each further sample: {found['rss_bytes_per_further_sample']:.0f} bytes")
    print(f"harness --help {found['help_s']:.3f} s, harness list tasks {found['list_tasks_s']:.3f} s (median of 7)")
    print(f"budget: {BUDGET}")


if __name__ == "__main__":
    main()
