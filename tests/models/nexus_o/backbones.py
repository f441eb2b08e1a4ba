"""A tiny NEXUS-O and transformers' own Qwen2.5-VL of the same weights, and prompts for both."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers.models.qwen2_5_vl.configuration_qwen2_5_vl import Qwen2_5_VLConfig
from transformers.models.qwen2_5_vl.modeling_qwen2_5_vl import Qwen2_5_VLForConditionalGeneration

from models.nexus_o.backbone import text_config, vision_config
from models.nexus_o.config import NexusConfig
from models.nexus_o.omni import Inputs, Kind, Nexus, Seen, build
from models.nexus_o.pictures import Side, grid_of, patches
from models.nexus_o.positions import Grid, Run, positions

CONFIG = NexusConfig.tiny()
PADS = {Kind.IMAGE: 300, Kind.VIDEO: 301}
LOUDER = 6.0
"""Weights are made larger than initial ones, so that logits differ from token to token."""


def pair() -> tuple[Nexus, Qwen2_5_VLForConditionalGeneration]:
    nexus = build(CONFIG, seed=0)
    reference = Qwen2_5_VLForConditionalGeneration(
        Qwen2_5_VLConfig(
            text_config=text_config(CONFIG.language).to_dict(),
            vision_config=vision_config(CONFIG.vision, CONFIG.language.hidden_size).to_dict(),
            image_token_id=PADS[Kind.IMAGE],
            video_token_id=PADS[Kind.VIDEO],
            vision_start_token_id=302,
            vision_end_token_id=303,
        )
    ).eval()
    with torch.no_grad():
        for parameter in nexus.parameters():
            if parameter.dim() > 1:
                parameter.mul_(LOUDER)
    theirs = {name: tensor for name, tensor in nexus.state_dict().items() if "audio" not in name}
    reference.load_state_dict(theirs)
    return nexus, reference


def picture(seed: int, height: int, width: int, frames: int = 1, fps: float | None = None) -> Seen:
    pixels = np.random.default_rng(seed).integers(0, 256, (frames, height, width, 3), dtype=np.uint8)
    size = Side(height, width)
    return Seen(patches(list(pixels), size, CONFIG.vision), grid_of(size, frames, CONFIG.vision, fps))


def prompt(parts: list[int | Seen], seed: int = 0, after: Any = "max") -> Inputs:
    """Runs of so many random tokens, and pictures; a picture with a rate is a video."""
    generator = torch.Generator().manual_seed(seed)
    ids: list[Tensor] = []
    kinds: list[Tensor] = []
    spans: list[Run | Grid] = []
    for part in parts:
        if isinstance(part, int):
            ids.append(torch.randint(0, 256, (part,), generator=generator))
            kind = Kind.TEXT
            spans.append(Run(part))
        else:
            kind = Kind.VIDEO if part.grid.seconds else Kind.IMAGE
            ids.append(torch.full((part.grid.tokens,), PADS[kind]))
            spans.append(part.grid)
        kinds.append(torch.full((len(ids[-1]),), int(kind)))
    seen = tuple(part for part in parts if isinstance(part, Seen))
    axes = positions(spans, CONFIG.vision.tokens_per_second, after).axes
    return Inputs(torch.cat(ids), torch.cat(kinds), axes, seen)


def asked(prompts: list[Inputs]) -> dict[str, Tensor]:
    """Prompts side by side as transformers takes them, padded on the right."""
    longest = max(inputs.n_tokens for inputs in prompts)

    def side_by_side(rows: list[Tensor]) -> Tensor:
        return torch.stack([torch.nn.functional.pad(row, (0, longest - len(row))) for row in rows])

    found = {
        "input_ids": side_by_side([inputs.ids for inputs in prompts]),
        "mm_token_type_ids": side_by_side([inputs.kinds for inputs in prompts]),
        "attention_mask": side_by_side([torch.ones(inputs.n_tokens, dtype=torch.long) for inputs in prompts]),
    }
    seen = [picture for inputs in prompts for picture in inputs.pictures]
    for video in (False, True):
        some = [one for one in seen if bool(one.grid.seconds) == video]
        if some:
            merge = CONFIG.vision.spatial_merge_size
            grids = [[one.grid.layers, one.grid.rows * merge, one.grid.columns * merge] for one in some]
            found["pixel_values_videos" if video else "pixel_values"] = torch.cat([one.patches for one in some])
            found["video_grid_thw" if video else "image_grid_thw"] = torch.tensor(grids)
        if some and video:
            found["second_per_grid_ts"] = torch.tensor([one.grid.seconds for one in some])
    return found
