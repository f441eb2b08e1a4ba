"""Tokens and money that may be spent, counted with what is under way."""

from __future__ import annotations

from threading import Lock

from harness.types import Usage


class Budget:
    """A request is begun only where its prompt as estimated and its longest answer still fit."""

    def __init__(self, max_tokens: int | None, max_cost: float | None, prices: tuple[float, float] | None) -> None:
        self._max_tokens, self._max_cost, self._prices = max_tokens, max_cost, prices or (0.0, 0.0)
        self.tokens, self.cost = 0, 0.0
        self._held: list[Usage] = []
        self._lock = Lock()

    def hold(self, usage: Usage) -> bool:
        """Set so much aside; False where that is more than is left."""
        with self._lock:
            if not self._within([*self._held, usage]):
                return False
            self._held.append(usage)
            return True

    def fits(self) -> bool:
        """Whether all that is set aside can still be spent."""
        with self._lock:
            return self._within(self._held)

    def release(self, usage: Usage) -> None:
        with self._lock:
            self._held.remove(usage)

    def spend(self, usage: Usage) -> None:
        with self._lock:
            self.tokens, self.cost = self.tokens + _tokens(usage), self.cost + self._price(usage)

    def told(self) -> str:
        """What was spent and what may be."""
        most = [f"max_tokens_total={self._max_tokens}"] if self._max_tokens is not None else []
        most += [f"max_cost={self._max_cost:g}"] if self._max_cost is not None else []
        cost = f" for {self.cost:.4g}" if self._max_cost is not None else ""
        return f"{self.tokens} tokens were taken{cost}; the next request does not fit into {', '.join(most)}"

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
