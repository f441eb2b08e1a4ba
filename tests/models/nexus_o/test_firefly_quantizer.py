"""Finite scalar quantisation in groups: codes, levels and what cannot be a code."""

from __future__ import annotations

import math

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from models.nexus_o.firefly_quantizer import GroupQuantizer, digits, squash

LEVELS = (8, 5, 5, 5)


@given(st.lists(st.integers(2, 9), min_size=1, max_size=4))
def test_each_code_has_digits_of_its_own(levels: list[int]) -> None:
    table = digits(torch.arange(math.prod(levels)), tuple(levels))
    assert len(table.unique(dim=0)) == math.prod(levels)
    for column, count in zip(table.T, levels, strict=True):
        half = count // 2
        assert (column.unique() * half).round().tolist() == list(range(-half, count - half))


def test_the_first_digit_counts_ones() -> None:
    assert digits(torch.tensor([1, 8, 40, 200]), LEVELS).tolist() == [
        [-0.75, -1.0, -1.0, -1.0],
        [-1.0, -0.5, -1.0, -1.0],
        [-1.0, -1.0, -0.5, -1.0],
        [-1.0, -1.0, -1.0, -0.5],
    ]


@given(st.floats(-50, 50))
def test_squashed_numbers_round_to_a_level(value: float) -> None:
    for count, place in zip(LEVELS, squash(torch.full((4,), value), LEVELS).round().tolist(), strict=True):
        assert -(count // 2) <= place <= (count - 1) // 2


def test_squashing_keeps_zero_and_order() -> None:
    assert squash(torch.zeros(4), LEVELS).abs().max() < 1e-6
    line = squash(torch.linspace(-3, 3, 50)[:, None].expand(50, 4), LEVELS)
    assert (line.diff(dim=0) > 0).all()


@torch.no_grad()
def test_projected_numbers_are_squashed_twice_before_they_are_rounded() -> None:
    group = GroupQuantizer(4, LEVELS)
    nn.init.eye_(group.project_in.weight)
    nn.init.zeros_(group.project_in.bias)
    # of 5 levels, 0.7 is squashed to 1.2 (rounded: level 1), and that to 1.7 (rounded: level 2, the outermost)
    assert group.encode(torch.full((1, 4), 0.7)).tolist() == [7 + 4 * (8 + 40 + 200)]
    assert group.encode(torch.full((1, 4), 50.0)).tolist() == [7 + 4 * (8 + 40 + 200)]
    assert group.encode(torch.full((1, 4), -50.0)).tolist() == [0]
    assert group.encode(torch.zeros(1, 4)).tolist() == [4 + 2 * (8 + 40 + 200)]
