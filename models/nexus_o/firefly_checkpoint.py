"""Reading the released FireFly codec, and building one with random weights.

    firefly-gan-vq-fsq-8x1024-21hz-generator.pth    a state dict; `.safetensors` is read first
    firefly-gan-vq-fsq-8x1024-21hz-generator.json   ours: the sizes of a codec that has others than the published ones

All convolutions of the generator are weight-normed in the release, and only they; they are fused at load. A tensor
that is missing or has another shape is an error, one that the codec does not know is left out and told.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from models.checkpoint_error import CheckpointError
from models.nexus_o.firefly import Firefly
from models.nexus_o.firefly_config import FireflyConfig
from models.nn.weight_norm import PARAMETRIZATIONS, fuse_weight_norm, split_weight_norm
from models.released.files import write_json
from models.released.single import Loaded, fill, read_state, state_file

NAME = "firefly-gan-vq-fsq-8x1024-21hz-generator"
SIZES = f"{NAME}.json"
REMEDY = f"Download {NAME}.pth of Fish-Speech 1.4 or 1.5 into the folder again."


class FireflyParameters(NamedTuple):
    """Parameter counts as released, weight norm not fused."""

    backbone: int
    quantizer: int
    head: int


def load_firefly(folder: Path, config: FireflyConfig | None = None, device: str = "cpu") -> Loaded[Firefly]:
    """Load the codec of a folder in fp32, of the size that `config` or else the folder states, or of the published one.

    Raises `CheckpointError` naming what is wrong and the remedy.
    """
    state = read_state(folder, NAME, REMEDY, ".pth")
    return build_firefly(config or _stated(folder), state, state_file(folder, NAME, REMEDY, ".pth"), device)


def save_firefly(codec: Firefly, folder: Path, dtype: torch.dtype = torch.float32) -> None:
    """Write a codec and its sizes into a folder, as `load_firefly` reads them."""
    folder.mkdir(parents=True, exist_ok=True)
    state = {name: tensor.detach().to("cpu", dtype).contiguous() for name, tensor in codec.state_dict().items()}
    save_file(state, folder / f"{NAME}.safetensors")
    write_json(folder / SIZES, codec.config.to_json())


def _stated(folder: Path) -> FireflyConfig:
    if not (path := folder / SIZES).exists():
        return FireflyConfig.published()
    try:
        return FireflyConfig.from_json(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, OSError, RecursionError) as error:
        raise CheckpointError(f"{path}: {error}\nTake it and the weights beside it from one folder.") from error


def build_firefly(
    config: FireflyConfig, state: Mapping[str, Tensor], source: Path, device: str = "cpu"
) -> Loaded[Firefly]:
    """The codec with the weights of `state`, which came from `source`; weight norm is fused. Raises CheckpointError."""
    with torch.device("meta"):
        codec = Firefly(config)
    try:
        fused = fuse_weight_norm(state, PARAMETRIZATIONS)
    except ValueError as error:
        raise CheckpointError(f"{source}: {error}\n{REMEDY}") from error
    return fill(codec, fused, source, REMEDY, device)


def random_firefly(config: FireflyConfig, seed: int) -> Firefly:
    """A codec with random weights drawn from the seed, in eval mode: codes differ, and sound is not silence."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        codec = Firefly(config)
        for group in codec.quantizer.residual_fsq.rvqs:
            nn.init.normal_(group.project_in.weight)
            nn.init.normal_(group.project_out.weight)
        for layer in codec.head.modules():
            if isinstance(layer, nn.Conv1d | nn.ConvTranspose1d):
                nn.init.xavier_normal_(layer.weight)
    return codec.eval()


def released_state(codec: Firefly) -> dict[str, Tensor]:
    """The codec's tensors by the names of the release, weight norm split."""
    return split_weight_norm(codec.state_dict(), _is_weight_normed, PARAMETRIZATIONS)


def parameter_counts(config: FireflyConfig) -> FireflyParameters:
    """Counts from the sizes alone, without memory for the weights."""
    with torch.device("meta"):
        state = released_state(Firefly(config))
    return FireflyParameters(
        *(sum(tensor.numel() for name, tensor in state.items() if name.startswith(part + ".")) for part in _PARTS)
    )


_PARTS = FireflyParameters._fields


def _is_weight_normed(name: str) -> bool:
    return name.startswith("head.") and name.endswith(".weight")
