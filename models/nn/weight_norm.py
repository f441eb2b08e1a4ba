"""Weight-normed tensors of released checkpoints, fused to the plain weights that modules here hold, and split again.

A weight is g * v / |v|, the norm over all dimensions but the first; for a transposed convolution that is the input
channel. Two ways of naming the pair are around, by the age of the code that wrote it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from torch import Tensor


class Names(NamedTuple):
    """Endings of the names of g, of v and of the weight itself."""

    g: str
    v: str
    weight: str = ".weight"


SUFFIXES = Names(".weight_g", ".weight_v")
PARAMETRIZATIONS = Names(".parametrizations.weight.original0", ".parametrizations.weight.original1")


def fuse_weight_norm(state: Mapping[str, Tensor], names: Names = SUFFIXES) -> dict[str, Tensor]:
    """Replace each pair of g and v by the weight; what is no pair stays as it is.

    Raises ValueError naming a pair that is none: integers, a v of one dimension, a g of another shape than v's norms.
    """
    fused = {}
    for name, tensor in state.items():
        stem = name.removesuffix(names.v)
        if name.endswith(names.v) and stem + names.g in state:
            fused[stem + names.weight] = _fused(stem, state[stem + names.g], tensor)
        elif not (name.endswith(names.g) and name.removesuffix(names.g) + names.v in state):
            fused[name] = tensor
    return fused


def _fused(stem: str, g: Tensor, v: Tensor) -> Tensor:
    if not (g.is_floating_point() and v.is_floating_point()):
        raise ValueError(f"{stem}: its weight norm is of {g.dtype} and {v.dtype}, expected floating-point numbers")
    expected = [*v.shape[:1], *[1] * (v.ndim - 1)]
    if v.ndim < 2 or list(g.shape) != expected:
        raise ValueError(f"{stem}: its weight norm has the shapes {list(g.shape)} and {list(v.shape)}")
    return v * (g / _norm(v))


def split_weight_norm(
    state: Mapping[str, Tensor], normed: Callable[[str], bool], names: Names = SUFFIXES
) -> dict[str, Tensor]:
    """The inverse of `fuse_weight_norm` for the weights whose name `normed` accepts."""
    split: dict[str, Tensor] = {}
    for name, tensor in state.items():
        if normed(name):
            stem = name.removesuffix(names.weight)
            split |= {stem + names.g: _norm(tensor), stem + names.v: tensor}
        else:
            split[name] = tensor
    return split


def _norm(weight: Tensor) -> Tensor:
    return weight.flatten(1).norm(dim=1).view(-1, *[1] * (weight.dim() - 1))
