"""What is installed, and what the harness's extras still lack: from the metadata of packages, importing none."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from importlib.metadata import Distribution, PackageNotFoundError, distribution, version
from pathlib import Path
from typing import Any

NAME = "omni-harness"
ABOUT_MB: Mapping[str, int] = {
    "espeak": 20,
    "judges": 2000,
    "lmms": 400,
    "ray": 210,
    "dev": 1030,
    "sync": 60,
    "tensorboard": 30,
    "wandb": 70,
}
"""What an extra adds to the base when nothing of it is there, on Linux with a CPU build of torch, Python 3.11; of dev
and judges 750 are pynini, which both share. Of sync and wandb it is an estimate."""
BASE_MB = 1500
USED_FOR: Mapping[str, str] = {
    "espeak": "speech for training and for the mini world made again, by espeak-ng",
    "judges": "whisper by openai-whisper, paraformer-zh, the profile libritts",
    "lmms": "tasks of lmms-eval",
    "ray": "many devices and machines",
    "dev": "the tests",
    "sync": "runs kept on S3 or GCS",
    "tensorboard": "numbers for TensorBoard",
    "wandb": "numbers for Weights & Biases",
}


def extras() -> dict[str, dict[str, Any]]:
    """Each extra: what of it is missing or too old, the command that installs it, and about how many MB that takes."""
    found = {}
    for extra in sorted(_own().metadata.get_all("Provides-Extra") or []):
        lacks = list(_lacking(extra))
        found[extra] = {
            "for": USED_FOR.get(extra, ""),
            "installed": not lacks,
            "lacks": lacks,
            "command": command(extra) if lacks else "",
            "about_mb": ABOUT_MB.get(extra) if lacks else 0,
        }
    return found


def base() -> list[str]:
    """What the harness cannot do without and lacks."""
    return list(_lacking(""))


def versions() -> dict[str, str]:
    """Package -> version of what the base needs, where it is installed."""
    from packaging.requirements import Requirement

    names = sorted({Requirement(text).name for text in _own().requires or [] if "extra ==" not in text})
    return {name: found for name in names if (found := _version(name)) is not None}


def command(extra: str) -> str:
    """How an extra is added to this installation."""
    place = checkout()
    return f"pip install -e '{place}[{extra}]'" if place else f"pip install '{NAME}[{extra}]'"


def checkout() -> Path | None:
    """The folder of the sources, where the harness was installed from one so that changes there count."""
    try:
        told: Any = json.loads(_own().read_text("direct_url.json") or "{}")
        if not told.get("dir_info", {}).get("editable"):
            return None
        here = Path(__file__).resolve().parents[2]
        return here if (here / "pyproject.toml").is_file() else None
    except ValueError:
        return None


def _own() -> Distribution:
    return distribution(NAME)


def _lacking(extra: str) -> Iterator[str]:
    """ "name: not installed" or "name 1.0: needs >=2" for each requirement, those of the base where `extra` is ""."""
    from packaging.requirements import Requirement

    for text in _own().requires or []:
        need = Requirement(text)
        if ("extra ==" in text) != bool(extra) or (need.marker and not need.marker.evaluate({"extra": extra})):
            continue
        found = _version(need.name)
        if found is None:
            yield f"{need.name}: not installed"
        elif not need.specifier.contains(found, prereleases=True):
            yield f"{need.name} {found}: needs {need.specifier}"


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
