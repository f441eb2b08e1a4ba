"""The parity components pass on the stored outputs and notice a change in any of them."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from tests.parity.vita15_perception import COMPONENTS

GOLDENS = Path(__file__).resolve().parents[1] / "goldens"

# What each tensor file holds as outputs, by the start of the name.
OUTPUTS = {
    "fbank": ("fbank", ("fbank.", "cmvn", "length_table")),
    "resample": ("resample", ("out.",)),
    "chunk_mask": ("chunk_mask", ("size",)),
    "audio_encoder": ("audio_encoder", ("out.",)),
    "vision": ("vision", ("out.",)),
    "tiling_pixels": ("tiling_pixels", ("tiles_u8.", "pixel_values.", "frame_pixel_values.", "pad.")),
}


@pytest.mark.parametrize("name", OUTPUTS)
def test_a_change_in_any_output_tensor_is_noticed(name: str, tmp_path: Path) -> None:
    stem, prefixes = OUTPUTS[name]
    folder = _copy(tmp_path)
    path = folder / f"{stem}.safetensors"
    with safe_open(path, "pt") as file:
        metadata = file.metadata()
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    outputs = [key for key in tensors if key.startswith(prefixes)]
    assert outputs
    for key in outputs:
        save_file(tensors | {key: _changed(tensors[key])}, path, metadata)
        assert COMPONENTS[name](tmp_path).failed > 0, key


@pytest.mark.parametrize("name", ["tiling_grids", "video_frames"])
def test_a_change_in_a_table_is_noticed(name: str, tmp_path: Path) -> None:
    path = _copy(tmp_path) / f"{name.removeprefix('vita15.')}.json"
    rows: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    if "grids" in rows[-1]:
        next(iter(rows[-1]["grids"].values()))["rows"] += 1
    else:
        rows[-1]["indices"][-1] += 1
    path.write_text(json.dumps(rows), encoding="utf-8")
    assert COMPONENTS[name](tmp_path).failed == 1


def _copy(folder: Path) -> Path:
    target = folder / "vita15"
    target.mkdir()
    for name in (*(f"{stem}.safetensors" for stem, _ in OUTPUTS.values()), "tiling_grids.json", "video_frames.json"):
        shutil.copyfile(GOLDENS / "vita15" / name, target / name)
    for path in (GOLDENS / "vita15").glob("global_cmvn*.json"):
        shutil.copyfile(path, target / path.name)
    return target


def _changed(tensor: Tensor) -> Tensor:
    """The tensor with its last element altered."""
    changed = tensor.clone()
    last = changed.view(-1)[-1:]
    if tensor.dtype == torch.bool:
        last.logical_not_()
    elif tensor.dtype == torch.uint8:
        last.bitwise_xor_(128)
    elif tensor.dtype.is_floating_point:
        last.mul_(1.5).add_(0.01)
    else:
        last.add_(1)
    return changed
