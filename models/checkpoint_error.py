"""The one error for weights that do not fit the model, and the check that raises it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from torch import Tensor

MAX_LISTED = 12

_NUMBERED = re.compile(r"^.*?\.\d+(?=\.)")


class CheckpointError(ValueError):
    """A weight folder cannot be loaded. The message names the folder, each tensor at fault and the remedy."""


def check_tensors(
    folder: Path | str, expected: Mapping[str, Tensor], found: Mapping[str, Tensor], remedy: str
) -> list[str]:
    """The names of `found` that are not expected: they are to be left out, and told.

    Raises `CheckpointError` where a tensor is missing or has another shape; all faults are listed in one message (the
    first 12 in full, then a count), so that one run shows them all.
    """
    unknown = sorted(name for name in found if name not in expected)
    faults = [f"missing {name} {_shape(tensor)}" for name, tensor in expected.items() if name not in found]
    faults += [
        f"{name} has shape {_shape(found[name])}, expected {_shape(tensor)}"
        for name, tensor in expected.items()
        if name in found and found[name].shape != tensor.shape
    ]
    if not faults:
        return unknown
    listed = _listed(faults)
    if unknown:
        listed.append(f"unknown: {', '.join(_listed(unknown))}")
    raise CheckpointError(f"{folder}: the weights do not fit the model\n  " + "\n  ".join(listed) + f"\n{remedy}")


def check_whole(
    folder: Path | str, expected: Iterable[str], unknown: Sequence[str], layers: tuple[str, ...], remedy: str
) -> None:
    """Raise `CheckpointError` where a layer is left over: a tensor whose name begins with one of `layers` and then has
    a number that no tensor of the model has there."""
    known = {_layer(name) for name in expected}
    if over := [name for name in unknown if name.startswith(layers) and _layer(name) not in known]:
        raise CheckpointError(
            f"{folder}: the weights have more layers than the settings say, and are of another network"
            f"\n  unknown: {', '.join(_listed(over))}\n{remedy}"
        )


def left_out(unknown: list[str]) -> str:
    """What is told of tensors that the model does not know."""
    what = "1 tensor" if len(unknown) == 1 else f"{len(unknown)} tensors"
    return f"{what} that the model does not know left out: {', '.join(_listed(unknown))}"


def _layer(name: str) -> str:
    """A tensor's name up to its first number."""
    found = _NUMBERED.match(name)
    return found[0] if found else name


def _listed(lines: list[str]) -> list[str]:
    rest = len(lines) - MAX_LISTED
    return lines[:MAX_LISTED] + ([f"and {rest} more"] if rest > 0 else [])


def _shape(tensor: Tensor) -> str:
    return str(list(tensor.shape))
