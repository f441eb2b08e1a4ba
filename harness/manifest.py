"""What was run, on what, with what: the first file of a run directory, and the check before a resume."""

from __future__ import annotations

import hashlib
import platform
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import orjson

from harness.config import RunConfig
from harness.contracts import Model
from harness.plan import TaskPlan

FORMAT = 1
_PACKAGES = ("numpy", "torch", "transformers", "tokenizers", "safetensors", "soundfile", "av", "pillow")

_MATERIAL = ("config", "model", "device", "dtype", "tasks")
"""What must not change between the parts of one run. The harness's commit may: each resume is told in "resumed"."""


def build(
    config: RunConfig,
    model: Model,
    plans: Sequence[TaskPlan],
    device: str,
    dtype: str,
    examples: Mapping[str, str],
) -> dict[str, Any]:
    """The manifest of a run. `examples` holds each task's first prompt text."""
    return {
        "format": FORMAT,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "harness": {"version": package_version("omni-harness"), **git_state()},
        "versions": {"python": platform.python_version()} | {p: package_version(p) for p in _PACKAGES},
        "platform": platform.platform(),
        "config": config.model_dump(mode="json"),
        "model": {
            "name": model.name,
            "note": model.note,
            "prompt_style": model.prompt_style,
            "inputs": sorted(model.capabilities.inputs),
            "outputs": sorted(model.capabilities.outputs),
            "fingerprint": dict(model.fingerprint()),
        },
        "device": device,
        "dtype": dtype,
        "tasks": {p.task.name: _task(p, examples.get(p.task.name, "")) for p in plans},
    }


def _task(plan: TaskPlan, example: str) -> dict[str, Any]:
    task = plan.task
    return {
        "version": task.version,
        "inputs": sorted(task.inputs),
        "outputs": list(task.outputs),
        "prompt": plan.prompt,
        "prompt_text": example,
        "profile": plan.profile,
        "generation": asdict(task.generation),
        "data": dict(task.fingerprint(plan.data)),
        "cluster": task.cluster_name,
        "citation": task.citation,
        "licence": task.licence,
    }


def resumed(stored: Mapping[str, Any], current: Mapping[str, Any]) -> dict[str, Any]:
    """The stored manifest with one more resume in it: when, and by which state of the harness."""
    entry = {"created": current["created"], "harness": current["harness"], "versions": current["versions"]}
    return {**stored, "resumed": [*stored.get("resumed", []), entry]}


def differences(stored: Mapping[str, Any], current: Mapping[str, Any]) -> list[str]:
    """Lines "path: stored -> current" for everything material that differs."""
    found: list[str] = []
    for key in _MATERIAL:
        found += _compare(_plain(stored.get(key)), _plain(current.get(key)), key)
    return found


def _compare(stored: Any, current: Any, path: str) -> list[str]:
    if isinstance(stored, dict) and isinstance(current, dict):
        keys = sorted(stored.keys() | current.keys())
        return [line for k in keys for line in _compare(stored.get(k), current.get(k), f"{path}.{k}")]
    return [] if stored == current else [f"{path}: {stored!r} -> {current!r}"]


def _plain(value: Any) -> Any:
    """The value as it looks after a trip through JSON (tuples become lists)."""
    return orjson.loads(orjson.dumps(value))


def hash8(config: RunConfig) -> str:
    return hashlib.sha256(orjson.dumps(config.model_dump(mode="json"))).hexdigest()[:8]


def package_version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def git_state() -> dict[str, Any]:
    """Commit and whether the work tree differs from it, where the harness runs from a checkout of its own."""
    root = Path(__file__).resolve().parents[1]
    if not (root / ".git").exists():
        return {"commit": None, "dirty": None}
    try:
        commit = _git(root, "rev-parse", "HEAD")
        return {"commit": commit, "dirty": bool(_git(root, "status", "--porcelain", "--untracked-files=no"))}
    except (OSError, subprocess.SubprocessError):
        return {"commit": None, "dirty": None}


def _git(root: Path, *words: str) -> str:
    done = subprocess.run(["git", "-C", str(root), *words], capture_output=True, text=True, timeout=10, check=True)
    return done.stdout.strip()
