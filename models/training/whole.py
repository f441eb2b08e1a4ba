"""Files that a training goes on from: each is there whole or not at all, whenever it is stopped."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from safetensors.torch import save_file
from torch import Tensor


def save_whole(tensors: Mapping[str, Tensor], path: Path, about: Mapping[str, str] | None = None) -> None:
    """Tensors with what is told of them, as safetensors."""
    new = path.with_name(f"{path.name}.new")
    save_file(dict(tensors), new, metadata=None if about is None else dict(about))
    new.replace(path)


def write_whole(text: str, path: Path) -> None:
    new = path.with_name(f"{path.name}.new")
    new.write_text(text, encoding="utf-8")
    new.replace(path)
