"""The Ray that a run uses: joined at an address, or started on this machine and ended with the run."""

from __future__ import annotations

import os
from typing import Any

from harness.failures import UsageError

OBJECTS = 512 << 20
"""Bytes of the object store that is started here: only answers pass through it."""


def ray_module() -> Any:
    """Ray, imported. Raises UsageError where it is not installed."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is reported to anybody
    # Ray tells of deaths on stdout, where programs read; the progress counts them, and Ray's own logs have them.
    os.environ.setdefault("RAY_DEDUP_LOGS_SKIP_REGEX", ".")
    try:
        import ray
    except ImportError as error:
        raise UsageError(f"--engine ray needs Ray ({error}): pip install 'omni-harness[ray]'") from error
    return ray


def join(address: str | None, workers: int) -> bool:
    """Connect; without an address to a Ray of this process's own, with room for `workers`. True where it was started
    or joined here, so that it is to be left again. Raises UsageError where there is no cluster."""
    ray = ray_module()
    if ray.is_initialized():
        return False
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
    try:
        if address is None:
            cpus = max(os.cpu_count() or 1, workers)
            ray.init("local", num_cpus=cpus, include_dashboard=False, object_store_memory=OBJECTS, **quiet)
        else:
            ray.init(address, **quiet)
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise UsageError(f"--address {address}: Ray cannot be reached or started: {error}") from error
    return True


def leave() -> None:
    ray_module().shutdown()


def n_workers(wanted: int | None, on_gpu: bool, what: str = "--replicas") -> int:
    """How many workers there will be: as many as are wanted, else one a GPU, or on CPUs one a machine.

    Raises UsageError where the cluster does not have so many: they would be waited for without end.
    """
    ray = ray_module()
    kind = "GPU" if on_gpu else "CPU"
    there = int(ray.cluster_resources().get(kind, 0))
    default = there if on_gpu else sum(node["Alive"] for node in ray.nodes())
    count = default if wanted is None else wanted
    if not 0 < count <= there:
        raise UsageError(f"{what} {count}: Ray has {there} {kind}s, and each takes one. Ask for fewer, or --device cpu")
    return count


def threads_each(workers: int) -> int | None:
    """CPU threads of each worker: a quarter of the cores shared out, as one model alone would take them; None where
    the environment says it."""
    if "OMP_NUM_THREADS" in os.environ:
        return None
    return max(1, int(ray_module().cluster_resources().get("CPU", 1)) // (4 * workers))


def actor(kind: type, on_gpu: bool) -> Any:
    """A class as an actor on a CPU, and a GPU if asked for. It is restarted by the driver and not by Ray, so that its
    weights are looked at again."""
    options = {
        "num_cpus": 1,
        "num_gpus": 1 if on_gpu else 0,
        "max_restarts": 0,
        "max_task_retries": 0,
        "scheduling_strategy": "SPREAD",
    }
    return ray_module().remote(kind).options(**options)
