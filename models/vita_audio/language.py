"""VITA-Audio's language model: Qwen2.5 and the modules that predict further tokens behind it (spec section 2).

Row j of module i reads the token at position j + i + 1 and the state that the network before it has of row j, and
predicts token j + i + 2. Embedding, final norm and head are shared by all networks; keys and values are each one's
own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from models.nn.llama import LayerCache, LlamaBlock, RMSNorm, Rotary, rotary
from models.vita_audio.config import MtpConfig


class Forced(NamedTuple):
    """Every network over whole sequences [B, T]: states after the norm, and logits.

    Entry 0 is the language model's, [B, T, ...]; entry i + 1 is module i's, [B, T - 1 - i, ...].
    """

    hidden: list[Tensor]
    logits: list[Tensor]


class _Body(nn.Module):
    def __init__(self, config: MtpConfig) -> None:
        super().__init__()
        self.embed_tokens = nn.Embedding(config.vocab_size, config.hidden_size)
        self.layers = nn.ModuleList(
            LlamaBlock(
                config.hidden_size, config.num_attention_heads, config.intermediate_size, config.rms_norm_eps,
                config.num_key_value_heads, bias=True,
            )
            for _ in range(config.num_hidden_layers)
        )  # fmt: skip
        self.norm = RMSNorm(config.hidden_size, config.rms_norm_eps)


class MtpModel(nn.Module):
    """`hearing` are the parts through which Plus hears, by their names in the checkpoint."""

    def __init__(self, config: MtpConfig, hearing: nn.ModuleDict | None = None) -> None:
        super().__init__()
        width, count = config.hidden_size, config.modules
        self.config = config
        self.model = _Body(config)
        for name, part in (hearing or {}).items():
            self.model.add_module(name, part)
        self.lm_head = nn.Linear(width, config.vocab_size, bias=False)
        self.mtp_projs = nn.ModuleList(nn.Linear(2 * width, width, bias=False) for _ in range(count))
        self.mtp_embed_norms = nn.ModuleList(RMSNorm(width, config.rms_norm_eps) for _ in range(count))
        self.mtp_hidden_norms = nn.ModuleList(RMSNorm(width, config.rms_norm_eps) for _ in range(count))

    @property
    def device(self) -> torch.device:
        return self.lm_head.weight.device

    @property
    def dtype(self) -> torch.dtype:
        return self.lm_head.weight.dtype

    def embed(self, ids: Tensor) -> Tensor:
        """[...] -> [..., D]"""
        return self.model.embed_tokens(ids)

    def tables(self, positions: Tensor) -> Rotary:
        """Rotary tables of positions [T] or [B, T]."""
        return rotary(positions, self.config.head_dim, self.config.rope_theta)

    def llm(
        self, embeds: Tensor, tables: Rotary, mask: Tensor | None, caches: Sequence[LayerCache] | None = None
    ) -> Tensor:
        """States after the norm [B, T, D] of embeddings [B, T, D]; `caches` has one entry a layer."""
        x = embeds
        for index in range(self.config.llm_layers):
            x = self.model.layers[index](x, tables, mask, None if caches is None else caches[index])
        return self.model.norm(x)

    def module(
        self,
        index: int,
        embeds: Tensor,
        hidden: Tensor,
        tables: Rotary,
        mask: Tensor | None,
        cache: LayerCache | None = None,
    ) -> Tensor:
        """States after the norm [B, T, D] of module `index`.

        `embeds` are those of the tokens that its rows read, `hidden` the states of the network before it in the same
        rows, both [B, T, D].
        """
        both = torch.cat([self.mtp_embed_norms[index](embeds), self.mtp_hidden_norms[index](hidden)], dim=-1)
        layer = self.model.layers[self.config.llm_layers + index]
        return self.model.norm(layer(self.mtp_projs[index](both), tables, mask, cache))

    def forced(self, ids: Tensor, embeds: Tensor | None = None) -> Forced:
        """All networks over given tokens [B, T], without a cache. `embeds` [B, T, D] is what the language model reads
        in place of the tokens' own embeddings, which the modules always read."""
        own = self.embed(ids)
        places = torch.arange(ids.shape[1], device=ids.device)
        causal = places <= places[:, None]  # [T, T]
        hidden = [self.llm(own if embeds is None else embeds, self.tables(places), causal)]
        for index in range(self.config.modules):
            rows = ids.shape[1] - 1 - index
            if rows < 1:
                break
            tables = self.tables(places[index + 1 :])
            hidden.append(self.module(index, own[:, index + 1 :], hidden[-1][:, :rows], tables, causal[:rows, :rows]))
        return Forced(hidden, [self.lm_head(states) for states in hidden])


def build(
    config: MtpConfig,
    seed: int,
    device: str = "cpu",
    dtype: torch.dtype = torch.float32,
    hearing: nn.ModuleDict | None = None,
) -> MtpModel:
    """Random weights drawn from the seed, in eval mode; the global random state is left alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = MtpModel(config, hearing)
    return model.to(device, dtype).eval()
