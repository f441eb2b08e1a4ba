"""A model of one file of tensors: what is no weight is refused, and what torch's reader advises is not passed on."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from models.checkpoint_error import CheckpointError
from models.released.single import fill


@pytest.mark.parametrize("kind", [torch.int8, torch.int64, torch.bool, torch.complex64])
def test_weights_that_are_no_floating_point_numbers_are_refused(kind: torch.dtype) -> None:
    with torch.device("meta"):
        model = nn.Linear(2, 2)
    state = {"weight": torch.ones(2, 2).to(kind), "bias": torch.zeros(2)}
    with pytest.raises(CheckpointError, match=r"flow\.pt: weight has numbers of type") as error:
        fill(model, state, Path("flow.pt"), "Download it again.", "cpu")
    assert "Download it again." in str(error.value)


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float64])
def test_weights_of_any_precision_are_read_in_fp32(kind: torch.dtype) -> None:
    with torch.device("meta"):
        model = nn.Linear(2, 2)
    loaded = fill(model, {"weight": torch.eye(2, dtype=kind), "bias": torch.ones(2)}, Path("x"), "", "cpu")
    assert (
        torch.equal(loaded.model(torch.ones(1, 2)), torch.full((1, 2), 2.0))
        and loaded.model.weight.dtype is torch.float32
    )
