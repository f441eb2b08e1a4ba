"""The backbone: Qwen2.5-VL's vision tower and language model, from transformers (spec section 1.1).

transformers' own defaults are of another size, so that every field is given.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers.models.qwen2_5_vl.configuration_qwen2_5_vl import Qwen2_5_VLTextConfig, Qwen2_5_VLVisionConfig
from transformers.models.qwen2_5_vl.modeling_qwen2_5_vl import (
    Qwen2_5_VisionTransformerPretrainedModel,
    Qwen2_5_VLRotaryEmbedding,
    Qwen2_5_VLTextModel,
)

from models.nexus_o.config import LanguageConfig, VisionConfig


def text_config(config: LanguageConfig) -> Qwen2_5_VLTextConfig:
    """The language model's settings as transformers names them."""
    return Qwen2_5_VLTextConfig(
        vocab_size=config.vocab_size,
        hidden_size=config.hidden_size,
        intermediate_size=config.intermediate_size,
        num_hidden_layers=config.num_hidden_layers,
        num_attention_heads=config.num_attention_heads,
        num_key_value_heads=config.num_key_value_heads,
        max_position_embeddings=config.max_position_embeddings,
        rms_norm_eps=config.rms_norm_eps,
        rope_parameters={
            "rope_type": "default",
            "rope_theta": config.rope_theta,
            "mrope_section": list(config.mrope_section),
        },
        hidden_act="silu",
        use_sliding_window=False,
        bos_token_id=None,  # theirs are of the published vocabulary
        eos_token_id=None,
        attn_implementation="sdpa",
    )


def vision_config(config: VisionConfig, out_width: int) -> Qwen2_5_VLVisionConfig:
    """The vision tower's settings as transformers names them; `out_width` is the language model's."""
    return Qwen2_5_VLVisionConfig(
        depth=config.depth,
        hidden_size=config.hidden_size,
        intermediate_size=config.intermediate_size,
        num_heads=config.num_heads,
        in_channels=3,
        patch_size=config.patch_size,
        temporal_patch_size=config.temporal_patch_size,
        spatial_merge_size=config.spatial_merge_size,
        window_size=config.window_size,
        fullatt_block_indexes=list(config.fullatt_block_indexes),
        tokens_per_second=config.tokens_per_second,
        out_hidden_size=out_width,
        hidden_act="silu",
        attn_implementation="sdpa",
    )


def language_model(config: LanguageConfig) -> nn.Module:
    """The decoder stack with random weights: `embed_tokens`, `layers` and `norm`."""
    return Qwen2_5_VLTextModel(text_config(config))


def vision_tower(config: VisionConfig, out_width: int) -> nn.Module:
    """The tower and its merger with random weights: `patch_embed`, `blocks` and `merger`."""
    tower = Qwen2_5_VisionTransformerPretrainedModel(vision_config(config, out_width))
    tower.patch_embed = _PatchEmbed(tower.patch_embed.proj)
    return tower


class _PatchEmbed(nn.Module):
    """A convolution whose kernel is as large as what it is given is one matrix product, which is what is computed here:
    convolutions of so few places take two thirds of the tower's time on a CPU in bfloat16."""

    def __init__(self, proj: nn.Conv3d) -> None:
        super().__init__()
        self.proj = proj

    def forward(self, patches: Tensor) -> Tensor:
        """[P, 3 * 2 * side^2] -> [P, width]."""
        weight = self.proj.weight
        return F.linear(patches.to(weight.dtype), weight.flatten(1))


def see(tower: nn.Module, patches: Tensor, layers: int, height: int, width: int) -> Tensor:
    """Patches of one picture, `layers` x `height` x `width` of them -> its tokens [layers * height * width / 4, D]."""
    grid = torch.tensor([[layers, height, width]], device=patches.device)
    output = tower(patches, grid_thw=grid)
    tokens: Tensor = getattr(output, "pooler_output", output)  # a plain tensor in earlier versions
    return tokens


def causal_hidden(model: Any, inputs_embeds: Tensor, positions: Tensor) -> Tensor:
    """Last hidden states [B, S, D], after the norm, of embeddings [B, S, D] at positions [3, B, S].

    Padding on the right needs no mask: under causal attention nothing before it sees it.
    """
    output = model(
        inputs_embeds=inputs_embeds,
        attention_mask={"full_attention": None},  # a mapping is taken as it is: causal, by the kernel itself
        position_ids=positions,
        use_cache=False,
    )
    return output.last_hidden_state


def renew_rotary(language: Any, tower: Any, config: VisionConfig, device: torch.device | str) -> None:
    """Compute the rotary frequencies anew, in fp32 on the device: they are no part of a checkpoint.

    Those of the tower depend on the width of its heads alone, so that they are taken from one with a single head.
    """
    language.rotary_emb = Qwen2_5_VLRotaryEmbedding(config=language.config).to(device)
    head = config.hidden_size // config.num_heads
    single = replace(config, hidden_size=head, num_heads=1, intermediate_size=8, depth=0)
    with torch.random.fork_rng(devices=[]):
        tower.rotary_pos_emb = vision_tower(single, 8).rotary_pos_emb.to(device)
