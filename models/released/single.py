"""A model that is one file of tensors: reading the file, and building the model from it.

A pickled file is only ever opened with `weights_only=True`. Every tensor must be there, in its shape; what the model
does not know is left out and told.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from harness.texts import unread
from models.checkpoint_error import CheckpointError, check_tensors
from models.released.files import FLOATING, check_floating

AnyModule = TypeVar("AnyModule", bound=nn.Module)


class Loaded(NamedTuple, Generic[AnyModule]):
    """A model in eval mode, and the names of tensors that were left out."""

    model: AnyModule
    unknown: tuple[str, ...]


def read_state(folder: Path, name: str, remedy: str, pickled: str = ".pt") -> dict[str, Tensor]:
    """The tensors of `name.safetensors`, or of `name` + `pickled` where that is not there.

    Raises `CheckpointError` naming the file, what is wrong and the remedy.
    """
    path = state_file(folder, name, remedy, pickled)
    try:
        if path.suffix == ".safetensors":
            state: Any = load_file(path)
        else:
            state = torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path))
    except Exception as error:  # a broken file makes torch's reader raise nearly anything
        raise CheckpointError(f"{path}: cannot be read as tensors only: {unread(error)}\n{remedy}") from error
    if not isinstance(state, Mapping) or not all(isinstance(value, Tensor) for value in state.values()):
        raise CheckpointError(f"{path}: expected a dictionary of tensors\n{remedy}")
    return dict(state)


def state_file(folder: Path, name: str, remedy: str, pickled: str = ".pt") -> Path:
    """`name.safetensors`, or `name` + `pickled` where that is not there. Raises CheckpointError where neither is."""
    safe, other = folder / f"{name}.safetensors", folder / f"{name}{pickled}"
    path = safe if safe.exists() else other
    if not path.is_file():
        raise CheckpointError(f"{folder}: neither {safe.name} nor {other.name} is there\n{remedy}")
    return path


def fill(model: AnyModule, state: Mapping[str, Tensor], source: Path, remedy: str, device: str) -> Loaded[AnyModule]:
    """Give a model, built without memory, the tensors of `state`, which came from `source`: in fp32, in eval mode."""
    unknown = check_tensors(source, model.state_dict(), state, remedy)
    kinds = {kind: name for name, kind in FLOATING.items()}
    types = {name: kinds.get(tensor.dtype, str(tensor.dtype)) for name, tensor in state.items() if name not in unknown}
    check_floating(source, types, remedy)
    placed = {name: tensor.to(device, torch.float32) for name, tensor in state.items() if name not in set(unknown)}
    model.load_state_dict(placed, assign=True)
    return Loaded(model.eval(), tuple(unknown))
