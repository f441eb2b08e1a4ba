"""VITA-1.5 as what answers in text: its prompts embedded, its tokens read as text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import torch

from harness.types import Ready
from models.answering import Answerer
from models.decoding import Prompt
from models.text.feed import TextFeed
from models.vita15.checkpoint import Loaded
from models.vita15.processor import ModelInputs, collate
from models.vita15.prompts import strip_state


def answerer(loaded: Loaded) -> Answerer:
    feed = partial(TextFeed, loaded.tokenizer, strip=strip_state)
    return Answerer(loaded.model, loaded.generation, partial(prompts_of, loaded), feed)


@torch.inference_mode()
def prompts_of(loaded: Loaded, items: Sequence[Ready]) -> list[Prompt]:
    """Requests with their media embedded, as the decode loop takes them. Waits for the device."""
    ahead = [item.inputs.embeds for item in items if item.inputs.embeds is not None]
    if len(ahead) == len(items):
        return [Prompt(embeds, item.request.generation.seed) for embeds, item in zip(ahead, items, strict=True)]
    embedded = loaded.model.embed(collate([item.inputs for item in items]))
    if loaded.model.device.type == "cuda":
        torch.cuda.synchronize(loaded.model.device)
    rows = zip(embedded.inputs_embeds, embedded.attention_mask, items, strict=True)
    return [Prompt(embeds[mask], item.request.generation.seed) for embeds, mask, item in rows]


@torch.inference_mode()
def embedded_ahead(loaded: Loaded, inputs: ModelInputs) -> ModelInputs:
    """Inputs with their prompt embedded; pixels and filter banks are let go."""
    found = loaded.model.embed(collate([inputs]))
    return replace(inputs, pixel_values=None, audio=(), embeds=found.inputs_embeds[0])
