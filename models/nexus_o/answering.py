"""NEXUS-O as what answers in text, and what its speech decoder reads of such an answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from harness.types import Ready
from models.answering import Answerer
from models.decoding import Prompt
from models.nexus_o.backbone import causal_hidden
from models.nexus_o.checkpoint import Loaded
from models.nexus_o.omni import Inputs, Nexus
from models.text.feed import TextFeed


def answerer(loaded: Loaded) -> Answerer:
    feed = partial(TextFeed, loaded.tokenizer)
    return Answerer(loaded.model.decoder, loaded.generation, partial(prompts_of, loaded.model), feed)


@torch.inference_mode()
def prompts_of(model: Nexus, items: Sequence[Ready]) -> list[Prompt]:
    """Requests with their media embedded, as the decode loop takes them. Waits for the device."""
    prompts = [model.prompt(item.inputs, item.request.generation.seed) for item in items]
    if model.device.type == "cuda":
        torch.cuda.synchronize(model.device)
    return prompts


@torch.inference_mode()
def embedded_ahead(model: Nexus, inputs: Inputs) -> Inputs:
    """Inputs with their prompt embedded; patches and spectrograms are let go."""
    return replace(inputs, pictures=(), audio=(), embeds=model.embed(inputs))


@torch.inference_mode()
def reply_states(model: Nexus, prompts: Sequence[Prompt], replies: Sequence[Sequence[int]]) -> list[Tensor]:
    """The language model's last states, after its norm, of the tokens of each reply: [tokens, D].

    They are computed once the reply is whole, as in training, where the language model is frozen (spec section 1.5).
    """
    rows, axes = [], []
    for prompt, reply in zip(prompts, replies, strict=True):
        ids = torch.tensor(list(reply), device=model.device)
        rows.append(torch.cat([prompt.embeds, model.model.language_model.embed_tokens(ids)]))
        assert prompt.positions is not None
        behind = prompt.positions.max() + 1 + torch.arange(len(ids), device=model.device)
        axes.append(torch.cat([prompt.positions, behind.expand(3, -1)], dim=1))  # [3, S]
    longest = max(map(len, rows))
    positions = torch.stack([F.pad(axis, (0, longest - axis.shape[1])) for axis in axes], dim=1)  # [3, B, S]
    hidden = causal_hidden(model.model.language_model, pad_sequence(rows, batch_first=True), positions)
    return [
        states[len(prompt.embeds) : len(prompt.embeds) + len(reply)]
        for states, prompt, reply in zip(hidden, prompts, replies, strict=True)
    ]
