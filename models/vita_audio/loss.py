"""What VITA-Audio's networks learn from: samples packed behind each other, and all networks' loss (spec section 9).

Module i takes the tokens of each sample from position i + 1 on, beside the states of the network before it one row
earlier. Labels are shifted by one row after that, over the whole pack: the last row of a sample is to predict the next
sample's token at position i + 1, wherever that is to be learnt, which is the reference's and kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from models.vita_audio.interleave import IGNORED
from models.vita_audio.language import MtpModel


class Packed(NamedTuple):
    """Samples behind each other, int64 [T] each. Positions start at 0 with every sample; IGNORED labels are not learnt.

    A label is that of its own token: it is shifted later.
    """

    ids: Tensor
    labels: Tensor
    positions: Tensor

    def to(self, device: torch.device) -> Packed:
        return Packed(*(tensor.to(device) for tensor in self))


class Rows(NamedTuple):
    """One network over a pack: the states after the norm [R, D] of its rows, and the token that each predicts [R]."""

    hidden: Tensor
    targets: Tensor


class Losses(NamedTuple):
    """Scalars. `main` is the language model's and None where it is dropped; `modules` [N]."""

    total: Tensor
    main: Tensor | None
    modules: Tensor


def pack(samples: Sequence[tuple[Sequence[int], Sequence[int]]]) -> Packed:
    """Pairs of token ids and labels behind each other. Raises ValueError on a sample that is empty or has another
    number of labels."""
    for number, (ids, labels) in enumerate(samples):
        if not ids or len(ids) != len(labels):
            raise ValueError(f"sample {number} has {len(ids)} tokens and {len(labels)} labels: expected as many, not 0")
    if not samples:
        raise ValueError("no samples to pack")
    return Packed(
        torch.tensor([token for ids, _ in samples for token in ids]),
        torch.tensor([label for _, labels in samples for label in labels]),
        torch.cat([torch.arange(len(ids)) for ids, _ in samples]),
    )


def packed_rows(model: MtpModel, packed: Packed, embeds: Tensor | None = None, detach: bool = False) -> list[Rows]:
    """Every network over a pack: the language model, then the modules.

    `embeds` [T, D] is what the language model reads in place of the tokens' own embeddings, which the modules always
    read. With `detach` a module's loss changes that module alone, beside norm and head: neither the embeddings nor the
    states that it takes in get a gradient. Samples of at most i + 1 tokens have no rows in module i.
    """
    own = model.embed(packed.ids)[None]  # [1, T, D]
    tokens = torch.arange(len(packed.ids), device=packed.ids.device)
    samples = (packed.positions == 0).cumsum(0)  # [T]
    tables, mask = model.tables(packed.positions), _within(samples)
    hidden = model.llm(own if embeds is None else embeds[None], tables, mask)
    rows = [Rows(hidden[0], shifted(packed.labels))]
    for index in range(model.config.modules):
        rest = packed.positions[tokens] > index  # the sample's first row so far has no token before it any more
        before = rest.nonzero()[:, 0] - 1  # rows of the network before
        tokens = tokens[rest]
        states, reads = hidden[:, before], own[:, tokens]
        if detach:
            states, reads = states.detach(), reads.detach()
        tables, mask = model.tables(packed.positions[tokens]), _within(samples[tokens])
        hidden = model.module(index, reads, states, tables, mask)
        rows.append(Rows(hidden[0], shifted(packed.labels[tokens])))
    return rows


def packed_loss(
    model: MtpModel,
    packed: Packed,
    weight: float = 1.0,
    embeds: Tensor | None = None,
    main: bool = True,
    detach: bool = False,
) -> Losses:
    """The language model's cross-entropy and `weight` times the mean of the modules'.

    With a frozen head the reference leaves `main` out and detaches; Plus always detaches. A network without anything
    to predict in the pack adds 0. Raises ValueError where neither the language model nor a module is left to learn.
    """
    if not main and not model.config.modules:
        raise ValueError("a model without modules has nothing but the language model's loss, which is to be left out")
    first, *others = packed_rows(model, packed, embeds, detach)
    of_main = cross_entropy(model, first) if main else None
    if not others:
        assert of_main is not None
        return Losses(of_main, of_main, of_main.new_zeros(0))
    modules = torch.stack([cross_entropy(model, rows) for rows in others])
    total = weight * modules.mean()
    return Losses(total if of_main is None else of_main + total, of_main, modules)


def cross_entropy(model: MtpModel, rows: Rows) -> Tensor:
    """Mean over the rows with something to predict, in float32; 0 where there is none."""
    learnt = rows.targets != IGNORED
    logits = model.lm_head(rows.hidden[learnt]).float()
    return F.cross_entropy(logits, rows.targets[learnt], reduction="sum") / learnt.sum().clamp_min(1)


def shifted(labels: Tensor) -> Tensor:
    """The label of the next row [R]; the last row has none."""
    return F.pad(labels, (0, 1), value=IGNORED)[1:]


def _within(samples: Tensor) -> Tensor:
    """Mask [R, R] of rows whose samples [R] are given: each sees its own sample's up to itself."""
    places = torch.arange(len(samples), device=samples.device)
    return (samples == samples[:, None]) & (places <= places[:, None])
