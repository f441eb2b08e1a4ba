"""What decoding with prediction modules has to read from memory: the limit of every mode's speed.

One call reads the weights of its network once, however many rows it takes in, and the keys and values of all rows so
far. Rows of the embedding, activations, and what is written are left out: below a thousandth of it at 7B.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain, islice, repeat
from typing import NamedTuple

from models.vita_audio.config import MtpConfig
from models.vita_audio.schedule import BALANCE, BOOST, LLM, TURBO, Call, Mode, calls


class Moved(NamedTuple):
    """Bytes read, apart by what they are of."""

    layers: int = 0  # of the language model, its norms too
    modules: int = 0  # each with its layer, projection and norms
    head: int = 0
    cache: int = 0  # keys and values

    @property
    def total(self) -> int:
        return sum(self)

    @property
    def shares(self) -> dict[str, float]:
        """Of the weights: what layers, modules and head have in them, together 1."""
        weights = self.layers + self.modules + self.head
        return {name: getattr(self, name) / weights for name in ("layers", "modules", "head")}


def layer_parameters(config: MtpConfig) -> int:
    """Of one Qwen2 block: attention with biases on q, k and v, SwiGLU, two norms."""
    width, kv = config.hidden_size, config.num_key_value_heads * config.head_dim
    attention = 2 * width * width + width + 2 * (kv * width + kv)
    return attention + 3 * width * config.intermediate_size + 2 * width


def moved_by(config: MtpConfig, call: Call, rows: int, itemsize: int) -> Moved:
    """Read by one call that ends with `rows` rows in the cache of its network, `itemsize` bytes a number."""
    width, layer = config.hidden_size, layer_parameters(config)
    a_row = 2 * config.num_key_value_heads * config.head_dim * itemsize  # of one layer
    head = config.vocab_size * width * itemsize
    if call.source == LLM:
        layers = (config.llm_layers * layer + width) * itemsize
        return Moved(layers=layers, head=head, cache=config.llm_layers * rows * a_row)
    module = layer + 2 * width * width + 3 * width  # the final norm is the third
    return Moved(modules=module * itemsize, head=head, cache=rows * a_row)


def moved(config: MtpConfig, mode: Mode, prompt: int, tokens: int, itemsize: int) -> Moved:
    """Read while `tokens` are made behind a prompt of `prompt` tokens, prefill included."""
    planned = islice(calls(mode, config.modules), tokens)
    # Before token t there are prompt + t tokens: as many rows in the language model, i + 1 fewer in module i.
    return _sum(moved_by(config, call, prompt + t - 1 - call.source, itemsize) for t, call in enumerate(planned))


def cycle(config: MtpConfig, mode: Mode, itemsize: int) -> tuple[int, Moved]:
    """Tokens of the pair that a mode repeats, one without modules, and the weights that it reads for them; no cache."""
    length = sum(mode.pairs[-1]) if mode.pairs[-1][1] else 1
    before = sum(main + more for main, more in mode.pairs[:-1])
    planned = islice(calls(mode, config.modules), before, before + length)
    return length, _sum(moved_by(config, call, 0, itemsize) for call in planned)


def speed_limit(config: MtpConfig, mode: Mode, other: Mode, prompt: int, tokens: int, itemsize: int) -> float:
    """How much faster a mode can be than another where bytes alone count."""
    theirs = moved(config, other, prompt, tokens, itemsize).total
    return theirs / moved(config, mode, prompt, tokens, itemsize).total


def first_chunk(mode: Mode, codes: int = 8) -> int:
    """Tokens until the first audio segment closes with which there are `codes` codes (spec sections 3 and 4).

    What counts is the pattern that the mode's model is trained for: Balance's for Vanilla, Boost's for Turbo, else the
    mode's own pairs of text and audio, of which the tags at both ends are audio. Raises ValueError where it has no end.
    """
    trained = BALANCE if not mode.uses_modules else BOOST if mode == TURBO else mode
    pairs = trained.pairs
    if pairs[-1][1] <= 2 and sum(max(audio - 2, 0) for _, audio in pairs) < codes:
        raise ValueError(f"the mode {mode} never comes to {codes} codes")
    made = tokens = 0
    for text, audio in chain(pairs, repeat(pairs[-1])):
        tokens, made = tokens + text + audio, made + max(audio - 2, 0)
        if made >= codes:
            break
    return tokens


def _sum(parts: Iterable[Moved]) -> Moved:
    return Moved(*(sum(column) for column in zip(*parts, strict=True)))
