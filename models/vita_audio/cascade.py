"""Decoding with cascaded prediction modules: each token is made by the network that the mode names (spec section 2.1).

Rows begin together and are padded on the left, so that one slot number serves them all; a row's positions count from
its own first token. A turn, a call of the language model and those of the modules behind it, reads nothing back to the
host and keeps its shapes, so that on CUDA it is captured as one graph.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from models.decoding import Emission, Finish, until_stop
from models.nn.graphs import Step
from models.nn.llama import LayerCache, Rotary
from models.sampling import Chooser, Decoding
from models.vita_audio.language import MtpModel
from models.vita_audio.schedule import LLM, Call, Mode, turns

BLOCK = 1024
"""On an accelerator the visible part of the cache is rounded up to a multiple of this, because each size is a graph."""
ROOM = 512
"""Slots for an answer at first."""


@dataclass(frozen=True, eq=False)
class MtpPrompt:
    """Token ids [P]; `embeds` [P, D] is what the language model reads where that is more than the tokens' own
    embeddings. What is sampled follows the seed alone."""

    ids: Tensor
    embeds: Tensor | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if not len(self.ids):
            raise ValueError("a prompt without tokens cannot be decoded")


class Cascade:
    """The rows of one batch: tokens, caches of all networks and the states that wait for the modules, in place.

    A token's slot is its position in the longest row. Row j of a module, which reads the token at
    j + i + 1, has slot j. `graphs` are for CUDA alone.
    """

    def __init__(
        self,
        model: MtpModel,
        prompts: Sequence[MtpPrompt],
        decoding: Decoding,
        mode: Mode,
        graphs: bool = True,
    ) -> None:
        self._model, self._mode, self._graphs, self._prompts = model, mode, graphs, prompts
        device, lengths = model.device, [len(prompt.ids) for prompt in prompts]
        self.prompt = max(lengths)
        self._padded = min(lengths) < self.prompt
        self._offsets = torch.tensor([self.prompt - length for length in lengths], device=device)  # [B]
        self._rows = torch.arange(len(prompts), device=device)
        self._time = torch.zeros((), dtype=torch.long, device=device)  # tokens made so far
        self._embeds = self._prompt_embeds(prompts)
        slots = _rounded(self.prompt + min(decoding.max_new_tokens, ROOM), BLOCK if device.type == "cuda" else 1)
        heads, config = model.config.num_key_value_heads, model.config
        like = self._embeds
        # Zeros, because a slot that is masked but not a number would still spoil the weighted sum.
        shape = (len(prompts), heads, slots, config.head_dim)
        self._keys = [like.new_zeros(shape) for _ in range(config.num_hidden_layers)]
        self._values = [like.new_zeros(shape) for _ in range(config.num_hidden_layers)]
        waiting = config.modules if mode.uses_modules else 0
        self._states = [like.new_zeros(len(prompts), slots, config.hidden_size) for _ in range(waiting)]
        self.ids = torch.zeros(len(prompts), slots, dtype=torch.long, device=device)
        self.ids[:, : self.prompt] = _left_padded([prompt.ids.to(device) for prompt in prompts])
        self._chosen = Chooser(len(prompts), config.vocab_size, decoding, device)
        self.rewind()
        self.logits = like.new_zeros(len(prompts), config.vocab_size, dtype=torch.float32)  # of the last call
        self._turn: tuple[Call, ...] = ()
        self._visible = 0
        self._step = Step(self._run, device, graphs)

    def rewind(self) -> None:
        """Back to before the first token, all in its place, so that what was captured serves again."""
        self._time.zero_()
        ids = [prompt.ids.to(self._rows.device) for prompt in self._prompts]
        self._chosen.begin(self._rows, [prompt.seed for prompt in self._prompts], ids)

    def take(self, turn: tuple[Call, ...], made: int) -> None:
        """Make the tokens of a turn, after `made` others."""
        end = self.prompt + made + len(turn)
        if end > self.ids.shape[1]:
            self._grow(max(end, self.ids.shape[1] * 3 // 2))
        cuda = self._model.device.type == "cuda"
        self._turn = turn
        self._visible = min(_rounded(end, BLOCK), self.ids.shape[1]) if cuda else 0
        self._step((turn, self._visible))

    def _run(self) -> None:
        for call in self._turn:
            hidden = self._llm(call) if call.source == LLM else self._module(call)
            logits = self._model.lm_head(hidden[:, -1])  # [B, V]
            self.logits.copy_(logits)
            self._chosen.choose(logits, self._rows)
            self.ids.index_copy_(1, (self._time + self.prompt)[None], self._chosen.tokens)
            self._time += 1

    def _llm(self, call: Call) -> Tensor:
        """All tokens that the language model has not read yet: their states [B, new, D]."""
        count = call.new + (self.prompt if call.first else 0)
        slots = self._last(count, 0)
        embeds = self._embeds if call.first else self._model.embed(self.ids.index_select(1, slots))
        tables, mask, visible = self._places(slots, 0)
        layers = range(self._model.config.llm_layers)
        hidden = self._model.llm(embeds, tables, mask, [self._cache(layer, slots, visible) for layer in layers])
        if self._states:
            self._states[0].index_copy_(1, slots, hidden)
        return hidden

    def _module(self, call: Call) -> Tensor:
        """All rows that a module has not read yet: their states [B, new, D]."""
        index, count = call.source, call.new + (self.prompt if call.first else 0)
        slots = self._last(count, index + 1)
        embeds = self._model.embed(self.ids.index_select(1, slots + index + 1))
        tables, mask, visible = self._places(slots, index + 1)
        cache = self._cache(self._model.config.llm_layers + index, slots, visible)
        states = self._states[index].index_select(1, slots)
        hidden = self._model.module(index, embeds, states, tables, mask, cache)
        if index + 1 < len(self._states):
            self._states[index + 1].index_copy_(1, slots, hidden)
        return hidden

    def _last(self, count: int, behind: int) -> Tensor:
        """The last `count` slots [count], of which the last is `behind` the last token's."""
        return torch.arange(self.prompt - behind - count, self.prompt - behind, device=self._rows.device) + self._time

    def _places(self, slots: Tensor, shift: int) -> tuple[Rotary, Tensor | None, int]:
        """Rotary tables, mask and number of visible slots of rows whose positions are their slots plus `shift`."""
        visible = self._visible or int(slots[-1]) + 1
        if not self._padded:
            mask = None if len(slots) == 1 and not self._visible else self._numbers(visible) <= slots[:, None]
            return self._model.tables(slots + shift), mask, visible
        keys, offsets = self._numbers(visible), self._offsets[:, None, None]
        # Padding sees itself, so that its states are numbers too.
        mask = (keys <= slots[:, None]) & ((keys >= offsets) | (keys == slots[:, None]))  # [B, T, visible]
        positions = (slots - self._offsets[:, None]).clamp_min(0) + shift  # [B, T]
        return self._model.tables(positions), mask[:, None], visible

    def _numbers(self, visible: int) -> Tensor:
        return torch.arange(visible, device=self._rows.device)

    def _cache(self, layer: int, slots: Tensor, visible: int) -> LayerCache:
        return LayerCache(self._keys[layer], self._values[layer], slots, visible)

    def _prompt_embeds(self, prompts: Sequence[MtpPrompt]) -> Tensor:
        """[B, P, D]"""
        device, dtype = self._model.device, self._model.dtype
        rows = [
            self._model.embed(p.ids.to(device)) if p.embeds is None else p.embeds.to(device, dtype) for p in prompts
        ]
        return _left_padded(rows)

    def _grow(self, slots: int) -> None:
        """Make room for longer rows; the tensors get new places, which makes graphs of the old ones useless."""
        slots = _rounded(slots, BLOCK if self._model.device.type == "cuda" else 1)
        for tensors, dim in ((self._keys, 2), (self._values, 2), (self._states, 1)):
            for index, old in enumerate(tensors):
                tensors[index] = _longer(old, dim, slots)
        self.ids = _longer(self.ids, 1, slots)
        self._step = Step(self._run, self._model.device, self._graphs)


class CascadeDecode:
    """Iterating decodes prompts side by side and yields their tokens as they are read: on an accelerator a turn at a
    time, else one by one. Every prompt's last emission says how it finished, unless it is ended by `end`."""

    def __init__(
        self,
        model: MtpModel,
        prompts: Sequence[MtpPrompt],
        decoding: Decoding,
        mode: Mode,
        graphs: bool = True,
    ) -> None:
        self._model, self._prompts, self._decoding, self._mode = model, prompts, decoding, mode
        self._graphs = graphs
        self._open = set(range(len(prompts)))

    def end(self, number: int) -> None:
        """Decode a prompt no further; nothing more is emitted of it."""
        self._open.discard(number)

    @torch.inference_mode()
    def __iter__(self) -> Iterator[Emission]:
        limit, made = self._decoding.max_new_tokens, 0
        table = Cascade(self._model, self._prompts, self._decoding, self._mode, self._graphs)
        for turn in self._turns():
            table.take(turn, made)
            start, made = made, made + len(turn)
            tokens = table.ids[:, table.prompt + start : table.prompt + made].tolist()
            now = time.monotonic()
            for number in sorted(self._open):
                ids, stopped = until_stop(tokens[number], self._decoding.stop_ids)
                finish: Finish | None = stopped or ("length" if made == limit else None)
                if finish is not None:
                    self._open.discard(number)
                yield Emission(number, ids, now, finish)
            if not self._open:
                return

    def _turns(self) -> Iterator[tuple[Call, ...]]:
        planned = turns(self._mode, self._model.config.modules, self._decoding.max_new_tokens)
        if self._model.device.type == "cuda":
            return planned
        return ((call,) for turn in planned for call in turn)


def decode(model: MtpModel, prompts: Sequence[MtpPrompt], decoding: Decoding, mode: Mode) -> list[list[int]]:
    """The answers' token ids, stop tokens left out."""
    answers: list[list[int]] = [[] for _ in prompts]
    for emission in CascadeDecode(model, prompts, decoding, mode):
        answers[emission.row] += emission.ids
    return answers


def _left_padded(rows: Sequence[Tensor]) -> Tensor:
    """[n, ...] each -> [B, longest, ...], zeros in front."""
    return pad_sequence([row.flip(0) for row in rows], batch_first=True).flip(1)


def _longer(old: Tensor, dim: int, size: int) -> Tensor:
    shape = list(old.shape)
    shape[dim] = size
    new = old.new_zeros(shape)
    new.narrow(dim, 0, old.shape[dim]).copy_(old)
    return new


def _rounded(length: int, block: int) -> int:
    return -(-length // block) * block
