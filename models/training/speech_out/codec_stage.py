"""Stage 3.1: the codec, from random weights, in three phases.

The codebook is found first, by k-means, in features of the sound (`acoustics`). Then the generator learns to make
sound of the codes, by mel spectra only; then against discriminators (HiFi-GAN's losses); then the encoder learns to
hear the codes, which change no more. There is one voice: its global tokens are fixed and their entries learnt.
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
from models.training.speech_out.acoustics import Acoustics
from models.training.speech_out.codebooks import scores
from models.training.speech_out.discriminators import Discriminators, fooling_loss, matching_loss, telling_loss
from models.training.speech_out.readings import Reading, as_tensor
from models.training.speech_out.spectra import mel_loss
from models.vita15.codec import Codec

SETTINGS = Settings(betas=(0.8, 0.99), weight_decay=0.0, clip=5.0, floor=0.05)
WINDOW, MARGIN = 24, 2  # tokens
"""What of a reading is made into sound again, and how much of it at an inner end is given: there the generator does
not know what is before or behind."""
FOOLING, MATCHING = 0.05, 0.1
"""Weights beside the mel loss, which is about 0.4; the discriminators' own loss moves nothing else."""
CONFIDENCE = 10.0
"""Of the encoder, over the mean squared distance to an entry by a feature."""


@dataclass(frozen=True)
class Phase:
    name: str
    share: float
    """Of the stage's steps."""
    learning_rate: float
    adversarial: bool = False
    encoder: bool = False
    """Trains the encoder alone."""


PHASES = (
    Phase("generator", 0.5, 2e-3),
    Phase("adversarial", 0.15, 4e-4, adversarial=True),
    Phase("encoder", 0.35, 2e-3, encoder=True),
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


class GeneratorLearner(nn.Module):
    """Generator and voice with the mel loss; in one optimiser with the discriminators, if any, whose loss is summed
    to it.

    The generator's part of the adversarial loss gives the discriminators no gradient, and theirs gives it none.
    """

    def __init__(self, codec: Codec, phase: Phase, acoustics: Acoustics) -> None:
        super().__init__()
        self.codec, self.stage, self.acoustics = codec, phase, acoustics
        self.discriminators = Discriminators() if phase.adversarial else None

    @property
    def device(self) -> torch.device:
        return self.codec.generator.conv_post.weight.device

    def trained(self) -> dict[str, nn.Parameter]:
        """By name in the checkpoint."""
        voices = self.codec.quantizer.quantizer_modules_globaltokens
        parts: list[tuple[str, nn.Module | None]] = [
            ("generator.", self.codec.generator),
            ("quantizer.quantizer_modules_globaltokens.", voices),
            ("discriminators.", self.discriminators),
        ]
        return {prefix + name: value for prefix, module in parts if module for name, value in module.named_parameters()}

    def rate_of(self, name: str) -> float:
        """Of the learning rate."""
        return 1.0

    def forward(self, batch: CodecBatch) -> Tensor:
        """The phase's loss, a scalar."""
        waves, starts = batch.waves, batch.starts
        quantizer, hop = self.codec.quantizer, self.codec.config.hop
        codes = true_codes(self.codec, self.acoustics, waves)
        size = min(WINDOW, codes.shape[1])
        some = _windows(codes.transpose(1, 2), starts, size).transpose(1, 2)  # [B, size, 1]
        voice = quantizer.embed_voice(self.codec.voice()).expand(len(waves), -1)
        embedded = quantizer.embed_codes(some.to(self.device))
        made = self.codec.generator(embedded, voice)[:, 0].float()
        true = _windows(waves[:, None], starts * hop, size * hop)[:, 0].to(self.device)
        made = torch.where(_inner(starts, size, codes.shape[1], hop).to(self.device), made, true)
        loss = mel_loss(made, true, self.codec.config.sample_rate)
        return loss if self.discriminators is None else loss + self._adversarial(self.discriminators, made, true)

    def _adversarial(self, discriminators: Discriminators, made: Tensor, true: Tensor) -> Tensor:
        recorded, fooled = discriminators(true), discriminators.held(made)
        telling = telling_loss(recorded, discriminators(made.detach()))
        return telling + FOOLING * fooling_loss(fooled) + MATCHING * matching_loss(recorded, fooled)


class EncoderLearner(nn.Module):
    """The encoder with the distance to each token's entry, and the cross-entropy of the entry by nearness.

    Its voice branch is taught the one voice.
    """

    def __init__(self, codec: Codec, phase: Phase, acoustics: Acoustics) -> None:
        super().__init__()
        self.codec, self.stage, self.acoustics = codec, phase, acoustics

    @property
    def device(self) -> torch.device:
        return self.codec.generator.conv_post.weight.device

    def trained(self) -> dict[str, nn.Parameter]:
        """By name in the checkpoint, without the layer that is never used."""
        named = {f"encoder.{name}": value for name, value in self.codec.encoder.named_parameters()}
        return {name: value for name, value in named.items() if not name.startswith("encoder.linear.")}

    def rate_of(self, name: str) -> float:
        """Of the learning rate."""
        return 1.0

    def train(self, mode: bool = True) -> EncoderLearner:
        """The voice branch's batch norm stays as it is: there is one voice, and nothing to norm."""
        super().train(mode)
        self.codec.encoder.GlobalTokenEncoder.eval()
        return self

    def forward(self, batch: CodecBatch) -> Tensor:
        """The phase's loss, a scalar."""
        quantizer = self.codec.quantizer
        table = quantizer.quantizer_modules[0].embedding.weight
        codes = true_codes(self.codec, self.acoustics, batch.waves).flatten().to(self.device)  # [B * T]
        found = self.codec.encoder(batch.waves.to(self.device))
        features = found.codes.float().transpose(1, 2).flatten(0, 1)  # [B * T, width]
        distance = F.mse_loss(features, table[codes])
        with torch.autocast(self.device.type, enabled=False):
            nearness = CONFIDENCE / table.shape[1] * scores(features, table)
        voice = quantizer.embed_voice(self.codec.voice()).expand(len(batch.waves), -1)
        return distance + F.cross_entropy(nearness, codes) + F.mse_loss(found.voice.float(), voice)


def true_codes(codec: Codec, acoustics: Acoustics, waves: Tensor) -> Tensor:
    """The codes [B, T, 1] of waves [B, T * hop] by their features, as the encoder is to hear them; on the CPU."""
    table = codec.quantizer.quantizer_modules[0].embedding.weight.detach().cpu()
    with torch.no_grad(), torch.autocast("cpu", enabled=False):
        return scores(acoustics(waves), table).argmax(-1)[..., None]


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


def used(codes: Sequence[Tensor], entries: int) -> Mapping[str, float]:
    """How many codes occur, and the perplexity of their frequencies: as many equally frequent ones would be as many."""
    counts = torch.bincount(torch.cat([one.flatten() for one in codes]), minlength=entries).double()
    shares = counts[counts > 0] / counts.sum()
    return {
        "codes_used": int((counts > 0).sum()),
        "perplexity": round(float((-(shares * shares.log()).sum()).exp()), 1),
    }
