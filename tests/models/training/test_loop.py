"""Optimisation: the learning rate's course, and a training that was stopped goes on as if it had not."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from models.training import loop
from models.training.batches import Batches
from models.training.examples import Example
from models.training.learner import Learner
from models.training.recipes import STAGES
from models.training.vita15 import Training
from models.vita15.checkpoint import load


@given(st.integers(2, 5000), st.floats(1e-6, 1.0))
def test_the_learning_rate_rises_to_its_peak_and_falls(steps: int, peak: float):
    rates = [loop.learning_rate(step, steps, peak) for step in range(steps)]
    top = rates.index(max(rates))
    assert max(rates) <= peak * 1.000001 and min(rates) > 0
    assert rates[: top + 1] == sorted(rates[: top + 1]) and rates[top:] == sorted(rates[top:], reverse=True)


def test_the_learning_rate_ends_where_the_settings_say():
    for floor in (0.0, 0.5):
        settings = loop.Settings(warm_up=0.1, floor=floor)
        assert loop.learning_rate(9, 100, 2.0, settings) == 2.0 > loop.learning_rate(8, 100, 2.0, settings)
        assert loop.learning_rate(99, 100, 2.0, settings) == pytest.approx(2 * floor, abs=1e-3)


class Stopped(Exception):
    pass


@pytest.mark.parametrize("name", ["2.1a", "2.2"])
def test_a_stopped_training_goes_on_as_if_it_had_not(
    training: Training, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
):
    monkeypatch.setattr(loop, "SAVE_EVERY", 2)
    stage = STAGES[name]

    def learner() -> Learner:
        torch.manual_seed(1)
        return Learner(load(training.folder("1.3")).model, stage, range(10))

    class Stops(Batches):
        def __call__(self, step: int) -> list[Example]:
            if step == 3:
                raise Stopped
            return super().__call__(step)

    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    whole.mkdir()
    stopped.mkdir()
    straight = learner()
    loop.optimise(straight, Batches(training.world, stage, 12, 0), 5, whole)
    with pytest.raises(Stopped):
        loop.optimise(learner(), Stops(training.world, stage, 12, 0), 5, stopped)
    resumed = learner()
    loop.optimise(resumed, Batches(training.world, stage, 12, 0), 5, stopped)

    for (key, value), other in zip(straight.state_dict().items(), resumed.state_dict().values(), strict=True):
        assert torch.equal(value, other), key
    assert (whole / loop.LOSSES).read_bytes() == (stopped / loop.LOSSES).read_bytes()
    with (whole / loop.LOSSES).open() as file:
        assert [row["step"] for row in csv.DictReader(file)] == ["0", "1", "2", "3", "4"]


def test_the_state_of_another_training_is_refused(training: Training, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(loop, "SAVE_EVERY", 1)
    stage = STAGES["1.3"]
    batches = Batches(training.world, stage, 12, 0)
    loop.optimise(Learner(load(training.folder("1.2")).model, stage, range(10)), batches, 1, tmp_path)
    for steps, start in ((2, "1.2"), (1, "1.1")):
        with pytest.raises(loop.StateError, match="from other weights or by another recipe; delete the file"):
            loop.optimise(Learner(load(training.folder(start)).model, stage, range(10)), batches, steps, tmp_path)


def test_a_loss_that_is_no_number_ends_the_training(training: Training, tmp_path: Path):
    stage = STAGES["1.3"]
    learner = Learner(load(training.folder("1.2")).model, stage, range(10))
    with torch.no_grad():
        learner.vita.lm_head.weight.fill_(float("nan"))
    with pytest.raises(FloatingPointError, match="loss is nan at step 0"):
        loop.optimise(learner, Batches(training.world, stage, 12, 0), 2, tmp_path)
