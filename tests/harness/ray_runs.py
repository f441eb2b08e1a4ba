"""Runs on Ray beside the same run in one process, undisturbed and with workers killed at random.

`python -m tests.harness.ray_runs [--kills 20] [--samples 12000] [--seed 0]` prints what happened as JSON and exits 1 if
`results.json` differs in any field but the times, or a sample is lost or there twice. The model takes 2 ms a sample.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from harness.contracts import Capabilities
from harness.engines.ray_cluster import ray_module
from harness.run import Objects, start
from harness.schema import TaskResult
from harness.store import RunDir
from harness.task import Task
from harness.types import Failure, Request, Response, Waveform
from tests.harness.plugin import TOYS, write_plugin
from tests.harness.toy import ToyModel, config, numbered, toy_task

WORKERS = (1, 2, 4)
ROOT = Path(__file__).resolve().parents[2]


def plugin_path(folder: Path) -> str:
    """A PYTHONPATH by which processes that are started know the toy model by its name."""
    models = TOYS["models"] | {
        name: f"tests.harness.ray_runs:{name[4:].title()}" for name in ("toy-deadly", "toy-speaks")
    }
    plugins = write_plugin(folder, TOYS | {"models": models})
    return os.pathsep.join([str(plugins), str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])


class Deadly(ToyModel):
    """Its process dies of the sample that its weights name; without weights as soon as it is opened."""

    def open(self) -> None:
        if self.options.weights is None:
            os.kill(os.getpid(), signal.SIGKILL)

    def answer(self, request: Request) -> Response | Failure:
        if request.sample_id == self.options.weights:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().answer(request)


class Speaks(ToyModel):
    """Says each number in a wave of its own loudness."""

    capabilities = Capabilities(frozenset({"text"}), frozenset({"text", "speech"}))

    def answer(self, request: Request) -> Response | Failure:
        loud = np.full(40_000, int(request.sample_id) / 10, np.float32)
        return Response(request.sample_id, Waveform(loud, 16_000) if "speech" in request.outputs else None)


def run_on(workers: int | None, path: Path, task: Task, model: str = "toy-model", **fields: Any) -> RunDir:
    """A run of one task on Ray, or in this process where `workers` is None."""
    fields = {"weights": "slow"} | fields if model == "toy-model" else fields
    if workers is not None:
        fields |= {"engine": "ray", "replicas": workers}
    return start(config(task, **{**fields, "model": model}), path, Objects({task.name: task}))


def without_times(run: RunDir) -> dict[str, TaskResult]:
    return {name: msgspec.structs.replace(found, seconds=0.0) for name, found in run.results().tasks.items()}


def repeated(run: RunDir, task: str) -> int:
    ids = [(record.repeat, record.id) for record in run.records(task)]
    return len(ids) - len(set(ids))


def worker_processes() -> list[int]:
    """The processes of this machine's replicas that belong to this process's Ray."""
    told = subprocess.run(["ps", "-eo", "pid,ppid,args"], capture_output=True, text=True, check=True).stdout
    rows = [line.split(None, 2) for line in told.splitlines()[1:]]
    children = {int(pid): (int(parent), name) for pid, parent, name in rows}

    def ours(pid: int) -> bool:
        while pid in children and pid > 1:
            if pid == os.getpid():
                return True
            pid = children[pid][0]
        return False

    return [pid for pid, (_, name) in children.items() if name.startswith("ray::Replica") and ours(pid)]


@dataclass
class Killer:
    """Kills one of the workers at random, again and again, once the run has answers, until it has done so often enough
    or the run is over."""

    often: int
    wait: tuple[float, float]
    seed: int = 0
    begun: Callable[[], bool] = lambda: True
    done: int = 0

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Killer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while self.done < self.often and not self._over.wait(self._random.uniform(*self.wait)):
            workers = worker_processes() if self.begun() else []
            if workers:
                try:
                    os.kill(self._random.choice(workers), signal.SIGKILL)
                except ProcessLookupError:
                    continue
                self.done += 1


def compared(folder: Path, samples: int, kills: int, seed: int) -> dict[str, Any]:
    """Local, 1, 2 and 4 workers, then 4 of which `kills` are killed."""
    task = toy_task(numbered(samples))
    local = run_on(None, folder / "local", task)
    told: dict[str, Any] = {"samples": samples}
    for workers in WORKERS:
        run = run_on(workers, folder / str(workers), task)
        told[f"equal with {workers}"] = without_times(run) == without_times(local) and repeated(run, "toy") == 0
    log = folder / "killed" / "samples" / "toy.jsonl"
    with Killer(kills, (1.0, 3.0), seed, lambda: log.exists() and log.stat().st_size > 0) as killer:
        began = time.monotonic()
        run = run_on(WORKERS[-1], folder / "killed", task)
        told["seconds"] = round(time.monotonic() - began, 1)
    return told | {
        "kills": killer.done,
        "lost": samples - run.results().tasks["toy"].n_scored,
        "repeated": repeated(run, "toy"),
        "equal with kills": without_times(run) == without_times(local),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--samples", type=int, default=12000)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = plugin_path(Path(folder) / "plugins")
        os.environ["PYTHONPATH"] = path
        sys.path[:0] = path.split(os.pathsep)
        ray = ray_module()
        ray.init("local", num_cpus=max(WORKERS), include_dashboard=False, log_to_driver=False, logging_level="ERROR")
        told = compared(Path(folder), args.samples, args.kills, args.seed)
        ray.shutdown()
    print(json.dumps(told))
    equal = all(value for name, value in told.items() if name.startswith("equal"))
    return 0 if equal and told["kills"] == args.kills and not told["lost"] and not told["repeated"] else 1


if __name__ == "__main__":
    sys.exit(main())
