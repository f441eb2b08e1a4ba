"""Tokens and money that may be spent, counted with what is under way."""

from __future__ import annotations

import math
from threading import Lock

from harness.types import Usage


class Budget:
    """A request is begun only where its prompt and its longest answer still fit.

    How long prompts are is estimated, by the most that any took of its estimate so far: where a limit is set, nothing
    is asked beside the first request, whose reply tells that.
    """

    def __init__(self, max_tokens: int | None, max_cost: float | None, prices: tuple[float, float] | None) -> None:
        self._max_tokens, self._max_cost, self._prices = max_tokens, max_cost, prices or (0.0, 0.0)
        self.tokens, self.cost = 0, 0.0
        self._held: list[Usage] = []
        self._limited = max_tokens is not None or max_cost is not None
        self._scale = 1.0
        self._told = False
        self._refused: Usage | None = None
        """What the last request would have had set aside, for which too little is left."""
        self._lock = Lock()

    def hold(self, prompt: int, longest: int) -> Usage | None:
        """What is set aside for a prompt of about so many tokens and its answer; None where less is left."""
        with self._lock:
            usage = Usage(math.ceil(prompt * self._scale), longest)
            if not self._within([*self._held, usage]):
                self._refused = usage
                return None
            if self._limited and self._held and not self._told:
                return None
            self._held.append(usage)
            return usage

    def fits(self) -> bool:
        """Whether all that is set aside can still be spent."""
        with self._lock:
            return self._within(self._held)

    def release(self, usage: Usage) -> None:
        with self._lock:
            self._held.remove(usage)

    def spend(self, usage: Usage, prompt: int) -> None:
        """Count what a reply took, to a prompt that was estimated to have `prompt` tokens."""
        with self._lock:
            self._told = True
            self._scale = max(self._scale, usage.prompt_tokens / max(1, prompt))
            self.tokens, self.cost = self.tokens + _tokens(usage), self.cost + self._price(usage)

    def told(self) -> str:
        """What was spent and what may be."""
        most = [f"max_tokens_total={self._max_tokens}"] if self._max_tokens is not None else []
        most += [f"max_cost={self._max_cost:g}"] if self._max_cost is not None else []
        cost = f" for {self.cost:.4g}" if self._max_cost is not None else ""
        may = ""
        if self._refused is not None:
            price = f" for {self._price(self._refused):.4g}" if self._max_cost is not None else ""
            may = f", which may take {_tokens(self._refused)} tokens{price},"
        return f"{self.tokens} tokens were taken{cost}; the next request{may} does not fit into {', '.join(most)}"

    def _within(self, held: list[Usage]) -> bool:
        tokens = self.tokens + sum(map(_tokens, held))
        cost = self.cost + sum(map(self._price, held))
        return (self._max_tokens is None or tokens <= self._max_tokens) and (
            self._max_cost is None or cost <= self._max_cost
        )

    def _price(self, usage: Usage) -> float:
        read, written = self._prices
        return (usage.prompt_tokens * read + (usage.new_tokens + usage.speech_tokens) * written) / 1e6


def _tokens(usage: Usage) -> int:
    return usage.prompt_tokens + usage.new_tokens + usage.speech_tokens
