"""Phases of a stage one after the other: each is gone on with where it was stopped, and not done again when done."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from safetensors import safe_open
from safetensors.torch import load_file
from torch import nn

from models.training.loop import LOSSES, STATE, Settings, Supply, Trainee, optimise
from models.training.whole import save_whole

TRAINED = "trained.safetensors"


def run(learner: Trainee, batches: Supply, steps: int, folder: Path, settings: Settings) -> float:
    """Train one phase, unless it is done, and leave the learner as after it. The seconds that this took."""
    done = folder / TRAINED
    if done.exists():
        put(learner.trained(), done)
        with safe_open(done, "pt") as file:
            return float(file.metadata()["seconds"])
    folder.mkdir(parents=True, exist_ok=True)
    seconds = optimise(learner, batches, steps, folder, settings)
    save_whole({name: value.detach() for name, value in learner.trained().items()}, done, {"seconds": str(seconds)})
    (folder / STATE).unlink(missing_ok=True)
    return seconds


def put(parameters: dict[str, nn.Parameter], path: Path) -> None:
    """The values that a file has for them."""
    held = load_file(path)
    for name, parameter in parameters.items():
        parameter.data.copy_(held[name])


def join_losses(folder: Path, phases: Sequence[str]) -> None:
    """The phases' losses one behind the other; each phase's own file stays."""
    rows, step = ["step,loss,gradient_norm,learning_rate"], 0
    for phase in phases:
        for line in (folder / phase / LOSSES).read_text(encoding="utf-8").splitlines()[1:]:
            rows.append(f"{step},{line.partition(',')[2]}")
            step += 1
    (folder / LOSSES).write_text("\n".join([*rows, ""]), encoding="utf-8")
