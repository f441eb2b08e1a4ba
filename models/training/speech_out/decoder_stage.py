"""Stage 3.2: the NAR and AR decoders learn to say texts in codes; the language model gives its input embeddings only.

Cross-entropy on the codes and the end (paper, section 3.3; spec section 5.2). Some of the codes that the decoder
hears of itself are wrong ones, so that one slip when it speaks does not lead to the next.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from models.training.loop import Settings
from models.training.recipes import Stage
from models.vita15.speech_decoder import SpeechDecoder

SETTINGS = Settings(weight_decay=0.02)
MISHEARD, AT_FIRST, LEARNT = 0.08, 0.6, 0.8
"""Share of the codes that the decoder hears wrong in training; of a row up to AT_FIRST at the start, which falls until
LEARNT of the steps. Who hears most of a word can go on without the text, which decides little but its first code; who
hears half of it has to read."""
AVERAGE = 64
"""Codes of a reading: a batch of n holds as many as n such readings, so that short ones come in larger batches."""
SPAN = 8
"""Codes that are heard wrong in one go, on average: in a word that is heard whole, its codes tell how it goes on and
where one is in the text."""
REACH, GROWN = 0.4, 0.4
"""Share of the readings, the shortest, that the first batches are of, and of the steps until they are of all: which
word stands for which sounds is learnt from words alone, where there is nothing to find."""


class Coded(NamedTuple):
    """A text and the codes [T] of its reading, int64."""

    text: str
    codes: Tensor


class DecoderBatch(NamedTuple):
    """Rows padded on the right."""

    tokens: Tensor  # int64 [B, n]: of the language model
    token_lengths: Tensor  # int64 [B]
    codes: Tensor  # int64 [B, T]: what is to be said
    code_lengths: Tensor  # int64 [B]
    heard: Tensor  # int64 [B, T]: what the decoder hears of it
    blank: bool = False
    """Embeddings of zeros in place of the tokens'."""


def collate(tokens: Sequence[Tensor], codes: Sequence[Tensor], heard: Sequence[Tensor]) -> DecoderBatch:
    """Rows of tokens [n], codes [T] and what is heard of them [T]."""
    return DecoderBatch(
        pad_sequence(list(tokens), batch_first=True),
        torch.tensor([len(row) for row in tokens]),
        pad_sequence(list(codes), batch_first=True),
        torch.tensor([len(row) for row in codes]),
        pad_sequence(list(heard), batch_first=True),
    )


class DecoderBatches:
    """Texts of nearly one length side by side. A function of stage, seed and number. `origin`: of the codes."""

    def __init__(
        self,
        made: Sequence[Coded],
        tokenize: Callable[[str], list[int]],
        entries: int,
        size: int,
        steps: int,
        seed: int,
        origin: str,
    ) -> None:
        ordered = sorted(made, key=lambda one: (len(one.codes), one.text))
        self.rows = [(torch.tensor(tokenize(one.text)), one.codes) for one in ordered]
        self.entries, self.size, self.steps, self.seed, self.origin = entries, size, steps, seed, origin

    @property
    def recipe(self) -> str:
        """What its batches follow, beside the stage."""
        return f"{len(self.rows)} readings {self.origin}, {self.size} a batch, seed {self.seed}"

    def __call__(self, number: int) -> DecoderBatch:
        rng = random.Random(f"decoder {self.seed} {number}")
        share = min(1.0, REACH + (1 - REACH) * number / (GROWN * self.steps))
        last = rng.randrange(max(1, round(share * len(self.rows))))
        size = max(1, self.size * AVERAGE // (1 + len(self.rows[last][1])))
        tokens, codes = zip(*self.rows[max(0, last + 1 - size) : last + 1], strict=True)
        generator = torch.Generator().manual_seed(rng.getrandbits(60))
        most = max(MISHEARD, AT_FIRST * (1 - number / (LEARNT * self.steps)))
        shares = [rng.uniform(0, 2 * MISHEARD if most == MISHEARD else most) for _ in codes]
        heard = [misheard(row, self.entries, share, generator) for row, share in zip(codes, shares, strict=True)]
        return collate(tokens, codes, heard)

    def as_they_are(self) -> list[DecoderBatch]:
        """All rows once, heard right."""
        parts = [self.rows[first : first + self.size] for first in range(0, len(self.rows), self.size)]
        rows = [tuple(zip(*part, strict=True)) for part in parts]
        return [collate(tokens, codes, codes) for tokens, codes in rows]


def misheard(codes: Tensor, entries: int, share: float, generator: torch.Generator) -> Tensor:
    """Codes [T] of which about a share, in spans that may be as long as words, is replaced by any of `entries`."""
    begin = torch.rand(codes.shape, generator=generator) < -math.log1p(-min(share, 0.999)) / SPAN
    lengths = torch.randint(1, 2 * SPAN, codes.shape, generator=generator)
    places = torch.arange(len(codes))
    last = torch.where(begin, places + lengths, 0).cummax(0).values  # where the spans that have begun end
    return torch.where(places < last, torch.randint(entries, codes.shape, generator=generator), codes)


class DecoderLearner(nn.Module):
    """The speech decoder beside the frozen input embeddings [V, D] of a language model."""

    embeddings: Tensor

    def __init__(self, decoder: SpeechDecoder, embeddings: Tensor, stage: Stage) -> None:
        super().__init__()
        self.decoder, self.stage = decoder, stage
        self.register_buffer("embeddings", embeddings.detach().float().clone(), persistent=False)

    @property
    def device(self) -> torch.device:
        return self.embeddings.device

    def trained(self) -> dict[str, nn.Parameter]:
        """All of the decoder, by its names there."""
        return dict(self.decoder.named_parameters())

    def rate_of(self, name: str) -> float:
        """One for all."""
        return 1.0

    def forward(self, batch: DecoderBatch) -> Tensor:
        """Mean cross-entropy of codes and ends, a scalar."""
        words = self.embeddings[batch.tokens.to(self.device)]
        text = self.decoder.fold(torch.zeros_like(words) if batch.blank else words)
        vectors = batch.token_lengths.to(self.device) * (text.shape[1] // words.shape[1])
        codes, lengths = batch.codes.to(self.device), batch.code_lengths.to(self.device)
        found = self.decoder.teacher_loss(text, vectors, codes, lengths, heard=batch.heard.to(self.device))
        return found.total / found.targets
