"""The flow: from the codes of one voice's readings to their spectrograms.

Conditional flow matching as in Matcha-TTS (arXiv:2309.03199), whose second loss is here too: the expected spectrogram,
around which the flow is, is held to the true one. The release's training is not known to have it; a small flow takes
far fewer steps with it.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.training.loop import Settings
from models.vita_audio.flow import Flow

SETTINGS = Settings(betas=(0.9, 0.98), weight_decay=0.0, clip=1.0, floor=0.02)
FREE = 0.2
"""Share of readings in which the flow is told nothing, for the guidance without a classifier."""
EXPECTED = 1.0
"""Weight of the expected spectrogram's loss."""
STILL = 1e-6


class Phase(NamedTuple):
    name: str
    learning_rate: float


class Spoken(NamedTuple):
    codes: Tensor  # int64 [T]
    mel: Tensor  # [mels, frames]


class FlowBatch(NamedTuple):
    codes: Tensor  # [B, T]
    mel: Tensor  # [B, mels, frames]
    noise: Tensor  # likewise
    times: Tensor  # [B]
    told: Tensor  # [B], 1.0 or 0.0


class FlowBatches:
    """Readings of nearly one length side by side, cut to the shortest. A function of seed and number."""

    def __init__(self, spoken: Sequence[Spoken], flow: Flow, size: int, seed: int) -> None:
        self.spoken = sorted(spoken, key=lambda one: len(one.codes))
        self.frames, self.size, self.seed = flow.frames, size, seed

    @property
    def recipe(self) -> str:
        return f"{len(self.spoken)} readings, {self.size} a batch, seed {self.seed}"

    def __call__(self, number: int) -> FlowBatch:
        rng = random.Random(f"flow {self.seed} {number}")
        first = rng.randrange(max(1, len(self.spoken) - self.size + 1))
        some = self.spoken[first : first + self.size]
        length = min(len(one.codes) for one in some)
        mel = torch.stack([one.mel[:, : self.frames(length)] for one in some])
        generator = torch.Generator().manual_seed(rng.getrandbits(60))
        times = 1 - torch.cos(torch.rand(len(some), generator=generator) * (0.5 * math.pi))
        told = (torch.rand(len(some), generator=generator) >= FREE).float()
        codes = torch.stack([one.codes[:length] for one in some])
        return FlowBatch(codes, mel, torch.randn(mel.shape, generator=generator), times, told)


class FlowLearner(nn.Module):
    def __init__(self, flow: Flow, phase: Phase) -> None:
        super().__init__()
        self.flow, self.stage = flow, phase

    @property
    def device(self) -> torch.device:
        return self.flow.encoder_proj.weight.device

    def trained(self) -> dict[str, nn.Parameter]:
        """By name in the checkpoint; the speaker's matrix has nothing to learn from a speaker of zeros."""
        return {n: p for n, p in self.flow.named_parameters() if n != "spk_embed_affine_layer.weight"}

    def rate_of(self, name: str) -> float:
        """Of the learning rate."""
        return 1.0

    def forward(self, batch: FlowBatch) -> Tensor:
        """Of the flow and of what is expected, a scalar; in float32."""
        with torch.autocast(self.device.type, enabled=False):
            codes, mel, noise, times, told = (part.to(self.device) for part in batch)
            mu = self.flow.expected(codes, mel.shape[2]).transpose(1, 2)
            voice = self.flow.spk_embed_affine_layer(mu.new_zeros(len(mu), self.flow.config.speaker))
            at = times[:, None, None]
            x = (1 - (1 - STILL) * at) * noise + at * mel
            estimate = self.flow.decoder["estimator"](
                x, mu * told[:, None, None], voice * told[:, None], torch.zeros_like(mu), times
            )
            return F.mse_loss(estimate, mel - (1 - STILL) * noise) + EXPECTED * F.l1_loss(mu, mel)
