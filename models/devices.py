"""Where a model runs: device, number type and CPU threads, from the options of the command line."""

from __future__ import annotations

import os

import torch

from harness.contracts import ModelOptions
from harness.failures import UsageError


def check_device(device: str) -> None:
    """Raises UsageError on a device that torch does not know or does not see."""
    try:
        kind = torch.device(device).type
    except RuntimeError as error:
        raise UsageError(f"--device {device}: {error}") from error
    if kind == "cuda":
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if (torch.device(device).index or 0) >= count:
            raise UsageError(
                f"--device {device}: torch {torch.__version__} sees {count} CUDA devices. Use --device cpu."
            )


def set_threads(options: ModelOptions) -> None:
    """CPU threads of a forward pass: what is asked for, else what OMP_NUM_THREADS says, else a quarter of the cores.

    On the CPU several requests are embedded at once while others are decoded, so that few threads each keep all cores
    busy and do not wait for each other (`benchmarks/threads.py`).
    """
    if options.threads:
        torch.set_num_threads(options.threads)
    elif options.device == "cpu" and "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(max(1, (os.cpu_count() or 1) // 4))


def dtype_of(options: ModelOptions) -> torch.dtype:
    return {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}[options.dtype]
