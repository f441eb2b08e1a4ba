"""Processes that share a batch take the step that one process would take."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from models.training.batches import Batches
from models.training.recipes import STAGES
from models.training.team import ALONE, Team, together
from models.training.vita15 import Training

VALUES = ((1.0, 3.0), (2.0, 6.0))
"""Gradients of two parameters, by member."""


def average(out: Path, team: Team) -> None:
    parameters = [nn.Parameter(torch.zeros(1)), nn.Parameter(torch.zeros(2))]
    if team.rank == 0:  # the other has none for the second
        parameters[1].grad = torch.full((2,), VALUES[0][1])
    parameters[0].grad = torch.full((1,), VALUES[team.rank][0])
    team.average(parameters)
    mean = team.mean(torch.tensor(VALUES[team.rank][1]))
    gradients = {str(place): parameter.grad for place, parameter in enumerate(parameters)}
    save_file(gradients | {"mean": torch.tensor(mean)}, out / f"{team.rank}.safetensors")


def test_every_member_gets_the_mean(tmp_path: Path):
    together(2, partial(average, tmp_path))
    for rank in range(2):
        found = load_file(tmp_path / f"{rank}.safetensors")
        assert found["0"].tolist() == [1.5]
        assert found["1"].tolist() == [1.5, 1.5]
        assert float(found["mean"]) == 4.5


def fail(team: Team) -> None:
    if team.rank == 1:
        raise ValueError("the second could not go on")


def test_an_error_of_one_ends_all():
    with pytest.raises(Exception, match="the second could not go on"):
        together(2, fail)


def test_one_alone_works_in_this_process():
    seen: list[Team] = []
    together(1, seen.append)
    assert seen == [ALONE]
    parameter = nn.Parameter(torch.zeros(1))
    parameter.grad = torch.ones(1)
    ALONE.average([parameter])
    assert parameter.grad.tolist() == [1.0] and ALONE.mean(torch.tensor(2.0)) == 2.0


def test_the_parts_of_a_batch_are_the_batch(training: Training):
    stage = STAGES["2.2"]
    whole = Batches(training.world, stage, 12, seed=1)(2)
    first, second = (Batches(training.world, stage, 12, seed=1, team=Team(rank, 2))(2) for rank in range(2))
    assert [example.ids.tolist() for example in whole[::2]] == [example.ids.tolist() for example in first]
    assert [example.ids.tolist() for example in whole[1::2]] == [example.ids.tolist() for example in second]
