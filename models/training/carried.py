"""What a new training takes over from weights that were trained before, with another vocabulary."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from models.checkpoint_error import CheckpointError
from models.text.tokenizer import QwenTokenizer
from models.vita15 import checkpoint
from models.vita15.omni import Vita15

ROWS = ("model.embed_tokens.weight", "lm_head.weight")
"""A row a token."""


@torch.no_grad()
def carry_over(model: Vita15, tokenizer: QwenTokenizer, folder: Path) -> list[str]:
    """Put the weights of an earlier model of the same sizes into `model`; returns the names of those left as they were.

    The rows of tokens go by what a token says. Rows of new tokens keep their directions and get the mean length of
    those carried over. Raises CheckpointError on a folder that holds no such model, also on one of other sizes.
    """
    earlier = checkpoint.load(folder)
    old, new = earlier.model.state_dict(), model.state_dict()
    for name in old.keys() & new.keys():
        first = 1 if name in ROWS else 0
        if old[name].shape[first:] != new[name].shape[first:]:
            raise CheckpointError(
                f"{folder}: {name} is {tuple(old[name].shape)}, this size's {tuple(new[name].shape)}\n"
                "Take weights of the same sizes, or another --size."
            )
    places = {earlier.tokenizer.decode([token]): token for token in range(len(earlier.tokenizer))}
    pairs = [
        (token, places[text])
        for token in range(len(tokenizer))
        if (text := tokenizer.decode([token])) in places and "\ufffd" not in text
    ]
    left = []
    for name, tensor in new.items():
        if name in ROWS:
            tensor.copy_(_rows(tensor, old[name].to(tensor.dtype), pairs))
        elif name in old:
            tensor.copy_(old[name])
        else:
            left.append(name)
    return left


def _rows(new: Tensor, old: Tensor, pairs: list[tuple[int, int]]) -> Tensor:
    targets, sources = (torch.tensor(places) for places in zip(*pairs, strict=True))
    carried = old[sources]
    rows = new / new.norm(dim=1, keepdim=True).clamp(min=1e-6) * carried.norm(dim=1).mean()
    rows[targets] = carried
    return rows
