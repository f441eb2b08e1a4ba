"""Which network makes which token: the decoding modes of VITA-Audio (spec sections 2.1 and 3).

A mode is a list of pairs (tokens of the language model, tokens of the modules); when it is used up, its last pair goes
on for ever. Nothing depends on what is generated, so that a whole answer is planned before its first token.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice, repeat
from typing import NamedTuple

LLM = -1
"""The language model as a source of tokens; a module is its number, from 0."""

EXAMPLE = "vanilla, balance, boost, turbo, or pairs such as 1,4,3,8"


@dataclass(frozen=True)
class Mode:
    """`pairs` of (tokens of the language model, at least 1; tokens of the modules, at least 0)."""

    pairs: tuple[tuple[int, int], ...]

    def __post_init__(self) -> None:
        if not self.pairs or any(main < 1 or more < 0 for main, more in self.pairs):
            raise ValueError(f"a decoding mode of {self.pairs}: each pair starts with at least one token of the LLM")

    @classmethod
    def of(cls, numbers: tuple[int, ...] | list[int]) -> Mode:
        """From a list as in `mtp_inference_mode`. Raises ValueError."""
        whole = all(isinstance(number, int) and not isinstance(number, bool) for number in numbers)
        if not whole or not numbers or len(numbers) % 2:
            raise ValueError(f"a decoding mode of {list(numbers)}: expected an even number of whole numbers")
        return cls(tuple(zip(numbers[::2], numbers[1::2], strict=True)))

    @property
    def numbers(self) -> list[int]:
        return list(chain.from_iterable(self.pairs))

    @property
    def uses_modules(self) -> bool:
        return any(more for _, more in self.pairs)

    def __str__(self) -> str:
        return next((name for name, mode in MODES.items() if mode == self), ",".join(map(str, self.numbers)))


VANILLA = Mode.of([8192, 0])
BALANCE = Mode.of([1, 4, 3, 8, 4, 10])
BOOST = Mode.of([1, 10, 4, 10])
TURBO = Mode.of([1, 10])
MODES = {"vanilla": VANILLA, "balance": BALANCE, "boost": BOOST, "turbo": TURBO}


def parse_mode(text: str) -> Mode:
    """A mode's name, or its numbers with commas. Raises ValueError that lists the names."""
    named = MODES.get(text.strip().lower())
    if named is not None:
        return named
    try:
        return Mode.of([_whole(piece) for piece in text.strip(" []").split(",")])
    except ValueError as error:
        raise ValueError(f"no decoding mode {text!r}: expected {EXAMPLE}") from error


def _whole(text: str) -> int:
    if not re.fullmatch(r"\s*[0-9]+\s*", text, re.ASCII):
        raise ValueError(f"{text!r} is no whole number")
    return int(text)


def sources(mode: Mode, modules: int) -> Iterator[int]:
    """The source of each token, LLM or the number of a module, without end.

    Where a mode asks for more tokens of modules in a row than there are modules, the language model makes the next
    one and the modules start again at the first.
    """
    following = 0  # module that comes next
    for main, more in chain(mode.pairs[:-1], repeat(mode.pairs[-1])):
        for _ in range(main):
            yield LLM
        following = 0
        for _ in range(more):
            if following < modules:
                yield following
                following += 1
            else:
                yield LLM
                following = 0


class Call(NamedTuple):
    """One pass of one network: it takes in the last `new` of its rows, the whole prompt's where `first`."""

    source: int
    new: int
    first: bool


def calls(mode: Mode, modules: int) -> Iterator[Call]:
    """A call a token, without end. A network takes in all that was made since it was last called.

    With a prompt of P tokens, a first call at token t has P + t rows in the language model and P + t - 1 - i in
    module i: `new` is then what comes on top of P.
    """
    last: dict[int, int] = {}  # source -> token of its last call
    for token, source in enumerate(sources(mode, modules)):
        first = source not in last
        since = token if source == LLM else token - 1 - source
        yield Call(source, since if first else token - last[source], first)
        last[source] = token


def turns(mode: Mode, modules: int, tokens: int) -> Iterator[tuple[Call, ...]]:
    """The first `tokens` calls, each turn a call of the language model and those of the modules behind it."""
    turn: list[Call] = []
    for call in islice(calls(mode, modules), tokens):
        if call.source == LLM and turn:
            yield tuple(turn)
            turn = []
        turn.append(call)
    if turn:
        yield tuple(turn)
