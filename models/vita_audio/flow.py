"""From speech codes to a mel spectrogram by conditional flow matching with classifier-free guidance.

Requests run as one batch, of one length or of several (`Flow.ragged`); each draws the noise that it would draw alone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.vita_audio.decoder_config import FlowConfig
from models.vita_audio.estimator import Estimator
from models.vita_audio.flow_encoder import FlowEncoder, LengthRegulator
from models.vita_audio.ragged import Rows, rows_of

SAMPLE_RATE = 22_050
FRAME = 256  # samples of a mel frame
SEED = 42
STEPS = 10


class Prompt(NamedTuple):
    """A voice to go on with: `codes` [B, P] and the spectrogram `mel` [B, F, mels] that they stand for."""

    codes: Tensor
    mel: Tensor


class Flow(nn.Module):
    def __init__(self, config: FlowConfig) -> None:
        super().__init__()
        self.config = config
        self.input_embedding = nn.Embedding(config.codes, config.embedding)
        self.spk_embed_affine_layer = nn.Linear(config.speaker, config.mels)
        self.encoder = FlowEncoder(config)
        self.encoder_proj = nn.Linear(config.width, config.mels)
        self.length_regulator = LengthRegulator(config.mels, config.regulator_layers)
        self.decoder = nn.ModuleDict({"estimator": Estimator(config.estimator)})

    def frames(self, codes: int) -> int:
        """Mel frames of a number of codes, rounded down."""
        return int(codes * SAMPLE_RATE / (self.config.code_rate * FRAME))

    @torch.no_grad()
    def forward(
        self,
        codes: Tensor,
        steps: int = STEPS,
        speaker: Tensor | None = None,
        prompt: Prompt | None = None,
        noise: Tensor | None = None,
        frames: int | None = None,
    ) -> Tensor:
        """Codes [B, T] -> spectrogram [B, mels, frames]; the prompt's own frames are cut off.

        `speaker` [B, speaker] is a voice embedding, zeros by default; `noise` [B, mels, frames with the prompt's] is
        drawn from seed 42 by default; `frames` is the length with the prompt's, where rounding for this stretch of an
        answer alone would not do. Raises ValueError on no code, a code out of range or a prompt that is too long.
        """
        self.check(codes)
        if prompt is not None:
            self.check(prompt.codes)
        given = codes if prompt is None else torch.cat([prompt.codes, codes], dim=1)
        mu = self.expected(given, frames).transpose(1, 2)  # [B, mels, frames]
        condition = torch.zeros_like(mu)
        start = 0
        if prompt is not None:
            start = prompt.mel.shape[1]
            if start >= mu.shape[2]:
                raise ValueError(f"the prompt has {start} mel frames, prompt and codes together {mu.shape[2]}")
            condition[:, :, :start] = prompt.mel.transpose(1, 2)
        if speaker is None:
            speaker = mu.new_zeros(len(mu), self.config.speaker)
        if noise is None:
            noise = initial_noise(mu)
        voice = self.spk_embed_affine_layer(F.normalize(speaker, dim=1))  # [B, mels]
        return self.solve(noise, mu, voice, condition, steps)[:, :, start:]

    @torch.no_grad()
    def ragged(
        self, codes: Sequence[Tensor], steps: int = STEPS, noise: Sequence[Tensor] | None = None
    ) -> list[Tensor]:
        """Codes [T] of several requests -> their spectrograms [mels, frames], each as it is alone (1e-4, float32).

        `noise` [mels, frames] of each is drawn from seed 42 by default; the voice is that of zeros. Raises ValueError
        on no request, no code, or a code out of range.
        """
        if not codes:
            raise ValueError("no speech codes given: expected at least one request")
        for row in codes:
            self.check(row[None])
        if len({len(row) for row in codes}) == 1:
            own = None if noise is None else torch.stack(list(noise))
            return list(self(torch.stack(list(codes)), steps, noise=own))
        given = [self.expected(row[None]).transpose(1, 2) for row in codes]  # [1, mels, frames] each
        if noise is None:
            noise = [initial_noise(mu)[0] for mu in given]
        rows = rows_of([mu.shape[2] for mu in given], self.config.estimator.halvings, given[0])
        mu, x = rows.joined([mu[0] for mu in given])[None], rows.joined(noise)[None]
        voice = self.spk_embed_affine_layer(mu.new_zeros(1, self.config.speaker))
        mel = self.solve(x, mu, voice, torch.zeros_like(mu), steps, rows)
        return rows.parted(mel[0])

    def encode(self, codes: Tensor) -> Tensor:
        """[B, T] -> [B, T, width]"""
        return self.encoder(self.input_embedding(codes))

    def expected(self, codes: Tensor, frames: int | None = None) -> Tensor:
        """The spectrogram around which the flow is: [B, T] -> [B, frames, mels]"""
        frames = self.frames(codes.shape[1]) if frames is None else frames
        return self.length_regulator(self.encoder_proj(self.encode(codes)), frames)

    def solve(
        self, x: Tensor, mu: Tensor, voice: Tensor, condition: Tensor, steps: int, rows: Rows | None = None
    ) -> Tensor:
        """Euler steps from noise `x` to a spectrogram, both [B, mels, T]; both estimates of a step in one call."""
        grid, weight = time_grid(steps).to(x), self.config.guidance
        mu, voice, condition = (torch.cat([part, torch.zeros_like(part)]) for part in (mu, voice, condition))
        time, step = grid[0], grid[1] - grid[0]
        for index in range(1, steps + 1):
            times = time.expand(2 * len(x))
            both = self.decoder["estimator"](torch.cat([x, x]), mu, voice, condition, times, rows)
            told, free = both.chunk(2)
            x = x + step * ((1 + weight) * told - weight * free)
            time = time + step
            if index < steps:
                step = grid[index + 1] - time
        return x

    def check(self, codes: Tensor) -> None:
        """Raise ValueError, with the remedy, on no code [B, T] or one that is out of range."""
        if codes.ndim != 2 or not codes.numel():
            raise ValueError(
                f"speech codes of shape {list(codes.shape)}: expected [B, T] with at least one code; "
                "an answer without one has no speech to decode"
            )
        wrong = codes[(codes < 0) | (codes >= self.config.codes)]
        if len(wrong):
            raise ValueError(
                f"speech code {int(wrong[0])} is out of range: expected 0 to {self.config.codes - 1}, "
                "a token's id less that of <|audio_0|>"
            )


def time_grid(steps: int) -> Tensor:
    """Times from 0 to 1, dense at the start: fp32 [steps + 1]. Raises ValueError unless there is a step."""
    if steps < 1:
        raise ValueError(f"{steps} flow steps: expected at least 1")
    return 1 - torch.cos(torch.linspace(0, 1, steps + 1) * (0.5 * math.pi))


def initial_noise(like: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """Noise of the shape [B, mels, T], the same for every row: that of seed 42 on the CPU, or the generator's."""
    generator = torch.Generator().manual_seed(SEED) if generator is None else generator
    return torch.randn(1, *like.shape[1:], generator=generator).to(like).expand_as(like)
