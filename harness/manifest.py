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

import msgspec

from harness.config import RunConfig, make_config
from harness.differences import changes
from harness.engines import Engine, ModelFacts
from harness.files import encoded, plain
from harness.plan import TaskPlan
from harness.schema import Manifest, ModelManifest, TaskManifest

_PACKAGES = ("numpy", "torch", "transformers", "tokenizers", "safetensors", "soundfile", "av", "pillow")

_MATERIAL = ("model", "device", "dtype", "tasks")
"""What must not change between the parts of one run, beside the configuration. The harness's commit may: each resume
is told in "resumed"."""


def build(
    config: RunConfig,
    facts: ModelFacts,
    engine: Engine,
    plans: Sequence[TaskPlan],
    device: str,
    dtype: str,
    left_out: Mapping[str, str],
) -> Manifest:
    """The manifest of a run whose model is open. `left_out` has what it lacks for each task that is skipped."""
    return Manifest(
        created=now(),
        harness={"version": package_version("omni-harness"), **git_state()},
        versions=versions(),
        platform=platform.platform(),
        config=msgspec.to_builtins(config),
        model=ModelManifest(
            name=facts.name,
            label=facts.label,
            note=facts.note,
            prompt_styles=list(facts.prompt_styles),
            inputs=sorted(facts.capabilities.inputs),
            outputs=sorted(facts.capabilities.outputs),
            fingerprint=plain(facts.fingerprint),
        ),
        device=device,
        dtype=dtype,
        threads=config.threads or facts.threads,
        tasks={plan.name: _task(plan, engine) for plan in plans},
        left_out=dict(left_out),
    )


def _task(plan: TaskPlan, engine: Engine) -> TaskManifest:
    task, preset = plan.task, plan.preset
    return TaskManifest(
        version=task.version,
        inputs=sorted(task.inputs),
        outputs=list(task.outputs),
        prompt=plan.prompt,
        prompt_note=plan.prompt_note,
        profiles=list(plan.profiles),
        profile=plan.profile,
        channel=task.default_channel,
        generation=plain(asdict(preset.generation) | {"effective": dict(engine.effective(preset.generation))}),
        pictures=asdict(preset.pictures),
        data=plain(task.source.fingerprint(plan.data)),
        cluster=task.cluster_name,
        citation=task.citation,
        licence=task.licence,
        n_published=None if plan.data.kind == "mini" else task.source.published,
        benchmark=task.benchmark,
        split=task.split,
        splits=dict(task.splits),
        published_metrics=dict(task.published_metrics),
        judges=dict(task.judges),
        signatures=dict(task.signatures),
        max_batch=task.max_batch,
    )


def resumed(stored: Manifest, current: Manifest) -> Manifest:
    """The stored manifest with one more resume in it: when, on what, by which engine and state of the harness."""
    entry = {name: getattr(current, name) for name in ("created", "harness", "versions", "device")}
    entry["engine"] = current.config["engine"]
    return msgspec.structs.replace(stored, resumed=[*stored.resumed, entry])


def differences(stored: Manifest, current: Manifest) -> list[str]:
    """Lines "path: stored -> current" for everything material that differs.

    Configurations are compared as parsed: a field that a later version added has its default in both.
    """
    found = make_config(stored.config, "manifest.json").differences(make_config(current.config, "this run"))
    found = [f"config.{line}" for line in found]
    for name in _MATERIAL:
        found += changes(getattr(stored, name), getattr(current, name), name)
    return found


def versions() -> dict[str, str | None]:
    """Of Python and of the packages that answers are computed with."""
    return {"python": platform.python_version(), **{name: package_version(name) for name in _PACKAGES}}


def hash8(config: RunConfig) -> str:
    return hashlib.sha256(encoded(config)).hexdigest()[:8]


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


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
