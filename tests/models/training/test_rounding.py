"""Rounding of the weights that ship: what is kept, and what compression saves by it."""

from __future__ import annotations

import zlib

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from models.training.rounding import round_weights, rounded


@given(st.integers(0, 1000), st.floats(1e-6, 1e4))
def test_a_row_loses_at_most_half_a_step_of_127_to_its_largest(seed: int, scale: float):
    weight = scale * torch.randn(5, 3, 4, generator=torch.Generator().manual_seed(seed))
    found = rounded(weight)
    assert found.dtype == torch.bfloat16 and found.shape == weight.shape
    lost = (found.float() - weight).abs().flatten(1).amax(1)
    assert (lost <= weight.abs().flatten(1).amax(1) / 127 + 1e-12).all()
    assert rounded(found.float()).equal(found)  # once is enough


def test_rows_of_zeros_and_vectors_stay_as_they_are():
    assert not rounded(torch.zeros(2, 3)).any()
    vector = torch.tensor([1.0, 0.5, 3.0078125])
    assert rounded(vector).equal(vector.bfloat16())


def test_a_rounded_model_is_bfloat16_and_half_as_large_compressed_as_in_float16():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(256, 256), nn.BatchNorm1d(256))
    plain = model[0].weight.detach().half().numpy().tobytes()
    round_weights(model)
    assert {tensor.dtype for tensor in model.state_dict().values()} == {torch.bfloat16, torch.int64}
    small = zlib.compress(model[0].weight.detach().view(torch.int16).numpy().tobytes())
    assert len(small) < 0.75 * len(zlib.compress(plain))
