"""Rows that are decoded side by side: their cache, last tokens, positions and what came out, changed in place.

A token's slot in the cache is its position in its own row, so a row's slots hold the same whether the row is alone or
beside others, and padding is never seen. A row that ends leaves its place to another; the tensors of a step keep
their places and shapes as long as the number of rows and the visible part of the cache do, and nothing is read back
to the host inside a step.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from models.nn.graphs import Step
from models.sampling import Chooser, Decoding

BLOCK = 128
"""Where shapes must not change often the visible part of the cache is rounded up to a multiple of this."""

ROOM = 512
"""Slots that a row gets for its answer at first: most answers are far shorter than they may be."""


class CausalLM(Protocol):
    """A transformers decoder (`model`, which takes a cache with `update`) and its output layer."""

    model: Any
    lm_head: nn.Linear


@dataclass(frozen=True, eq=False)
class Prompt:
    """A prompt's embeddings [S, D]; what is sampled follows the seed alone.

    `positions` [3, S] are its rotary positions on three axes, for a model that has such; the answer goes on behind the
    largest of them, the same on all axes. None is 0..S-1.
    """

    embeds: Tensor
    seed: int = 0
    positions: Tensor | None = None

    def __post_init__(self) -> None:
        if not len(self.embeds):
            raise ValueError("a prompt without tokens cannot be decoded")
        if self.positions is not None and self.positions.shape != (3, len(self.embeds)):
            raise ValueError(
                f"positions of shape {list(self.positions.shape)}: expected [3, {len(self.embeds)}], as the embeddings"
            )


class SlotCache:
    """Keys and values [rows, heads, slots, head_dim] of every layer.

    `update` is what transformers' attention calls. Several tokens at once are the prefill of the rows `joining`, in
    slots 0..n-1; a single one goes to the slot `positions[row]` of each of the first `active` rows, of which the first
    `visible` slots are returned.
    """

    def __init__(self, n_layers: int, shape: tuple[int, int, int, int], like: Tensor) -> None:
        # Zeros, because a slot that is masked but not a number would still spoil the weighted sum.
        self.keys = [like.new_zeros(shape) for _ in range(n_layers)]
        self.values = [like.new_zeros(shape) for _ in range(n_layers)]
        self.positions = torch.zeros(shape[0], dtype=torch.long, device=like.device)
        self.numbers = torch.arange(shape[0], device=like.device)
        self.joining: Tensor | None = None
        self.active = self.visible = 0
        self.level = False  # all rows are equally long, so that one slot number serves them all

    @property
    def slots(self) -> int:
        return self.keys[0].shape[2]

    def grow(self, slots: int) -> None:
        """Make room for longer rows; the tensors get new places."""
        for tensors in (self.keys, self.values):
            for layer, old in enumerate(tensors):
                tensors[layer] = old.new_zeros((*old.shape[:2], slots, old.shape[3]))
                tensors[layer][:, :, : old.shape[2]] = old

    def move(self, source: int, target: int) -> None:
        for tensor in (*self.keys, *self.values, self.positions):
            tensor[target].copy_(tensor[source])

    def update(self, key: Tensor, value: Tensor, layer_idx: int, *_: Any, **__: Any) -> tuple[Tensor, Tensor]:
        keys, values = self.keys[layer_idx], self.values[layer_idx]
        if self.joining is not None:
            keys[self.joining, :, : key.shape[2]] = key
            values[self.joining, :, : value.shape[2]] = value
            return key, value
        keys, values = keys[: self.active], values[: self.active]
        if self.level:
            keys.index_copy_(2, self.positions[:1], key)
            values.index_copy_(2, self.positions[:1], value)
        else:
            places = self.positions[: self.active]
            keys[self.numbers[: self.active], :, places] = key[:, :, 0]
            values[self.numbers[: self.active], :, places] = value[:, :, 0]
        return keys[:, :, : self.visible], values[:, :, : self.visible]

    def get_seq_length(self, layer_idx: int = 0) -> int:
        return self.visible


class Rows:
    """`capacity` rows. Those that are decoded are the first `active`; the caller keeps account of who is where."""

    def __init__(
        self, lm: CausalLM, capacity: int, longest: int, decoding: Decoding, like: Tensor, keep_states: bool = False
    ) -> None:
        """`keep_states`: those of the tokens that are generated, after the norm, in `states` [rows, limit, D]."""
        config, device = lm.model.config, like.device
        head_dim = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
        self._room = min(decoding.max_new_tokens, ROOM)
        shape = (capacity, config.num_key_value_heads, _rounded(longest + self._room), head_dim)
        self.cache = SlotCache(config.num_hidden_layers, shape, like)
        self.slot_numbers = torch.arange(shape[2], device=device)
        self.ahead = torch.zeros(capacity, dtype=torch.long, device=device)  # of a row's slots its rotary positions are
        self.device = device
        self._lm, self._decoding = lm, decoding
        self.chosen = Chooser(capacity, lm.lm_head.out_features, decoding, device)
        kept = (capacity, decoding.max_new_tokens, config.hidden_size)
        self.states = like.new_zeros(kept) if keep_states else None
        self._step = Step(self._run_step, device)

    def join(self, prompts: Sequence[Prompt], places: Sequence[int]) -> None:
        """Read the prompts into the rows at `places`, all below `active`, and choose their first tokens."""
        lengths = [len(prompt.embeds) for prompt in prompts]
        self._reach(max(lengths) + self._room)
        rows = torch.tensor(places, device=self.device)
        ends = torch.tensor(lengths, device=self.device)
        self.cache.positions[rows] = ends
        self.chosen.begin(rows, [prompt.seed for prompt in prompts])
        embeds = pad_sequence([prompt.embeds for prompt in prompts], batch_first=True)  # [k, S, D]
        rotary = _rotary(prompts, embeds.shape[1], self.device)
        self.ahead[rows] = rotary.next - ends
        self.cache.joining = rows
        hidden = self._forward(embeds, rotary.positions, None)  # padding on the right: causal is enough
        self.cache.joining = None
        self._choose(hidden[torch.arange(len(prompts), device=self.device), ends - 1], rows)

    def step(self, active: int, length: int, level: bool) -> None:
        """Feed the last tokens of the first `active` rows, the longest of which has that length, and choose the next.

        `level` says that all have that length: what is visible is then all there is, and needs no mask.
        """
        self._reach(length)
        cache = self.cache
        cache.active, cache.level = active, level
        cache.visible = length if self.device.type == "cpu" else min(cache.slots, _rounded(length))
        self._step((active, cache.visible))

    def move(self, source: int, target: int) -> None:
        """Put the row at `source` in the place of `target`, once its tokens have been read."""
        self.cache.move(source, target)
        self.chosen.move(source, target)
        if self.states is not None:
            self.states[target].copy_(self.states[source])
        self.ahead[target].copy_(self.ahead[source])

    def newest(self, active: int, read: Sequence[int], width: int) -> list[list[int]]:
        """Tokens from `read[row]` on, `width` of them, of the first `active` rows; the last of what a row has and
        what it has not yet are told apart by the caller's own count."""
        if width == 1:
            return self.chosen.tokens[:active].tolist()
        first = torch.tensor(read, device=self.device)[:, None]
        places = (first + torch.arange(width, device=self.device)).clamp_max(self._decoding.max_new_tokens)
        return self.chosen.generated[:active].gather(1, places).tolist()

    def _reach(self, slots: int) -> None:
        """Make the cache as long as that, by half at least; its new places make graphs of old ones useless."""
        if slots > self.cache.slots:
            self.cache.grow(_rounded(max(slots, self.cache.slots * 3 // 2)))
            self.slot_numbers = torch.arange(self.cache.slots, device=self.device)
            self._step = Step(self._run_step, self.device)

    def _run_step(self) -> None:
        cache = self.cache
        positions = cache.positions[: cache.active]
        mask = None
        if not cache.level:
            mask = (self.slot_numbers[: cache.visible] <= positions[:, None])[:, None, None]  # [B, 1, 1, visible]
        embeds = self._lm.model.embed_tokens(self.chosen.tokens[: cache.active])
        hidden = self._forward(embeds, (positions + self.ahead[: cache.active])[:, None], mask)[:, 0]
        positions += (~self.chosen.ended[: cache.active]).long()
        if self.states is not None:  # of the token that was fed, the last one so far
            rows = cache.numbers[: cache.active]
            self.states[rows, self.chosen.count[rows] - 1] = hidden
        self._choose(hidden, cache.numbers[: cache.active])

    def _forward(self, embeds: Tensor, positions: Tensor, mask: Tensor | None) -> Tensor:
        output = self._lm.model(
            inputs_embeds=embeds,
            attention_mask={"full_attention": mask},  # a mapping is taken as it is; None is causal
            position_ids=positions,
            past_key_values=self.cache,
            use_cache=True,
        )
        hidden: Tensor = output.last_hidden_state
        return hidden

    def _choose(self, hidden: Tensor, rows: Tensor) -> None:
        """hidden [k, D] -> the next token of each of the rows [k]; a row that has ended stays as it is."""
        self.chosen.choose(self._lm.lm_head(hidden), rows)


class _Rotary(NamedTuple):
    positions: Tensor  # [k, S], or [3, k, S] where a prompt brings its own
    next: Tensor  # [k]


def _rotary(prompts: Sequence[Prompt], longest: int, device: torch.device) -> _Rotary:
    """Positions of prompts side by side; what stands at padding means nothing."""
    plain = torch.arange(longest, device=device)
    lengths = torch.tensor([len(prompt.embeds) for prompt in prompts], device=device)
    if all(prompt.positions is None for prompt in prompts):
        return _Rotary(plain.expand(len(prompts), -1), lengths)
    own = [
        plain[: len(prompt.embeds)].expand(3, -1) if prompt.positions is None else prompt.positions.to(device)
        for prompt in prompts
    ]
    padded = [F.pad(positions, (0, longest - positions.shape[1])) for positions in own]
    return _Rotary(torch.stack(padded, dim=1), torch.stack([positions.max() + 1 for positions in own]))


def _rounded(length: int) -> int:
    return -(-length // BLOCK) * BLOCK
