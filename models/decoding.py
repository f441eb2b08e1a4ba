"""One decode loop for every language model here: rows that finish leave, waiting prompts take their places.

A greedy answer in float32 is the same alone, in a batch of any size, and whoever comes and goes beside it; so is a
sampled one, which follows its own seed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from models.rows import BLOCK, CausalLM, Prompt, Rows
from models.sampling import Decoding, Sampling

__all__ = ["BLOCK", "Decode", "Decoded", "Decoding", "Emission", "Prompt", "Sampling", "decode"]

Finish = Literal["stop", "length"]
Supply = Callable[[int], Sequence[Prompt]]
"""Gives the next prompts, as many as asked for; fewer mean that there are no more."""

READ_EVERY_ON_DEVICE = 8
"""Steps between reads on an accelerator, where a read makes the host wait."""


class Emission(NamedTuple):
    """New tokens of one prompt, the stop token left out."""

    row: int  # number of the prompt, in the order in which they were supplied
    ids: list[int]
    time: float  # time.monotonic() when they were read
    finish: Finish | None  # set on the prompt's last emission


class Decoded(NamedTuple):
    ids: list[int]
    first_token: float  # time.monotonic()
    end: float
    finish: Finish


@dataclass
class _Row:
    """What the host knows of a row. `count` is ahead of the device where a stop token has not been read yet."""

    number: int
    length: int
    count: int = 1
    read: int = 0
    over: bool = False


class Decode:
    """Iterating decodes what `supply` gives, at most `rows` prompts side by side, and yields tokens as they are read.

    Every prompt's last emission says how it finished, unless it is ended by `end`.
    """

    def __init__(
        self,
        lm: CausalLM,
        supply: Supply,
        rows: int,
        decoding: Decoding,
        read_every: int | None = None,
        keep_states: bool = False,
    ) -> None:
        if rows < 1:
            raise ValueError(f"{rows} rows: there must be at least one")
        self._lm, self._supply, self._capacity, self._decoding = lm, supply, rows, decoding
        self._read_every, self._keep_states = read_every, keep_states
        self._table: Rows | None = None
        self._rows: list[_Row] = []
        self._supplied = 0

    def end(self, number: int) -> None:
        """Decode a prompt no further; nothing more is emitted of it."""
        for row in self._rows:
            row.over |= row.number == number

    def states(self, number: int) -> Tensor:
        """The last states, after the norm, of a prompt's tokens so far [n, D], with `keep_states` and before the next
        emission: of all but the newest, which the model has not read; of one that stopped, of all."""
        if self._table is None or self._table.states is None:
            raise ValueError("states are there once decoding has begun, with keep_states")
        place = next(place for place, row in enumerate(self._rows) if row.number == number)
        return self._table.states[place, : self._rows[place].count - 1]

    @torch.inference_mode()
    def __iter__(self) -> Iterator[Emission]:
        prompts = self._supply(self._capacity)
        if not prompts:
            return
        more = len(prompts) == self._capacity
        like = prompts[0].embeds
        longest = max(len(prompt.embeds) for prompt in prompts)
        self._table = table = Rows(self._lm, len(prompts), longest, self._decoding, like, self._keep_states)
        every = self._read_every or (1 if like.device.type == "cpu" else READ_EVERY_ON_DEVICE)
        self._join(table, prompts)
        steps = 0
        while True:
            yield from self._read(table)
            while more and (free := sum(row.over for row in self._rows)):
                prompts = self._supply(free)
                more = len(prompts) == free
                if prompts:
                    self._join(table, prompts)
                    yield from self._read(table)
            if all(row.over for row in self._rows):
                return
            self._close_up(table)
            for _ in range(every):
                steps += 1
                self._advance(table, level=every == 1)
                if any(row.count == self._decoding.max_new_tokens for row in self._rows if not row.over):
                    break

    def _join(self, table: Rows, prompts: Sequence[Prompt]) -> None:
        places = [place for place, row in enumerate(self._rows) if row.over][: len(prompts)]
        places += range(len(self._rows), len(self._rows) + len(prompts) - len(places))
        for place, prompt in zip(places, prompts, strict=True):
            self._rows[place : place + 1] = [_Row(self._supplied, len(prompt.embeds))]
            self._supplied += 1
        table.join(prompts, places)

    def _advance(self, table: Rows, level: bool) -> None:
        lengths = {row.length + row.count for row in self._rows}
        table.step(len(self._rows), max(lengths), level and len(lengths) == 1 and table.device.type == "cpu")
        for row in self._rows:
            if not row.over:
                row.count += 1

    def _read(self, table: Rows) -> Iterator[Emission]:
        waiting = [row for row in self._rows if not row.over and row.count > row.read]
        if not waiting:
            return
        width = max(row.count - row.read for row in waiting)
        tokens = table.newest(len(self._rows), [row.read for row in self._rows], width)
        now = time.monotonic()
        for row, new in zip(self._rows, tokens, strict=True):
            if row.over or row.count == row.read:
                continue
            ids, finish = until_stop(new[: row.count - row.read], self._decoding.stop_ids)
            row.read = row.count
            if finish is None and row.count == self._decoding.max_new_tokens:
                finish = "length"
            row.over = finish is not None
            yield Emission(row.number, ids, now, finish)

    def _close_up(self, table: Rows) -> None:
        """Let the rows that go on stand first and drop the others. On an accelerator, where each number of rows is a
        graph of its own, only when half of them are over."""
        going = sum(not row.over for row in self._rows)
        if table.device.type != "cpu" and 2 * going > len(self._rows):
            table.chosen.ended[[place for place, row in enumerate(self._rows) if row.over]] = True
            return
        for target in range(going):
            if self._rows[target].over:
                source = next(place for place in range(going, len(self._rows)) if not self._rows[place].over)
                table.move(source, target)
                self._rows[target], self._rows[source] = self._rows[source], self._rows[target]
        del self._rows[going:]


def decode(
    lm: CausalLM,
    inputs_embeds: Tensor,
    attention_mask: Tensor,
    max_new_tokens: int,
    stop_ids: Sequence[int] = (),
    sampling: Sampling | None = None,
    seeds: Sequence[int] | None = None,
    min_new_tokens: int = 0,
    rows: int | None = None,
    read_every: int | None = None,
) -> list[Decoded]:
    """What each prompt is answered, and when.

    inputs_embeds [B, S, D] with attention_mask [B, S] (true on what is not padding; on which side it stands does not
    matter); `rows` prompts side by side, by default all. Raises ValueError on a prompt without tokens.
    """
    how = Decoding(max_new_tokens, min_new_tokens, tuple(stop_ids), sampling or Sampling())
    seeds = seeds if seeds is not None else range(len(inputs_embeds))
    masked = zip(inputs_embeds, attention_mask.bool(), seeds, strict=True)
    prompts = iter([Prompt(embeds[mask], seed) for embeds, mask, seed in masked])
    return collect(Decode(lm, supplier(prompts), rows or len(inputs_embeds), how, read_every))


def supplier(prompts: Iterator[Prompt]) -> Supply:
    """Prompts from an iterator, as many as asked for."""
    return lambda count: list(islice(prompts, count))


def collect(emissions: Iterable[Emission]) -> list[Decoded]:
    """Emissions by prompt, in the order in which the prompts were supplied."""
    found: dict[int, Decoded] = {}
    for emission in emissions:
        before = found.get(emission.row) or Decoded([], emission.time, emission.time, "length")
        finish = emission.finish or before.finish
        found[emission.row] = Decoded(before.ids + emission.ids, before.first_token, emission.time, finish)
    return [found[number] for number in sorted(found)]


class Cut(NamedTuple):
    ids: list[int]
    finish: Finish | None


def until_stop(ids: list[int], stop_ids: Sequence[int]) -> Cut:
    for index, token in enumerate(ids):
        if token in stop_ids:
            return Cut(ids[:index], "stop")
    return Cut(ids, None)
