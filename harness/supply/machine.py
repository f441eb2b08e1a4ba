"""The machine: devices, memory, programs, caches, and whether the hub answers."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from pathlib import Path
from threading import Thread
from typing import Any

from harness.supply.places import Places

PATIENCE_S = 3.0
PROGRAMS = {"chromium": (("chromium", "chromium-browser", "google-chrome"), "tests of the pages")}


def system() -> dict[str, Any]:
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "executable": sys.executable,
        "cpus": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_bytes": memory(),
    }


def memory() -> int | None:
    """Bytes of memory, None where the system does not say."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None


def devices() -> list[dict[str, Any]]:
    """The CPU, and each GPU with its memory. torch is imported where the system has one."""
    found: list[dict[str, Any]] = [{"device": "cpu", "name": platform.processor() or platform.machine()}]
    if not any(Path("/dev").glob("nvidia[0-9]*")):
        return found
    try:
        import torch

        if not torch.cuda.is_available():
            return [*found, {"device": "cuda", "fault": f"torch {torch.__version__} cannot use the GPU that is here"}]
        for index in range(torch.cuda.device_count()):
            free, total = torch.cuda.mem_get_info(index)
            name = torch.cuda.get_device_name(index)
            found.append({"device": f"cuda:{index}", "name": name, "bytes": total, "free_bytes": free})
    except Exception as error:  # a driver that does not fit, of whatever kind
        found.append({"device": "cuda", "fault": f"{type(error).__name__}: {error}"})
    return found


def programs() -> dict[str, dict[str, str | None]]:
    """Program -> where it is, None where it is not, and what it is for."""
    return {
        name: {"where": next(filter(None, map(shutil.which, names)), None), "for": use}
        for name, (names, use) in PROGRAMS.items()
    }


def caches() -> list[dict[str, Any]]:
    """The folders that things are kept in: what they take, and the room that is left there."""
    from huggingface_hub import constants

    tables = Path(os.environ.get("HF_DATASETS_CACHE") or Path(constants.HF_HOME) / "datasets")
    places = Places.of()
    named = {
        "hub": (places.hub, "HF_HUB_CACHE or HF_HOME"),
        "tables of datasets": (tables, "HF_DATASETS_CACHE or HF_HOME"),
        "harness": (places.own, "HARNESS_CACHE"),
        "ModelScope": (places.modelscope, "MODELSCOPE_CACHE"),
    }
    return [
        {"name": name, "folder": str(folder), "set_by": variable, "bytes": taken(folder), "free_bytes": room(folder)}
        for name, (folder, variable) in named.items()
    ]


def taken(folder: Path) -> int:
    """Bytes below a folder, each file once; links are not followed."""
    total = 0
    for where, _, names in os.walk(folder):
        for name in names:
            try:
                total += Path(where, name).lstat().st_size
            except OSError:
                continue
    return total


def room(folder: Path) -> int | None:
    """Bytes left where a folder is or would be; None on a disk that does not say, such as one that is gone."""
    try:  # not Path.exists, which raises where a folder may not be looked at
        return shutil.disk_usage(next(place for place in (folder, *folder.parents) if os.path.exists(place))).free  # noqa: PTH110
    except OSError:
        return None


def hub() -> dict[str, Any]:
    """Whether the hub answers, asked once; not where the network is switched off."""
    from huggingface_hub import constants, get_session

    address = constants.ENDPOINT
    if constants.HF_HUB_OFFLINE:
        return {"address": address, "answers": False, "why": "not asked: the network is switched off"}
    outcome: list[dict[str, Any]] = [{"answers": False, "why": f"no answer within {PATIENCE_S:g} s"}]

    def ask() -> None:
        try:
            get_session().head(address, timeout=PATIENCE_S)
            outcome[0] = {"answers": True, "why": ""}
        except Exception as error:  # which error depends on the HTTP library below huggingface_hub
            outcome[0] = {"answers": False, "why": str(error) or type(error).__name__}

    thread = Thread(target=ask, daemon=True)  # a thread, as no timeout covers the look-up of the host's name
    thread.start()
    thread.join(PATIENCE_S)
    return {"address": address, **outcome[0]}
