"""Stage 3.1: the codec, from random weights, in three phases.

First without a codebook, so that there are features to make one of; then through the codebook that k-means finds in
them; then the generator alone against discriminators. The first two ask for mel spectra only, so that a code means a
sound and not where in a wave it starts, and can be told from text. There is one voice: its global tokens are fixed
and their entries learnt.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.training.loop import Settings
from models.training.speech_out.codebooks import k_means, quantise
from models.training.speech_out.discriminators import Discriminators, fooling_loss, matching_loss, telling_loss
from models.training.speech_out.readings import Reading, as_tensor
from models.training.speech_out.spectra import mel_loss
from models.vita15.codec import Codec

SETTINGS = Settings(betas=(0.8, 0.99), weight_decay=0.0, clip=5.0, floor=0.05)
WINDOW, MARGIN = 24, 2  # tokens
"""What of a reading is made into sound again, and how much of it at an inner end is given: there the generator does
not know what is before or behind."""
COMMITMENT, REVIVAL = 0.25, 0.02
CODEBOOK, FOOLING, MATCHING = 1.0, 0.05, 0.1
"""Weights beside the mel loss, which is about 0.3; the discriminators' own loss moves nothing else."""
CODEBOOK_READINGS = 600
"""For k-means."""


@dataclass(frozen=True)
class Phase:
    name: str
    share: float
    """Of the stage's steps."""
    learning_rate: float
    codebook: bool = True
    adversarial: bool = False


PHASES = (
    Phase("features", 0.25, 1.5e-3, codebook=False),
    Phase("codes", 0.5, 1e-3),
    Phase("adversarial", 0.25, 3e-4, adversarial=True),
)


def steps_of(phase: Phase, steps: int) -> int:
    """The phases' steps add up to `steps`."""
    place = PHASES.index(phase)
    ends = [round(steps * sum(one.share for one in PHASES[:n])) for n in (place, place + 1)]
    return ends[1] - ends[0]


class CodecBatch(NamedTuple):
    waves: Tensor  # [B, tokens * hop]
    starts: Tensor  # int64 [B]: the first token of each window


class CodecBatches:
    """Readings of nearly one length side by side, cut to the shortest. A function of phase, seed and number."""

    def __init__(self, readings: Sequence[Reading], hop: int, size: int, seed: int, phase: str) -> None:
        self.waves = [reading.wave for reading in sorted(readings, key=lambda one: (len(one.wave), one.text))]
        self.hop, self.size, self.seed, self.phase = hop, size, seed, phase

    @property
    def recipe(self) -> str:
        """What its batches follow, beside the phase."""
        return f"{len(self.waves)} readings, {self.size} a batch, seed {self.seed}"

    def __call__(self, number: int) -> CodecBatch:
        rng = random.Random(f"codec {self.phase} {self.seed} {number}")
        first = rng.randrange(max(1, len(self.waves) - self.size + 1))
        waves = self.waves[first : first + self.size]
        tokens = len(waves[0]) // self.hop
        cut = torch.stack([as_tensor(wave[: tokens * self.hop]) for wave in waves])
        # windows hang over both ends as often as they lie anywhere else, or ends would be seen least
        last = max(0, tokens - WINDOW)
        starts = [min(last, max(0, rng.randint(-WINDOW // 4, last + WINDOW // 4))) for _ in waves]
        return CodecBatch(cut, torch.tensor(starts))


class CodecLearner(nn.Module):
    """The codec with the loss of a phase; in one optimiser with the discriminators, whose loss is summed to its own.

    The generator's part of the adversarial loss gives the discriminators no gradient, and theirs gives it none.
    """

    def __init__(self, codec: Codec, phase: Phase) -> None:
        super().__init__()
        self.codec, self.stage = codec, phase
        self.discriminators = Discriminators() if phase.adversarial else None

    @property
    def device(self) -> torch.device:
        return self.codec.generator.conv_post.weight.device

    def trained(self) -> dict[str, nn.Parameter]:
        """By name in the checkpoint; once codes are settled the generator alone, so that they stay what they mean."""
        parts: list[tuple[str, nn.Module]] = [("generator.", self.codec.generator)]
        if self.discriminators is not None:
            parts.append(("discriminators.", self.discriminators))
        else:
            parts.append(("encoder.", self.codec.encoder))
            parts.append(
                ("quantizer.quantizer_modules_globaltokens.", self.codec.quantizer.quantizer_modules_globaltokens)
            )
            if self.stage.codebook:
                parts.append(("quantizer.quantizer_modules.", self.codec.quantizer.quantizer_modules))
        named = {prefix + name: value for prefix, module in parts for name, value in module.named_parameters()}
        return {name: value for name, value in named.items() if not name.startswith("encoder.linear.")}

    def rate_of(self, name: str) -> float:
        """Of the learning rate."""
        return 1.0

    def train(self, mode: bool = True) -> CodecLearner:
        """The voice branch's batch norm stays as it is: there is one voice, and nothing to norm."""
        super().train(mode)
        self.codec.encoder.GlobalTokenEncoder.eval()
        return self

    def forward(self, batch: CodecBatch) -> Tensor:
        """The phase's loss, a scalar."""
        waves, starts = batch.waves.to(self.device), batch.starts.to(self.device)
        quantizer, hop = self.codec.quantizer, self.codec.config.hop
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.stage.adversarial):
            found = self.codec.encoder(waves)
            codes = found.codes.float()  # [B, width, T]
            loss = waves.new_zeros(())
            if self.stage.codebook:
                flat = codes.transpose(1, 2).flatten(0, 1)
                table = quantizer.quantizer_modules[0].embedding.weight
                quantised = quantise(flat, table, COMMITMENT, REVIVAL)
                codes = quantised.vectors.unflatten(0, (len(waves), -1)).transpose(1, 2)
                loss = CODEBOOK * quantised.loss
            voice = quantizer.embed_voice(self.codec.voice())  # [1, width]
            loss = loss + F.mse_loss(found.voice.float(), voice.detach().expand(len(waves), -1))
        size = min(WINDOW, codes.shape[2])
        made = self.codec.generator(_windows(codes, starts, size), voice.expand(len(waves), -1))[:, 0].float()
        true = _windows(waves[:, None], starts * hop, size * hop)[:, 0]
        made = torch.where(_inner(starts, size, codes.shape[2], hop), made, true)
        loss = loss + mel_loss(made, true, self.codec.config.sample_rate)
        return loss if self.discriminators is None else loss + self._adversarial(self.discriminators, made, true)

    def _adversarial(self, discriminators: Discriminators, made: Tensor, true: Tensor) -> Tensor:
        recorded, fooled = discriminators(true), discriminators.held(made)
        telling = telling_loss(recorded, discriminators(made.detach()))
        return telling + FOOLING * fooling_loss(fooled) + MATCHING * matching_loss(recorded, fooled)


def _windows(x: Tensor, starts: Tensor, size: int) -> Tensor:
    """[B, C, T] -> [B, C, size], each row from its own start on."""
    places = starts[:, None] + torch.arange(size, device=x.device)
    return x.gather(2, places[:, None].expand(-1, x.shape[1], -1))


def _inner(starts: Tensor, size: int, tokens: int, hop: int) -> Tensor:
    """bool [B, size * hop]: what is not within MARGIN tokens of an end that lies inside the reading."""
    place = torch.arange(size, device=starts.device).expand(len(starts), -1)
    ahead = (place >= MARGIN) | (starts == 0)[:, None]
    behind = (place < size - MARGIN) | (starts + size >= tokens)[:, None]
    return (ahead & behind).repeat_interleave(hop, 1)


@torch.no_grad()
def start_codebook(codec: Codec, readings: Sequence[Reading], seed: int) -> None:
    """Put the centres of the readings' features into the codebook. Raises ValueError where there are too few."""
    codec.eval()
    some = [as_tensor(reading.wave) for reading in readings[:CODEBOOK_READINGS]]
    features = torch.cat([codec.encoder(wave[None]).codes[0].T for wave in some])
    table = codec.quantizer.quantizer_modules[0].embedding.weight
    table.copy_(k_means(features, len(table), seed))


def used(codes: Sequence[Tensor], entries: int) -> Mapping[str, float]:
    """How many codes occur, and the perplexity of their frequencies: as many equally frequent ones would be as many."""
    counts = torch.bincount(torch.cat([one.flatten() for one in codes]), minlength=entries).double()
    shares = counts[counts > 0] / counts.sum()
    return {
        "codes_used": int((counts > 0).sum()),
        "perplexity": round(float((-(shares * shares.log()).sum()).exp()), 1),
    }
