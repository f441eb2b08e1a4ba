"""How the next token is chosen, and when an answer ends.

Randomness comes from uniform numbers that are drawn before the loop, a table a row, so that a sampled answer does not
depend on what is decoded beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Sampling:
    """Temperature 0 is greedy.

    The repetition penalty divides the positive logits of tokens that the row has seen before and multiplies the
    negative ones, each once. Seen are the tokens that it has generated, and those of a prompt that is given as tokens.
    """

    temperature: float = 0.0
    top_k: int | None = None
    top_p: float | None = None
    repetition_penalty: float = 1.0

    def __post_init__(self) -> None:
        if not self.temperature >= 0 or not self.repetition_penalty > 0:
            raise ValueError(f"{self}: temperature must be at least 0 and repetition_penalty above 0")
        if (self.top_k is not None and self.top_k < 1) or (self.top_p is not None and not 0 < self.top_p <= 1):
            raise ValueError(f"{self}: top_k must be at least 1 and top_p above 0 and at most 1")


GREEDY = Sampling()


@dataclass(frozen=True)
class Decoding:
    """What rows side by side have in common. Stop tokens cannot be chosen before `min_new_tokens`."""

    max_new_tokens: int
    min_new_tokens: int = 0
    stop_ids: tuple[int, ...] = ()
    sampling: Sampling = GREEDY

    def __post_init__(self) -> None:
        if self.max_new_tokens < 1:
            raise ValueError(f"max_new_tokens is {self.max_new_tokens}: it must be at least 1")


class Chooser:
    """The tokens of `capacity` rows: chosen one at a time, changed in place and never read back to the host.

    `tokens` [rows, 1] are the last ones, `generated` [rows, limit] all of them, `count` [rows] how many; a row that has
    `ended` stays as it is.
    """

    def __init__(self, capacity: int, vocabulary: int, decoding: Decoding, device: torch.device) -> None:
        self._decoding = decoding
        limit = decoding.max_new_tokens + 1  # one place more, where rows that have ended write
        self.tokens = torch.zeros(capacity, 1, dtype=torch.long, device=device)
        self.generated = torch.zeros(capacity, limit, dtype=torch.long, device=device)
        self.count = torch.zeros(capacity, dtype=torch.long, device=device)
        self.ended = torch.ones(capacity, dtype=torch.bool, device=device)
        sampled = decoding.sampling.temperature > 0
        self._uniforms = torch.zeros(capacity, limit, device=device) if sampled else None
        self._stop = torch.tensor(sorted(decoding.stop_ids), dtype=torch.long, device=device)
        self._is_stop = torch.zeros(vocabulary, dtype=torch.bool, device=device).index_fill_(0, self._stop, True)
        penalises = decoding.sampling.repetition_penalty != 1.0
        self._seen = torch.zeros(capacity, vocabulary, dtype=torch.bool, device=device) if penalises else None

    def begin(self, rows: Tensor, seeds: Sequence[int], prompts: Sequence[Tensor] = ()) -> None:
        """Start answers in the rows [k]; `prompts` are their tokens, one [n] a row, where they are to be penalised."""
        self.count[rows], self.ended[rows] = 0, False
        if self._seen is not None:
            self._seen[rows] = False
            for row, ids in zip(rows, prompts, strict=False):
                self._seen[row, ids] = True
        if self._uniforms is not None:
            limit = self._decoding.max_new_tokens
            table = [torch.rand(limit, generator=torch.Generator().manual_seed(seed)) for seed in seeds]
            self._uniforms[rows, :limit] = torch.stack(table).to(self._uniforms.device)

    def choose(self, logits: Tensor, rows: Tensor) -> None:
        """Logits [k, V] -> the next token of each of the rows [k]."""
        logits, how = logits.float(), self._decoding
        count, ended = self.count[rows], self.ended[rows]
        if self._seen is not None:
            logits = penalised(logits, self._seen[rows], how.sampling.repetition_penalty)
        if how.min_new_tokens and len(self._stop):
            logits = logits.masked_fill(self._is_stop & (count < how.min_new_tokens)[:, None], -torch.inf)
        if self._uniforms is None:
            chosen = logits.argmax(-1)
        else:
            chosen = sample(logits, self._uniforms[rows, count][:, None], how.sampling)[:, 0]
        self.tokens[rows, 0] = chosen
        self.generated[rows, count] = chosen
        if self._seen is not None:
            self._seen[rows, chosen] = True
        self.count[rows] = count + (~ended).long()
        if len(self._stop):
            self.ended[rows] = ended | torch.isin(chosen, self._stop)

    def move(self, source: int, target: int) -> None:
        """Put a row, of which all that was generated has been read, in the place of another."""
        for tensor in (self.tokens, self.count, self.ended, self._uniforms, self._seen):
            if tensor is not None:
                tensor[target].copy_(tensor[source])


def penalised(logits: Tensor, seen: Tensor, penalty: float) -> Tensor:
    """Logits [B, V] with those of tokens that are `seen` [B, V] made less likely."""
    return torch.where(seen, torch.where(logits > 0, logits / penalty, logits * penalty), logits)


def sample(logits: Tensor, uniforms: Tensor, sampling: Sampling) -> Tensor:
    """Draw a token a row by inverting the cumulative distribution: [B, V], uniforms [B, 1] in 0..1 -> [B, 1].

    The distribution is taken in the order of the vocabulary. In that of likeness, two tokens that are nearly as likely
    as each other change places with the last bit of their logits, and with them every token that is drawn there.
    """
    probabilities = (logits / sampling.temperature).softmax(-1)
    if sampling.top_k is not None or sampling.top_p is not None:
        ordered, tokens = probabilities.sort(dim=-1, descending=True, stable=True)
        if sampling.top_k is not None:
            ordered[:, sampling.top_k :] = 0
        if sampling.top_p is not None:
            before = ordered.cumsum(-1) - ordered
            ordered = ordered.masked_fill(before >= sampling.top_p * ordered.sum(-1, keepdim=True), 0)
        probabilities = torch.zeros_like(probabilities).scatter(1, tokens, ordered)
    cumulative = probabilities.cumsum(-1)
    drawn = (cumulative <= uniforms * cumulative[:, -1:]).sum(-1, keepdim=True)
    places = torch.arange(probabilities.shape[1], device=probabilities.device)
    last = torch.where(probabilities > 0, places, 0).amax(-1, keepdim=True)  # rounding must not lead past it
    return torch.minimum(drawn, last)
