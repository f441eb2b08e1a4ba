"""Weight-normed convolutions as checkpoints store them, and the plain weights that they stand for."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from torch import Tensor


def fuse_weight_norm(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Replace each `X.weight_g`, `X.weight_v` by `X.weight` = g * v / |v|, the norm over all but dimension 0.

    For a transposed convolution dimension 0 is the input channel. Names without the pair stay as they are.
    """
    fused = {}
    for name, tensor in state.items():
        stem = name.removesuffix("_v")
        if name.endswith(".weight_v") and f"{stem}_g" in state:
            fused[stem] = tensor * (state[f"{stem}_g"] / _norm(tensor))
        elif not (name.endswith(".weight_g") and f"{name.removesuffix('_g')}_v" in state):
            fused[name] = tensor
    return fused


def split_weight_norm(state: Mapping[str, Tensor], normed: Callable[[str], bool]) -> dict[str, Tensor]:
    """The inverse of `fuse_weight_norm` for the weights whose name `normed` accepts."""
    split: dict[str, Tensor] = {}
    for name, tensor in state.items():
        if normed(name):
            split |= {f"{name}_g": _norm(tensor), f"{name}_v": tensor}
        else:
            split[name] = tensor
    return split


def _norm(weight: Tensor) -> Tensor:
    return weight.flatten(1).norm(dim=1).view(-1, *[1] * (weight.dim() - 1))
