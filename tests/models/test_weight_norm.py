"""Weight norm is fused to what torch makes of it, and nothing else is touched."""

from __future__ import annotations

import torch
from torch import nn

from models.nn.weight_norm import fuse_weight_norm, split_weight_norm


@torch.no_grad()
def test_fused_weights_equal_weight_normed_convolutions() -> None:
    torch.manual_seed(0)
    for layer in (nn.Conv1d(4, 6, 3), nn.ConvTranspose1d(4, 6, 4, 2)):
        plain = layer.weight.clone()
        state = split_weight_norm({"up.weight": plain, "up.bias": layer.bias}, lambda name: name == "up.weight")
        assert set(state) == {"up.weight_g", "up.weight_v", "up.bias"}
        assert state["up.weight_g"].shape == (plain.shape[0], 1, 1)
        assert torch.equal(fuse_weight_norm(state)["up.weight"], plain)
        state["up.weight_v"] = state["up.weight_v"] * 3  # the length of v does not count
        state["up.weight_g"] = state["up.weight_g"] * 2
        want = torch._weight_norm(state["up.weight_v"], state["up.weight_g"], 0)
        torch.testing.assert_close(fuse_weight_norm(state)["up.weight"], want)


def test_a_single_half_of_a_pair_stays_for_the_strict_check() -> None:
    assert set(fuse_weight_norm({"a.weight_g": torch.ones(1)})) == {"a.weight_g"}
    assert set(fuse_weight_norm({"a.weight_v": torch.ones(1)})) == {"a.weight_v"}
