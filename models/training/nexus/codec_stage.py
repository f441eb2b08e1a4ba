"""The stage `codec`: a small FireFly from random weights, in three phases, on readings by one voice.

First the encoder learns to hear the principal axes of the sound's spectra, the strongest in the first stream, so that
codes follow the sound alike, and the streams that the speech decoder says first weigh most. Then all of it learns by
mel spectra, where the rounding passes gradients on as if it were not there. Last the generator learns against
discriminators (HiFi-GAN's losses), and the codes change no more. Where encoder and generator began together from random
weights, most streams had come to stand for nothing (1 to 2 times their targets' variance unexplained) after 400 steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.nexus_o.firefly import Firefly
from models.nexus_o.firefly_config import FireflyConfig
from models.nexus_o.firefly_layers import ConvNeXtBlock
from models.nexus_o.firefly_mel import log_mel
from models.training.loop import Settings
from models.training.speech_out.acoustics import Acoustics
from models.training.speech_out.codec_stage import FOOLING, MATCHING, WINDOW, CodecBatch
from models.training.speech_out.discriminators import Discriminators, fooling_loss, matching_loss, telling_loss
from models.training.speech_out.spectra import mel_loss

SETTINGS = Settings(betas=(0.8, 0.99), weight_decay=0.0, clip=5.0, floor=0.05)
MARGIN = 3
"""Frames of codes at an inner start that are given: there the generator does not know what was before."""
HELD, ENCODER_RATE = 10.0, 0.1
"""Beside the mel loss: weight of the mean squared distance to the axes, in halves of a range of levels, and the
encoder's share of the learning rate."""
LAYER_SCALE = 0.01
"""Of a ConvNeXt block at the start: nearly nothing. With 1, encoder and generator learnt half as fast."""
STEEPNESS = 0.5
"""By how much of the range a feature of 1 moves what is rounded, at the middle."""


@dataclass(frozen=True)
class Phase:
    name: Literal["encoder", "spectra", "adversarial"]
    share: float
    """Of the stage's steps."""
    learning_rate: float

    def trains(self, name: str) -> bool:
        """Whether a parameter of the codec moves."""
        return self.name == "spectra" or hears(name) == (self.name == "encoder")


PHASES = (Phase("encoder", 0.34, 3e-3), Phase("spectra", 0.6, 2e-3), Phase("adversarial", 0.06, 4e-4))


def hears(name: str) -> bool:
    """Whether a parameter is of what makes the codes."""
    return name.startswith(("backbone.", "quantizer.downsample.")) or ".project_in." in name


def steps_of(phase: Phase, steps: int) -> int:
    """The phases' steps add up to `steps`."""
    place = PHASES.index(phase)
    ends = [round(steps * sum(one.share for one in PHASES[:n])) for n in (place, place + 1)]
    return ends[1] - ends[0]


def start(config: FireflyConfig, seed: int) -> Firefly:
    """Random weights drawn from the seed."""
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(seed)
        codec = Firefly(config)
        for module in codec.modules():
            if isinstance(module, ConvNeXtBlock):
                module.gamma.fill_(LAYER_SCALE)
    return codec


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
        self.discriminators = Discriminators() if phase.name == "adversarial" else None

    @property
    def device(self) -> torch.device:
        return self.codec.head.conv_post.conv.weight.device

    def trained(self) -> dict[str, nn.Parameter]:
        """By name in the checkpoint."""
        moved = {name: value for name, value in self.codec.named_parameters() if self.stage.trains(name)}
        if self.discriminators is not None:
            moved |= dict(self.discriminators.named_parameters(prefix="discriminators"))
        return moved

    def rate_of(self, name: str) -> float:
        """Of the learning rate."""
        return ENCODER_RATE if self.stage.name == "spectra" and hears(name) else 1.0

    def forward(self, batch: CodecBatch) -> Tensor:
        """The phase's loss, a scalar."""
        with torch.autocast(self.device.type, enabled=False):
            return self._loss(batch)

    def _loss(self, batch: CodecBatch) -> Tensor:
        waves = batch.waves.to(self.device)
        numbers = squashed(self.codec, waves)
        if self.stage.name == "encoder":
            return self._distance(numbers, batch.waves)
        made, true = self._made(numbers, waves, batch.starts.to(self.device))
        loss = mel_loss(made, true, self.codec.config.mel.sample_rate)
        if self.discriminators is not None:
            return loss + self._adversarial(self.discriminators, made, true)
        return loss + HELD * self._distance(numbers, batch.waves)

    def _distance(self, numbers: Tensor, waves: Tensor) -> Tensor:
        """Of what is rounded to what is wanted, a scalar."""
        config = self.codec.config
        half = (torch.tensor(config.quantizer.levels, device=self.device) - 1) / 2
        return F.mse_loss(numbers / half, wanted(self.acoustics, waves, config).to(self.device) / half)

    def _made(self, numbers: Tensor, waves: Tensor, starts: Tensor) -> tuple[Tensor, Tensor]:
        """Windows of what is made, with what cannot be known as it is, and of what is true, both [B, n]."""
        config, size = self.codec.config, min(WINDOW, numbers.shape[2])
        some = windows(numbers.transpose(1, 2), starts, size).transpose(1, 2)
        made = sound(self.codec, straight_through(some, config.quantizer.levels))
        true = windows(waves.unflatten(1, (-1, config.samples)), starts, size).flatten(1)
        place = torch.arange(size, device=self.device)
        known = ((place >= MARGIN) | (starts == 0)[:, None]).repeat_interleave(config.samples, 1)
        return torch.where(known, made, true), true

    def _adversarial(self, discriminators: Discriminators, made: Tensor, true: Tensor) -> Tensor:
        recorded, fooled = discriminators(true), discriminators.held(made)
        telling = telling_loss(recorded, discriminators(made.detach()))
        return telling + FOOLING * fooling_loss(fooled) + MATCHING * matching_loss(recorded, fooled)


def windows(x: Tensor, starts: Tensor, size: int) -> Tensor:
    """[B, T, ...] -> [B, size, ...], each row from its own start on."""
    places = starts[:, None] + torch.arange(size, device=x.device)
    return x[torch.arange(len(x), device=x.device)[:, None], places]
