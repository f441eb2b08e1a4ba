"""One decode loop for every language model here: batched, on a preallocated KV cache.

A token's slot in the cache is its position in its own row, so a row's slots hold the same whether the row is
alone or in a batch, and padding is never seen. Prompts are packed to the left first; the prefill is then
plainly causal. All state of a step lives in tensors that are changed in place and have fixed shapes (the
visible part of the cache grows in blocks), and nothing is read back to the host inside a step.

Randomness comes from a table of uniform numbers drawn before the loop, one generator a row, so a sampled
answer does not depend on its batch either.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Protocol

import torch
from torch import Tensor, nn

from models.nn.graphs import Step

BLOCK = 128
"""The visible part of the cache is rounded up to a multiple of this: the shapes change only so often."""

Finish = Literal["stop", "length", "cancelled"]
ShouldStop = Callable[[int, list[int]], bool]


class CausalLM(Protocol):
    """A transformers decoder (`model`, which takes a cache with `update`) and its output layer."""

    model: Any
    lm_head: nn.Linear


@dataclass(frozen=True)
class Sampling:
    """How the next token is chosen. Temperature 0 is greedy.

    The repetition penalty divides the positive logits of tokens that the row has generated before and
    multiplies the negative ones, each once (prompts given as embeddings have no tokens to penalise).
    """

    temperature: float = 0.0
    top_k: int | None = None
    top_p: float | None = None
    repetition_penalty: float = 1.0

    def __post_init__(self) -> None:
        if self.temperature < 0 or self.repetition_penalty <= 0:
            raise ValueError(f"{self}: temperature must be at least 0 and repetition_penalty above 0")
        if (self.top_k is not None and self.top_k < 1) or (self.top_p is not None and not 0 < self.top_p <= 1):
            raise ValueError(f"{self}: top_k must be at least 1 and top_p in 0..1")


class Emission(NamedTuple):
    """New tokens of one row, the stop token left out."""

    row: int
    ids: list[int]
    time: float  # time.monotonic() when they were read
    finish: Finish | None  # set on the row's last emission


class Decoded(NamedTuple):
    ids: list[int]
    first_token: float  # time.monotonic()
    end: float
    finish: Finish


class SlotCache:
    """Keys and values [B, heads, slots, head_dim] of every layer, allocated once.

    `update` is what transformers' attention calls. Several tokens at once are a prefill of slots 0..n-1; a
    single one goes to the slot `positions[row]` of its row, and the first `visible` slots are returned.
    """

    def __init__(self, n_layers: int, batch: int, heads: int, slots: int, head_dim: int, like: Tensor) -> None:
        shape = (batch, heads, slots, head_dim)
        # Zeros, because a slot that is masked but not a number would still spoil the weighted sum.
        self.keys = [torch.zeros(shape, dtype=like.dtype, device=like.device) for _ in range(n_layers)]
        self.values = [torch.zeros(shape, dtype=like.dtype, device=like.device) for _ in range(n_layers)]
        self.slots = slots
        self.level = False  # all rows are equally long, so that one slot number serves them all
        self.rows = torch.arange(batch, device=like.device)
        self.positions = torch.zeros(batch, dtype=torch.long, device=like.device)
        self.visible = 0
        self.prefilling = True

    def update(self, key: Tensor, value: Tensor, layer_idx: int, *_: Any, **__: Any) -> tuple[Tensor, Tensor]:
        keys, values = self.keys[layer_idx], self.values[layer_idx]
        if self.prefilling:
            keys[:, :, : key.shape[2]] = key
            values[:, :, : value.shape[2]] = value
            return key, value
        if self.level:
            keys.index_copy_(2, self.positions[:1], key)
            values.index_copy_(2, self.positions[:1], value)
        else:
            keys[self.rows, :, self.positions] = key[:, :, 0]
            values[self.rows, :, self.positions] = value[:, :, 0]
        return keys[:, :, : self.visible], values[:, :, : self.visible]

    def get_seq_length(self, layer_idx: int = 0) -> int:
        return self.visible


class DecodeState:
    """Everything a step reads and writes, in place: cache, last tokens, positions and what came out."""

    def __init__(
        self, lm: CausalLM, embeds: Tensor, lengths: Tensor, max_new: int, stop: Tensor, sampling: Sampling,
        uniforms: Tensor | None, min_new: int = 0,
    ) -> None:  # fmt: skip
        batch, width = embeds.shape[:2]
        config = lm.model.config
        head_dim = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
        slots = -(-(width + max_new) // BLOCK) * BLOCK
        device = embeds.device
        self.lm, self.stop, self.sampling, self.uniforms = lm, stop, sampling, uniforms
        self.cache = SlotCache(config.num_hidden_layers, batch, config.num_key_value_heads, slots, head_dim, embeds)
        self.cache.level = bool((lengths == lengths[0]).all())
        # Without graphs to keep shapes for, equally long rows need no mask: what is visible is all there is.
        self.exact = self.cache.level and device.type == "cpu"
        self.slot_numbers = torch.arange(slots, device=device)
        self.lengths = lengths
        self.tokens = torch.zeros(batch, 1, dtype=torch.long, device=device)  # the last token of each row
        self.generated = torch.zeros(batch, max_new, dtype=torch.long, device=device)
        self.count = torch.zeros(1, dtype=torch.long, device=device)  # tokens generated so far
        self.finished = torch.zeros(batch, dtype=torch.bool, device=device)
        vocabulary = lm.lm_head.out_features
        self.min_new = min_new if len(stop) else 0
        # [V], what a step must not choose while `count` is below `min_new`
        self.is_stop = torch.zeros(vocabulary, dtype=torch.bool, device=device).index_fill_(0, stop, True)
        penalised = sampling.repetition_penalty != 1.0
        self.seen = torch.zeros(batch, vocabulary, dtype=torch.bool, device=device) if penalised else None

    def prefill(self, embeds: Tensor) -> None:
        """Read the prompts [B, S, D], packed to the left, and choose the first tokens."""
        batch, width = embeds.shape[:2]
        hidden = self._forward(embeds, torch.arange(width, device=embeds.device).expand(batch, -1), None)
        self.cache.prefilling = False
        self._choose(hidden[self.cache.rows, self.lengths - 1])

    def look_at(self, length: int) -> None:
        """Make the first `length` slots visible, rounded up to a block where shapes must not change often."""
        self.cache.visible = length if self.exact else min(self.cache.slots, -(-length // BLOCK) * BLOCK)

    def step(self) -> None:
        """Feed the last tokens and choose the next. `cache.visible` must cover them; shapes are fixed."""
        positions = self.cache.positions
        torch.add(self.lengths, self.count - 1, out=positions)
        mask = None
        if not self.exact:
            mask = (self.slot_numbers[: self.cache.visible] <= positions[:, None])[:, None, None]  # [B, 1, 1, visible]
        embeds = self.lm.model.embed_tokens(self.tokens)
        self._choose(self._forward(embeds, positions[:, None], mask)[:, 0])

    def _forward(self, embeds: Tensor, positions: Tensor, mask: Tensor | None) -> Tensor:
        output = self.lm.model(
            inputs_embeds=embeds,
            attention_mask={"full_attention": mask},  # a mapping is taken as it is; None is causal
            position_ids=positions,
            past_key_values=self.cache,
            use_cache=True,
        )
        return output.last_hidden_state

    def _choose(self, hidden: Tensor) -> None:
        """hidden [B, D] -> the next token of each row; a finished row goes on with a stop token."""
        logits = self.lm.lm_head(hidden).float()  # [B, vocabulary]
        penalty = self.sampling.repetition_penalty
        if self.seen is not None:
            logits = torch.where(self.seen, torch.where(logits > 0, logits / penalty, logits * penalty), logits)
        if self.min_new:
            logits = logits.masked_fill(self.is_stop & (self.count < self.min_new), -torch.inf)
        if self.uniforms is None:
            chosen = logits.argmax(-1, keepdim=True)
        else:
            chosen = sample(logits, self.uniforms.gather(1, self.count.expand(len(logits), 1)), self.sampling)
        if len(self.stop):
            chosen = torch.where(self.finished[:, None], self.stop[:1], chosen)
            self.finished |= torch.isin(chosen[:, 0], self.stop)
        self.tokens.copy_(chosen)
        self.generated.scatter_(1, self.count.expand(len(logits), 1), chosen)
        if self.seen is not None:
            self.seen.scatter_(1, chosen, True)
        self.count += 1


def sample(logits: Tensor, uniforms: Tensor, sampling: Sampling) -> Tensor:
    """Draw a token a row by inverting the cumulative distribution: [B, V], uniforms [B, 1] in 0..1 -> [B, 1]."""
    probabilities = (logits / sampling.temperature).softmax(-1)
    probabilities, tokens = probabilities.sort(dim=-1, descending=True, stable=True)
    if sampling.top_k is not None:
        probabilities[:, sampling.top_k :] = 0
    if sampling.top_p is not None:
        before = probabilities.cumsum(-1) - probabilities
        probabilities = probabilities.masked_fill(before >= sampling.top_p * probabilities.sum(-1, keepdim=True), 0)
    cumulative = probabilities.cumsum(-1)
    rank = (cumulative <= uniforms * cumulative[:, -1:]).sum(-1, keepdim=True)
    last = (probabilities > 0).sum(-1, keepdim=True) - 1  # rounding must not lead past the last candidate
    return tokens.gather(1, torch.minimum(rank, last))


@torch.inference_mode()
def stream(
    lm: CausalLM,
    inputs_embeds: Tensor,
    attention_mask: Tensor,
    max_new_tokens: int,
    stop_ids: Sequence[int] = (),
    sampling: Sampling | None = None,
    generators: Sequence[torch.Generator] = (),
    should_stop: ShouldStop | None = None,
    read_every: int | None = None,
    min_new_tokens: int = 0,
) -> Iterator[Emission]:
    """Decode a batch, yielding tokens as they are read; every row's last emission says how it finished.

    inputs_embeds [B, S, D] with attention_mask [B, S] (True on what is not padding; on which side it stands
    does not matter). Sampling needs one CPU generator a row. `should_stop(row, ids so far)` may end a row; stop
    tokens cannot be chosen before `min_new_tokens`. Tokens are read from the device every `read_every` steps
    (default: each on a CPU, 8 on an accelerator, where a read makes the host wait). Raises ValueError on an empty
    row or a missing generator.
    """
    if max_new_tokens < 1:
        raise ValueError(f"max_new_tokens is {max_new_tokens}: it must be at least 1")
    sampling = sampling or Sampling()
    device, batch = inputs_embeds.device, len(inputs_embeds)
    embeds, lengths = pack_left(inputs_embeds, attention_mask.bool())
    uniforms = None
    if sampling.temperature > 0:
        if len(generators) != batch:
            raise ValueError(f"sampling {batch} rows needs {batch} generators, one a row; {len(generators)} given")
        table = [torch.rand(max_new_tokens, generator=generator) for generator in generators]
        uniforms = torch.stack(table).to(device)
    stop = torch.tensor(sorted(stop_ids), dtype=torch.long, device=device)
    read_every = read_every or (1 if device.type == "cpu" else 8)

    state = DecodeState(lm, embeds, lengths, max_new_tokens, stop, sampling, uniforms, min_new_tokens)
    state.prefill(embeds)
    step = Step(state.step, device)
    longest, done, n_read = embeds.shape[1], 1, 0
    answers: list[list[int]] = [[] for _ in range(batch)]
    running = set(range(batch))
    while True:
        if done == 1 or done == max_new_tokens or done % read_every == 0:
            new = state.generated[:, n_read:done].tolist()
            n_read, now = done, time.monotonic()
            for row in sorted(running):
                ids, finish = _until_stop(new[row], stop_ids)
                answers[row] += ids
                if finish is None and should_stop is not None and should_stop(row, answers[row]):
                    finish = "cancelled"
                if finish is None and done == max_new_tokens:
                    finish = "length"
                if finish is not None:
                    running.discard(row)
                yield Emission(row, ids, now, finish)
            if not running:
                return
        state.look_at(longest + done)
        step(state.cache.visible)
        done += 1


def decode(lm: CausalLM, inputs_embeds: Tensor, attention_mask: Tensor, **settings: Any) -> list[Decoded]:
    """`stream` to its end: what each row answered, and when. Takes the same settings."""
    rows: dict[int, Decoded] = {}
    for emission in stream(lm, inputs_embeds, attention_mask, **settings):
        before = rows.get(emission.row) or Decoded([], emission.time, emission.time, "length")
        finish = emission.finish or before.finish
        rows[emission.row] = Decoded(before.ids + emission.ids, before.first_token, emission.time, finish)
    return [rows[row] for row in range(len(inputs_embeds))]


class Packed(NamedTuple):
    embeds: Tensor  # [B, longest, D]
    lengths: Tensor  # [B]


def pack_left(embeds: Tensor, mask: Tensor) -> Packed:
    """Move what is not padding to the front of each row, in order, and cut the padding common to all rows."""
    lengths = mask.sum(1)
    if len(lengths) == 0 or int(lengths.min()) == 0:
        raise ValueError("a prompt without tokens cannot be decoded")
    order = (~mask).long().argsort(dim=1, stable=True)[:, : int(lengths.max())]  # [B, longest]
    return Packed(embeds.gather(1, order[:, :, None].expand(-1, -1, embeds.shape[2])), lengths)


class _Cut(NamedTuple):
    ids: list[int]
    finish: Finish | None


def _until_stop(ids: list[int], stop_ids: Sequence[int]) -> _Cut:
    for index, token in enumerate(ids):
        if token in stop_ids:
            return _Cut(ids[:index], "stop")
    return _Cut(ids, None)
