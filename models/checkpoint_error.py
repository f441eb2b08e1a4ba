"""The one error for weights that do not fit the model, and the check that raises it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

MAX_LISTED = 12


class CheckpointError(ValueError):
    """A weight folder cannot be loaded. The message names the folder, each tensor at fault and the remedy."""


def check_tensors(folder: Path | str, expected: Mapping[str, Tensor], found: Mapping[str, Tensor], remedy: str) -> None:
    """Raise `CheckpointError` unless `found` has exactly the names and shapes of `expected`.

    All faults are listed in one message (the first 12 in full, then a count), so that one run shows them all.
    """
    faults = [f"missing {name} {_shape(tensor)}" for name, tensor in expected.items() if name not in found]
    faults += [f"unexpected {name} {_shape(tensor)}" for name, tensor in found.items() if name not in expected]
    faults += [
        f"{name} has shape {_shape(found[name])}, expected {_shape(tensor)}"
        for name, tensor in expected.items()
        if name in found and found[name].shape != tensor.shape
    ]
    if not faults:
        return
    listed = faults[:MAX_LISTED]
    if len(faults) > MAX_LISTED:
        listed.append(f"and {len(faults) - MAX_LISTED} more")
    raise CheckpointError(f"{folder}: the weights do not fit the model\n  " + "\n  ".join(listed) + f"\n{remedy}")


def _shape(tensor: Tensor) -> str:
    return str(list(tensor.shape))
