"""The stage `codec`: a small FireFly from random weights, in two phases, on readings by one voice.

First encoder, quantiser and generator learn together, by mel spectra: rounding passes gradients on as if it were not
there. What is rounded is held near the principal axes of the sound's spectra, the strongest in the first stream, so
that codes follow the sound alike from the start, and the streams that the speech decoder says first weigh most. Then
the generator learns against discriminators (HiFi-GAN's losses), and the codes change no more.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.nexus_o.firefly import Firefly
from models.nexus_o.firefly_config import FireflyConfig
from models.nexus_o.firefly_mel import log_mel
from models.training.loop import Settings
from models.training.speech_out.acoustics import Acoustics
from models.training.speech_out.codec_stage import FOOLING, MATCHING, WINDOW, CodecBatch
from models.training.speech_out.discriminators import Discriminators, fooling_loss, matching_loss, telling_loss
from models.training.speech_out.spectra import mel_loss

SETTINGS = Settings(betas=(0.8, 0.99), weight_decay=0.0, clip=5.0, floor=0.05)
MARGIN = 3
"""Frames of codes at an inner start that are given: there the generator does not know what was before."""
HELD = 1.0
"""Weight of the mean squared distance to the axes, of half a level's range, beside the mel loss."""
STEEPNESS = 0.5
"""By how much of the range a feature of 1 moves what is rounded, at the middle."""


@dataclass(frozen=True)
class Phase:
    name: str
    share: float
    """Of the stage's steps."""
    learning_rate: float
    adversarial: bool = False
    """Trains what is behind the codes alone."""


PHASES = (Phase("spectra", 0.88, 1.5e-3), Phase("adversarial", 0.12, 4e-4, adversarial=True))


def steps_of(phase: Phase, steps: int) -> int:
    """The phases' steps add up to `steps`."""
    first = round(steps * PHASES[0].share)
    return first if phase is PHASES[0] else steps - first


def width_of(config: FireflyConfig) -> int:
    """Numbers of one frame of codes, of all streams."""
    return config.quantizer.groups * len(config.quantizer.levels)


def wanted(acoustics: Acoustics, waves: Tensor, config: FireflyConfig) -> Tensor:
    """What is to be rounded for waves [B, T * samples]: [B, streams, T, digits], the strongest axes first."""
    levels = torch.tensor(config.quantizer.levels)
    axes = acoustics(waves).flip(-1).unflatten(-1, (config.quantizer.groups, len(levels))).transpose(1, 2)
    return torch.tanh(STEEPNESS * axes) * (levels - 1) / 2 - 0.5 * (levels % 2 == 0)


def squashed(codec: Firefly, waves: Tensor) -> Tensor:
    """What the quantiser rounds for waves [B, T * samples]: [B, streams, T, digits], with gradients."""
    parts = codec.quantizer.parts(codec.backbone(log_mel(waves, codec.config.mel)))
    groups = codec.quantizer.residual_fsq.rvqs
    return torch.stack([group.squashed(part) for group, part in zip(groups, parts, strict=True)], dim=1)


def straight_through(numbers: Tensor, levels: tuple[int, ...]) -> Tensor:
    """The numbers [..., digits] of the levels that are nearest, in -1..1, as the generator gets them of codes; the
    gradient passes as if nothing were rounded."""
    rounded = numbers + (numbers.round() - numbers).detach()
    return rounded / (torch.tensor(levels, device=numbers.device) // 2)


def sound(codec: Firefly, numbers: Tensor) -> Tensor:
    """The wave [B, T * samples] of numbers [B, streams, T, digits] in -1..1; `Firefly.decode` of their codes."""
    groups = codec.quantizer.residual_fsq.rvqs
    parts = [group.project_out(part) for group, part in zip(groups, numbers.unbind(1), strict=True)]
    features = codec.quantizer.lengthened(torch.cat(parts, dim=-1).transpose(1, 2))
    waves: Tensor = codec.head(features)[:, 0]
    return waves


class CodecLearner(nn.Module):
    """The codec with a phase's loss; in one optimiser with the discriminators, if any, whose loss is summed to it.

    The generator's part of the adversarial loss gives the discriminators no gradient, and theirs gives it none. All is
    computed in float32: in bfloat16 on a CPU the gradients that passed the generator's transposed convolutions had
    little in common with those in float32 (cosines of -0.1 to 0.4), and it learnt to be ever louder.
    """

    def __init__(self, codec: Firefly, phase: Phase, acoustics: Acoustics) -> None:
        super().__init__()
        self.codec, self.stage, self.acoustics = codec, phase, acoustics
        self.discriminators = Discriminators() if phase.adversarial else None

    @property
    def device(self) -> torch.device:
        return self.codec.head.conv_post.conv.weight.device

    def trained(self) -> dict[str, nn.Parameter]:
        """By name in the checkpoint."""
        named = dict(self.codec.named_parameters())
        if self.discriminators is None:
            return named
        made = {name: value for name, value in named.items() if _behind_the_codes(name)}
        return made | dict(self.discriminators.named_parameters(prefix="discriminators"))

    def rate_of(self, name: str) -> float:
        """Of the learning rate."""
        return 1.0

    def forward(self, batch: CodecBatch) -> Tensor:
        """The phase's loss, a scalar."""
        with torch.autocast(self.device.type, enabled=False):
            return self._loss(batch)

    def _loss(self, batch: CodecBatch) -> Tensor:
        config, waves, starts = self.codec.config, batch.waves.to(self.device), batch.starts.to(self.device)
        numbers = squashed(self.codec, waves)
        size = min(WINDOW, numbers.shape[2])
        some = windows(numbers.transpose(1, 2), starts, size).transpose(1, 2)
        made = sound(self.codec, straight_through(some, config.quantizer.levels))
        true = windows(waves.unflatten(1, (-1, config.samples)), starts, size).flatten(1)
        place = torch.arange(size, device=self.device)
        known = ((place >= MARGIN) | (starts == 0)[:, None]).repeat_interleave(config.samples, 1)
        made = torch.where(known, made, true)
        loss = mel_loss(made, true, config.mel.sample_rate)
        if self.discriminators is not None:
            return loss + self._adversarial(self.discriminators, made, true)
        half = (torch.tensor(config.quantizer.levels, device=self.device) - 1) / 2
        return loss + HELD * F.mse_loss(numbers / half, wanted(self.acoustics, batch.waves, config).to(half) / half)

    def _adversarial(self, discriminators: Discriminators, made: Tensor, true: Tensor) -> Tensor:
        recorded, fooled = discriminators(true), discriminators.held(made)
        telling = telling_loss(recorded, discriminators(made.detach()))
        return telling + FOOLING * fooling_loss(fooled) + MATCHING * matching_loss(recorded, fooled)


def windows(x: Tensor, starts: Tensor, size: int) -> Tensor:
    """[B, T, ...] -> [B, size, ...], each row from its own start on."""
    places = starts[:, None] + torch.arange(size, device=x.device)
    return x[torch.arange(len(x), device=x.device)[:, None], places]


def _behind_the_codes(name: str) -> bool:
    return name.startswith(("head.", "quantizer.upsample.")) or ".project_out." in name
