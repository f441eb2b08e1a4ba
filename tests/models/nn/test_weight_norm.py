"""Weight-normed tensors under both ways of naming them."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from models.nn.weight_norm import PARAMETRIZATIONS, SUFFIXES, Names, fuse_weight_norm, split_weight_norm

BOTH = pytest.mark.parametrize("names", [SUFFIXES, PARAMETRIZATIONS])


@BOTH
@pytest.mark.parametrize("layer", [nn.Conv1d(4, 6, 3), nn.ConvTranspose1d(4, 6, 4, 2)])
@torch.no_grad()
def test_fused_weights_equal_weight_normed_convolutions(layer: nn.Module, names: Names) -> None:
    plain = layer.weight.clone()
    state = split_weight_norm({"up.weight": plain, "up.bias": layer.bias}, lambda name: name == "up.weight", names)
    g, v = f"up{names.g}", f"up{names.v}"
    assert set(state) == {g, v, "up.bias"}
    assert state[g].shape == (plain.shape[0], 1, 1)
    assert torch.equal(fuse_weight_norm(state, names)["up.weight"], plain)
    state[v] = state[v] * 3  # the length of v does not count
    state[g] = state[g] * 2
    want = torch._weight_norm(state[v], state[g], 0)
    torch.testing.assert_close(fuse_weight_norm(state, names)["up.weight"], want)


def test_the_newer_names_are_those_that_torch_writes() -> None:
    layer = nn.utils.parametrizations.weight_norm(nn.Conv1d(4, 6, 3))
    fused = fuse_weight_norm({f"up.{name}": tensor for name, tensor in layer.state_dict().items()}, PARAMETRIZATIONS)
    assert set(fused) == {"up.weight", "up.bias"}
    torch.testing.assert_close(fused["up.weight"], layer.weight)


@BOTH
def test_a_single_half_of_a_pair_stays_for_the_strict_check(names: Names) -> None:
    for ending in (names.g, names.v):
        assert set(fuse_weight_norm({f"a{ending}": torch.ones(1)}, names)) == {f"a{ending}"}


@BOTH
def test_a_pair_that_is_none_is_named(names: Names) -> None:
    v, g = torch.ones(6, 4, 3), torch.ones(6, 1, 1)
    for bad_g, bad_v in ((g[:1], v), (g[:5], v), (g, v.flatten()), (g, v.to(torch.int8)), (g.to(torch.int8), v)):
        with pytest.raises(ValueError, match=r"up: its weight norm"):
            fuse_weight_norm({f"up{names.g}": bad_g, f"up{names.v}": bad_v}, names)
