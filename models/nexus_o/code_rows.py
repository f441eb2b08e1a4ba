"""Speech that is decoded side by side: caches, codes and ends of its rows, changed in place.

A step's slot in the cache is its number in its own row, so that a row is the same alone and beside others that began
sooner or later. Nothing is read back to the host inside a step, and the tensors of a step keep their places, so that
it is captured as a graph on CUDA.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from models.nexus_o.audio_decoder import AudioDecoder
from models.nexus_o.delay import undo
from models.nn.graphs import Step
from models.sampling import GREEDY, Sampling, sample

BLOCK = 128
"""On an accelerator the visible part of the cache is rounded up to a multiple of this, because each size is a graph."""


@dataclass(frozen=True)
class CodeDecoding:
    """What rows side by side have in common: frames that a row may have at most, and how codes are drawn."""

    max_frames: int
    sampling: Sampling = GREEDY

    def __post_init__(self) -> None:
        if self.max_frames < 1:
            raise ValueError(f"max_frames is {self.max_frames}: it must be at least 1")
        if self.sampling.repetition_penalty != 1.0:
            raise ValueError("repetition_penalty: speech codes are drawn without one, set it to 1")


@dataclass(frozen=True, eq=False)
class Utterance:
    """What is to be said: the language model's last states, after its norm, of an answer's tokens [n, width of the
    language model]. What is drawn follows the seed alone."""

    hidden: Tensor
    seed: int = 0

    def __post_init__(self) -> None:
        if self.hidden.ndim != 2 or not len(self.hidden):
            raise ValueError(f"states of shape {list(self.hidden.shape)}: expected [n, width], at least one state")


class RowCache(NamedTuple):
    """One layer's keys and values [rows, kv heads, slots, head_dim]; row i of the first ones adds to `slots[i]`."""

    keys: Tensor
    values: Tensor
    rows: Tensor
    slots: Tensor
    visible: int

    def add(self, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Put [B, kv heads, 1, head_dim] in their slots; the visible part of all rows."""
        self.keys[self.rows, :, self.slots] = key[:, :, 0]
        self.values[self.rows, :, self.slots] = value[:, :, 0]
        count = len(self.rows)
        return self.keys[:count, :, : self.visible], self.values[:count, :, : self.visible]


class CodeRows:
    """`capacity` rows, of which the first so many are decoded; the caller keeps account of who is where.

    A row has K - 1 steps more than frames. `limit` [rows] is how many frames it has at most: as long as it has not
    ended the most that are allowed, then its number of frames.
    """

    def __init__(self, decoder: AudioDecoder, capacity: int, decoding: CodeDecoding, graphs: bool = True) -> None:
        c = decoder.config
        self._decoder, self._decoding, self._config = decoder, decoding, c
        self.device = device = decoder.device
        self.streams, self.most = c.streams, decoding.max_frames
        self.steps = self.most + c.streams - 1
        slots = self.steps + 1  # one more, where rows that have ended write
        like = decoder.lm_head.weight
        # Zeros, because a slot that is masked but not a number would still spoil the weighted sum.
        cache = (c.layers, capacity, c.kv_heads, slots, c.head_dim)
        self._keys, self._values = like.new_zeros(cache), like.new_zeros(cache)
        self._states = like.new_zeros(capacity, slots, c.width)
        self._tokens = torch.full((capacity, c.streams), c.special, device=device)
        self._table = torch.full((capacity, c.streams, slots), c.special, device=device)
        self._taken = torch.zeros(capacity, dtype=torch.long, device=device)
        self.limit = torch.zeros(capacity, dtype=torch.long, device=device)
        sampled = decoding.sampling.temperature > 0
        self._uniforms = torch.zeros(capacity, slots, c.streams, device=device) if sampled else None
        self._rows, self._slots = torch.arange(capacity, device=device), torch.arange(slots, device=device)
        self._delays = torch.arange(c.streams, device=device)
        self._barred = barred(decoder).to(device)
        self._active = self._visible = 0
        self._level = False
        self._step = Step(self._run, device, graphs)

    def join(self, utterance: Utterance, place: int) -> None:
        """Begin an utterance in the row at `place`."""
        self.begin(place, utterance.seed)
        self.read(place, utterance.hidden, 0, self.steps)

    def begin(self, place: int, seed: int) -> None:
        """Begin an utterance whose states are still to come."""
        self._taken[place], self.limit[place] = 0, self.most
        self._tokens[place] = self._config.special
        if self._uniforms is not None:
            generator = torch.Generator().manual_seed(seed)
            uniforms = torch.rand(self.steps, self.streams, generator=generator)
            self._uniforms[place, : self.steps] = uniforms.to(self.device)

    def read(self, place: int, hidden: Tensor, first: int, end: int) -> None:
        """Give the steps `first` to `end` of a row what they read: all states [n, language width] from the one of step
        `first` on, and where there are fewer, as the schedule says."""
        states = hidden.to(self.device, self._decoder.dtype)[None]
        lengths = torch.tensor([states.shape[1]], device=self.device)
        self._states[place, first:end] = self._decoder.scheduled(states, lengths, end - first)[0]

    def step(self, taken: Sequence[int]) -> None:
        """One more step of the rows that have `taken` so many, which stand first."""
        longest = min(max(taken) + 1, self.steps + 1)
        on_cpu = self.device.type == "cpu"
        self._active, self._level = len(taken), on_cpu and len(set(taken)) == 1
        self._visible = longest if on_cpu else min(-(-longest // BLOCK) * BLOCK, len(self._slots))
        self._step((self._active, self._visible))

    def move(self, source: int, target: int) -> None:
        """Put a row in the place of another."""
        tensors = [self._states, self._tokens, self._table, self._taken, self.limit]
        if self._uniforms is not None:
            tensors.append(self._uniforms)
        for tensor in (*tensors, *self._keys, *self._values):
            tensor[target].copy_(tensor[source])

    def frames(self, place: int, first: int, end: int) -> Tensor:
        """Frames `first` to `end` of a row that has them whole: [streams, end - first], on the device."""
        if first == end:
            return self._table[place, :, :0].clone()
        return undo(self._table[place, :, first : end + self.streams - 1], self.streams, bos=False)

    def _run(self) -> None:
        rows, config = self._rows[: self._active], self._config
        taken, limit = self._taken[: self._active], self.limit[: self._active]
        slots = taken.clone()
        mask = None if self._level else (self._slots[: self._visible] <= slots[:, None])[:, None, None]
        layers = zip(self._keys, self._values, strict=True)
        caches = [RowCache(keys, values, rows, slots, self._visible) for keys, values in layers]
        x = self._decoder.mixed(self._tokens[: self._active], self._states[rows, slots])[:, None]
        chosen = self._drawn(self._decoder(x, slots[:, None], mask, caches)[:, 0], rows, slots)
        frame = slots[:, None] - self._delays  # [B, streams]: which one of its stream a code would be
        ends = (chosen == config.special) & (frame >= 0)
        limit.copy_(torch.minimum(limit, frame.masked_fill(~ends, self.steps).amin(1)))
        own = (frame >= 0) & (frame < limit[:, None])
        chosen = chosen.masked_fill(~own, config.special)
        self._tokens[: self._active] = chosen
        self._table[rows, :, slots] = chosen
        taken += (slots < limit + config.streams - 1) & (limit > 0)

    def _drawn(self, logits: Tensor, rows: Tensor, slots: Tensor) -> Tensor:
        """[B, streams, vocabulary] -> [B, streams]"""
        logits = logits.float().masked_fill(self._barred, -torch.inf)
        if self._uniforms is None:
            return logits.argmax(-1)
        uniforms = self._uniforms[rows, slots].flatten()[:, None]
        return sample(logits.flatten(0, 1), uniforms, self._decoding.sampling).view(logits.shape[:2])


def barred(decoder: AudioDecoder) -> Tensor:
    """True where a stream may not say an id, [streams, vocabulary]: neither a code nor an end that counts."""
    c = decoder.config
    found = (torch.arange(c.vocabulary) >= c.codes).repeat(c.streams, 1)
    found[: 1 if c.end == "stream_0" else c.streams, c.special] = False
    return found
