"""What a measurement was made on."""

from __future__ import annotations

import os
import platform
import sys
from pathlib import Path


def cpu_name() -> str:
    """The processor's name as the system gives it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next(
        (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.processor()
    )


def described() -> dict[str, str | int | None]:
    """Command, processor, number of its cores and Python: what stands beside every result."""
    name = getattr(sys.modules["__main__"].__spec__, "name", None) or Path(sys.argv[0]).name
    command = " ".join(["python -m", name, *sys.argv[1:]])
    return {"command": command, "cpu": cpu_name(), "cores": os.cpu_count(), "python": platform.python_version()}
