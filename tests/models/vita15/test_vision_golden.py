"""The parity check of the vision tower reads a golden without the pair of pictures of another size."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from models.vita15.config import VisionConfig
from models.vita15.connector import Projector, pixel_shuffle, vision_features
from models.vita15.vision import VisionTower
from tests.parity.vita15_perception import vision

SIZES = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 2, "image_size": 56}


@torch.no_grad()
def golden(folder: Path, other_size: bool) -> None:
    torch.manual_seed(0)
    tower, projector = VisionTower(VisionConfig(**SIZES)).eval(), Projector(128, 24).eval()
    pixels, shuffled = torch.randn(2, 3, 56, 56), torch.randn(1, 4, 4, 8)
    tensors = {f"model.vision_tower.{name}": tensor for name, tensor in tower.state_dict().items()}
    tensors |= {f"model.mm_projector.{name}": tensor for name, tensor in projector.state_dict().items()}
    states = {f"out.hidden_states.{i}": state for i, state in enumerate(tower.hidden_states(pixels))}
    tensors |= {"in.pixel_values": pixels, "in.pixel_shuffle": shuffled, **states}
    tensors |= {"out.tower_features": vision_features(tower(pixels)), "out.pixel_shuffle": pixel_shuffle(shuffled)}
    tensors["out.projected"] = projector(vision_features(tower(pixels)))
    if other_size:
        tensors["in.pixel_values_other_size"] = pixels[:1]
        tensors["out.projected_other_size"] = tensors["out.projected"][:1] + 1  # wrong on purpose
    config = {"vision": SIZES, "patch_size": 14, "eps": 1e-6}
    folder.joinpath("vita15").mkdir()
    tensors = {name: tensor.contiguous().clone() for name, tensor in tensors.items()}
    save_file(tensors, folder / "vita15" / "vision.safetensors", metadata={"config": json.dumps(config)})


@pytest.mark.parametrize("other_size", [False, True])
def test_the_pair_is_compared_where_it_is_there(tmp_path: Path, other_size: bool) -> None:
    golden(tmp_path, other_size)
    assert vision(tmp_path).failed == int(other_size)
