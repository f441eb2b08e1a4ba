"""Weight files in the released layout: model.safetensors, or shards with an index.

What is wrong with them raises a CheckpointError that names the file; `remedy` is its last line.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from models.checkpoint_error import CheckpointError, check_tensors, check_whole

INDEX, SINGLE = "model.safetensors.index.json", "model.safetensors"
SHARD_BYTES = 5_000_000_000
MAX_JSON_BYTES = 50_000_000
FLOATING = {"BF16": torch.bfloat16, "F16": torch.float16, "F32": torch.float32, "F64": torch.float64}
"""Types of numbers that weights may have."""

Shapes = Mapping[str, tuple[int, ...]]
"""Name of a tensor -> its shape."""


def weight_files(folder: Path, remedy: str) -> list[Path]:
    """The weight files of a folder. Raises CheckpointError if there are none or the index names absent ones."""
    if (folder / INDEX).exists():
        where = read_json(folder / INDEX, remedy).get("weight_map")
        if not isinstance(where, Mapping) or not where:
            raise CheckpointError(f"{folder / INDEX}: no weight_map in it\n{remedy}")
        names = sorted({str(name) for name in where.values()})
        unsafe = [name for name in names if Path(name).name != name]
        if unsafe:
            raise CheckpointError(f"{folder / INDEX}: {unsafe[0]!r} is no plain file name\n{remedy}")
        if absent := [name for name in names if not (folder / name).is_file()]:
            raise CheckpointError(f"{folder}: {', '.join(absent)} of {len(names)} weight files are missing\n{remedy}")
        return [folder / name for name in names]
    if (folder / SINGLE).is_file():
        return [folder / SINGLE]
    raise CheckpointError(f"{folder}: neither {INDEX} nor {SINGLE} is there\n{remedy}")


def read_shapes(files: Iterable[Path], remedy: str) -> dict[str, tuple[int, ...]]:
    """Name -> shape of every tensor, from the headers alone."""
    shapes: dict[str, tuple[int, ...]] = {}
    for path in files:
        try:
            with safe_open(path, "pt") as file:
                shapes |= {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
        except (OSError, SafetensorError) as error:
            raise CheckpointError(f"{path}: cannot be read as safetensors: {error}\n{remedy}") from error
    return shapes


def fill(
    model: nn.Module, folder: Path, files: Iterable[Path], shapes: Shapes, device: str, dtype: torch.dtype, remedy: str,
    rename: Callable[[str], str] = str, layers: tuple[str, ...] = (),
) -> list[str]:  # fmt: skip
    """Put the weights of `files` into a model that was made on the meta device; gives the names that are left out.

    Every name and shape is checked, against `shapes`, before a weight is read; a tensor that is not among these is
    another model's. `rename` gives a tensor's name in the model for its name in the files, where the release has
    another layout. A tensor that is left over and whose name in the model begins with one of `layers` is refused, as
    are weights that are no floating-point numbers.
    """
    found: dict[str, Tensor] = {}
    for name, shape in shapes.items():
        if rename(name) in found:
            raise CheckpointError(f"{folder}: {name} is there in two layouts, both as {rename(name)}\n{remedy}")
        found[rename(name)] = torch.empty(shape, device="meta")
    unknown = check_tensors(folder, model.state_dict(), found, remedy)
    check_whole(folder, model.state_dict(), unknown, layers, remedy)
    files = list(files)
    for path in files:
        with safe_open(path, "pt") as file:
            kinds = {name: file.get_slice(name).get_dtype() for name in shapes.keys() & file.keys()}
        check_floating(path, {name: kind for name, kind in kinds.items() if rename(name) not in unknown}, remedy)
    state: dict[str, Tensor] = {}
    for path in files:
        with safe_open(path, "pt") as file:
            for name in shapes.keys() & file.keys():  # one tensor at a time: the file is never whole in memory
                if (own := rename(name)) not in unknown:
                    state[own] = file.get_tensor(name).to(device, dtype)
    model.load_state_dict(state, assign=True)
    return unknown


def check_floating(source: Path, kinds: Mapping[str, str], remedy: str) -> None:
    """Raise CheckpointError naming tensors whose type, as safetensors writes it, is not one that weights have."""
    if other := sorted(name for name, kind in kinds.items() if kind not in FLOATING):
        more = f" and {len(other) - 1} more" if len(other) > 1 else ""
        raise CheckpointError(
            f"{source}: {other[0]}{more} has numbers of type {kinds[other[0]]}, expected {', '.join(FLOATING)}: "
            f"quantised weights cannot be read\n{remedy}"
        )


def write_weights(folder: Path, state: Mapping[str, Tensor], shard_bytes: int = SHARD_BYTES) -> None:
    """Write the released layout; weights above `shard_bytes` go into several files with an index."""
    shards = _shards(state, shard_bytes)
    if len(shards) == 1:
        save_file(shards[0], folder / SINGLE, metadata={"format": "pt"})
        return
    where: dict[str, str] = {}
    for number, shard in enumerate(shards, start=1):
        name = f"model-{number:05d}-of-{len(shards):05d}.safetensors"
        save_file(shard, folder / name, metadata={"format": "pt"})
        where |= dict.fromkeys(shard, name)
    total = sum(tensor.numel() * tensor.element_size() for tensor in state.values())
    write_json(folder / INDEX, {"metadata": {"total_size": total}, "weight_map": where})


def read_json(path: Path, remedy: str) -> dict[str, Any]:
    """The object in a JSON file."""
    try:
        if path.exists() and not path.is_file():
            raise CheckpointError(f"{path}: is no plain file\n{remedy}")
        if path.stat().st_size > MAX_JSON_BYTES:
            raise CheckpointError(f"{path}: has {path.stat().st_size} bytes, far more than such a file needs\n{remedy}")
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CheckpointError(f"{path}: no such file\n{remedy}") from None
    except RecursionError:
        raise CheckpointError(f"{path}: cannot be read as JSON: nested too deeply\n{remedy}") from None
    except CheckpointError:
        raise
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path}: cannot be read as JSON: {error}\n{remedy}") from error
    if not isinstance(content, dict):
        raise CheckpointError(f"{path}: holds {type(content).__name__}, expected an object\n{remedy}")
    return content


def write_json(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _shards(state: Mapping[str, Tensor], shard_bytes: int) -> list[dict[str, Tensor]]:
    shards: defaultdict[int, dict[str, Tensor]] = defaultdict(dict)
    number, filled = 0, 0
    for name, tensor in state.items():
        size = tensor.numel() * tensor.element_size()
        if filled and filled + size > shard_bytes:
            number, filled = number + 1, 0
        shards[number][name] = tensor.detach().cpu().contiguous()
        filled += size
    return list(shards.values())
