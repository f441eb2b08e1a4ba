"""One stage's optimisation: AdamW, a cosine, clipped gradients, losses to a CSV, and a state to go on from."""

from __future__ import annotations

import csv
import hashlib
import json
import math
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import torch
from safetensors import safe_open
from torch import Tensor, nn

from models.checkpoint_error import CheckpointError
from models.training.precision import mixed
from models.training.team import ALONE, Team
from models.training.whole import save_whole, write_whole

SAVE_EVERY, REPORT_EVERY = 200, 50  # steps
LOSSES, STATE = "losses.csv", "state.safetensors"
REPORT = "stage.json"
"""What a stage took and came to; a stage that has none is not done."""


@dataclass(frozen=True)
class Settings:
    """Of AdamW and of the learning rate's course."""

    betas: tuple[float, float] = (0.9, 0.98)
    eps: float = 1e-8
    weight_decay: float = 0.01
    clip: float = 1.0
    """Largest norm of the gradients of all parameters together."""
    warm_up: float = 0.03
    """Share of the steps in which the learning rate rises."""
    floor: float = 0.02
    """Share of the peak at which the learning rate ends."""
    accumulation: int = 1
    """Batches that make one step."""


SETTINGS = Settings()
"""VITA-1.5's here."""


class Stage(Protocol):
    """Its representation is a part of what a state has to agree with."""

    @property
    def name(self) -> str: ...
    @property
    def learning_rate(self) -> float: ...


class Trainee(Protocol):
    """An `nn.Module` whose forward takes a batch and gives a loss, a scalar."""

    stage: Stage

    @property
    def device(self) -> torch.device: ...

    def trained(self) -> dict[str, nn.Parameter]:
        """What the stage trains, by the name that it has in a checkpoint."""
        ...

    def rate_of(self, name: str) -> float:
        """Of the learning rate, for one of these parameters."""
        ...

    def parameters(self) -> Any: ...
    def train(self) -> Any: ...
    def eval(self) -> Any: ...
    def __call__(self, batch: Any) -> Tensor: ...


class Supply(Protocol):
    """Gives the n-th batch, of which `recipe` and the stage say all."""

    @property
    def recipe(self) -> str: ...
    def __call__(self, number: int) -> Any: ...


class StateError(RuntimeError):
    """A state cannot be gone on from: it belongs to another start or another recipe."""


def write_report(folder: Path, report: Mapping[str, Any]) -> None:
    """At once: half a report would mark a stage as done."""
    write_whole(json.dumps(report, indent=2, ensure_ascii=False) + "\n", folder / REPORT)


def read_report(folder: Path) -> dict[str, Any]:
    """What a stage that is done came to. Raises CheckpointError where it cannot be read."""
    path = folder / REPORT
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise CheckpointError(f"{path}: is damaged ({error})\nDelete {folder} and train the stage again.") from error
    if not isinstance(report, dict):
        raise CheckpointError(f"{path}: is no report of a stage\nDelete {folder} and train the stage again.")
    return report


def done_before(name: str, folder: Path, **asked: Any) -> bool:
    """Whether a stage is done, which is told then. Raises StateError where it was done with another of the settings."""
    if not (folder / REPORT).exists():
        return False
    report = read_report(folder)
    if other := [
        f"{what} {report[what]} and not {value}" for what, value in asked.items() if report.get(what, value) != value
    ]:
        raise StateError(
            f"{folder}: stage {name} was done with {', '.join(other)}; take another --out, or delete the folder"
        )
    print(f"stage {name}: done before, see {folder}", file=sys.stderr)
    return True


def learning_rate(step: int, steps: int, peak: float, settings: Settings = SETTINGS) -> float:
    """Linear warm-up, then a cosine."""
    warm = max(1, round(settings.warm_up * steps))
    if step < warm:
        return peak * (step + 1) / warm
    progress = (step - warm) / max(1, steps - warm)
    floor = settings.floor
    return peak * (floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * progress)))


def optimise(
    learner: Trainee, batches: Supply, steps: int, folder: Path, settings: Settings = SETTINGS, team: Team = ALONE
) -> float:
    """Train for `steps` steps and return the seconds that this took, those of an interrupted try included.

    Writes LOSSES below `folder` and, every SAVE_EVERY steps, STATE, from which a killed training goes on as if it
    had never stopped. In a team each member has a part of the batches, and the first one writes. Computes in
    bfloat16 where the device has it; weights stay in float32.
    Raises FloatingPointError when the loss is no number, StateError on the state of another training.
    """
    trained = learner.trained()
    origin = _origin(trained, f"{learner.stage} {steps} {batches.recipe} {settings}")
    for parameter in learner.parameters():
        parameter.requires_grad_(False)
    for parameter in trained.values():
        parameter.requires_grad_(True)
    groups: dict[float, list[nn.Parameter]] = {}
    for name, parameter in trained.items():
        groups.setdefault(learner.rate_of(name), []).append(parameter)
    optimizer = torch.optim.AdamW(
        [{"params": parameters, "factor": factor} for factor, parameters in groups.items()],
        betas=settings.betas, eps=settings.eps, weight_decay=settings.weight_decay, fused=True,
    )  # fmt: skip
    state, losses = folder / STATE, folder / LOSSES
    start, before = _restore(trained, optimizer, state, origin) if state.exists() else _Restored(0, 0.0)
    if team.rank == 0:
        _cut(losses, start)
    started, recent = time.monotonic(), 0.0
    learner.train()
    with (Path(os.devnull) if team.rank else losses).open("a", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")  # as `_cut` leaves the rows before
        for step in range(start, steps):
            rate = learning_rate(step, steps, learner.stage.learning_rate, settings)
            for group in optimizer.param_groups:
                group["lr"] = rate * group["factor"]
            optimizer.zero_grad()
            whole = torch.zeros((), device=learner.device)
            for part in range(settings.accumulation):
                with mixed(learner.device):
                    loss = learner(batches(step * settings.accumulation + part)) / settings.accumulation
                loss.backward()
                whole += loss.detach()
            team.average(trained.values())
            norm = nn.utils.clip_grad_norm_(trained.values(), settings.clip)
            optimizer.step()
            value = team.mean(whole)
            if not math.isfinite(value):
                raise FloatingPointError(f"{folder}: the loss is {value} at step {step}; lower the learning rate")
            if team.rank:
                continue
            writer.writerow([step, f"{value:.5f}", f"{float(norm):.4f}", f"{rate:.3e}"])
            recent = value if step == start else 0.95 * recent + 0.05 * value
            seconds = before + time.monotonic() - started
            if (step + 1) % SAVE_EVERY == 0:
                file.flush()
                _save(trained, optimizer, state, {"step": step + 1, "seconds": seconds, "origin": origin})
            if (step + 1) % REPORT_EVERY == 0 or step + 1 == steps:
                left = (steps - step - 1) * (time.monotonic() - started) / (step + 1 - start)
                done = f"stage {learner.stage.name}: step {step + 1} of {steps}, loss {recent:.3f}"
                print(f"{done}, {left / 60:.1f} min left", file=sys.stderr, flush=True)
    learner.eval()
    return before + time.monotonic() - started


def _origin(trained: Mapping[str, nn.Parameter], recipe: str) -> str:
    """What a training starts from and how it goes on, as a hash."""
    digest = hashlib.sha256(recipe.encode())
    for name, parameter in trained.items():
        digest.update(name.encode())
        digest.update(parameter.detach().cpu().numpy().tobytes())
    return digest.hexdigest()


def _save(
    trained: Mapping[str, nn.Parameter], optimizer: torch.optim.Optimizer, path: Path, about: Mapping[str, Any]
) -> None:
    tensors: dict[str, Tensor] = {}
    for name, parameter in trained.items():
        tensors[name] = parameter.detach()
        if moments := optimizer.state.get(parameter):  # none where no loss reached it yet
            tensors["mean " + name], tensors["square " + name] = moments["exp_avg"], moments["exp_avg_sq"]
    save_whole(tensors, path, {key: str(value) for key, value in about.items()})


class _Restored(NamedTuple):
    step: int
    seconds: float


def _restore(
    trained: Mapping[str, nn.Parameter], optimizer: torch.optim.Optimizer, path: Path, origin: str
) -> _Restored:
    with safe_open(path, "pt") as file, torch.no_grad():
        about = file.metadata()
        if about["origin"] != origin:
            raise StateError(f"{path}: is of a training from other weights or by another recipe; delete the file")
        held = set(file.keys())
        for name, parameter in trained.items():
            parameter.copy_(file.get_tensor(name))
            if "mean " + name not in held:
                continue
            optimizer.state[parameter] = {
                "step": torch.tensor(float(about["step"])),
                "exp_avg": file.get_tensor("mean " + name).to(parameter.device),
                "exp_avg_sq": file.get_tensor("square " + name).to(parameter.device),
            }
    return _Restored(int(about["step"]), float(about["seconds"]))


def _cut(losses: Path, steps: int) -> None:
    """Keep the rows of the first `steps` steps below the header."""
    lines = losses.read_text(encoding="utf-8").splitlines() if losses.exists() else []
    kept = lines[1 : 1 + steps]
    losses.write_text("\n".join(["step,loss,gradient_norm,learning_rate", *kept, ""]), encoding="utf-8")
