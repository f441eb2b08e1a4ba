"""The language model: Qwen2.5-7B-Instruct's architecture, from transformers.

Facts from the released config.json: biases on q, k and v only, rotary base 1e6, an untied head.
"""

from __future__ import annotations

import torch
from torch import Tensor
from transformers import Qwen2Config
from transformers.models.qwen2.modeling_qwen2 import Qwen2Model, Qwen2RotaryEmbedding

from models.vita15.config import LanguageConfig


def qwen2_config(config: LanguageConfig) -> Qwen2Config:
    """The settings as transformers names them. Raises ValueError on tied embeddings, which VITA-1.5 has not."""
    if config.tie_word_embeddings:
        raise ValueError("tie_word_embeddings is true: VITA-1.5's output layer has weights of its own (lm_head)")
    return Qwen2Config(
        vocab_size=config.vocab_size,
        hidden_size=config.hidden_size,
        intermediate_size=config.intermediate_size,
        num_hidden_layers=config.num_hidden_layers,
        num_attention_heads=config.num_attention_heads,
        num_key_value_heads=config.num_key_value_heads,
        max_position_embeddings=config.max_position_embeddings,
        rope_parameters={"rope_type": "default", "rope_theta": config.rope_theta},
        rms_norm_eps=config.rms_norm_eps,
        tie_word_embeddings=False,
        use_sliding_window=False,
        attn_implementation="sdpa",
    )


def language_model(config: LanguageConfig) -> Qwen2Model:
    """The decoder stack with random weights: `embed_tokens`, `layers` and `norm`."""
    return Qwen2Model(qwen2_config(config))


def causal_hidden(model: Qwen2Model, inputs_embeds: Tensor) -> Tensor:
    """Last hidden states [B, S, D], after the norm, of embeddings [B, S, D] at positions 0..S-1.

    Padding on the right needs no mask: under causal attention nothing before it sees it.
    """
    positions = torch.arange(inputs_embeds.shape[1], device=inputs_embeds.device).expand(len(inputs_embeds), -1)
    output = model(
        inputs_embeds=inputs_embeds,
        attention_mask={"full_attention": None},  # a mapping is taken as it is: causal, by the kernel itself
        position_ids=positions,
        use_cache=False,
    )
    return output.last_hidden_state


def renew_rotary(model: Qwen2Model, device: torch.device | str) -> None:
    """Compute the rotary frequencies anew, in fp32 on the device: they are no part of a checkpoint."""
    model.rotary_emb = Qwen2RotaryEmbedding(config=model.config).to(device)
