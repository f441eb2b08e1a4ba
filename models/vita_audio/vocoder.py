"""HiFT: a neural source filter with an inverse Fourier transform as its head, from mel spectrogram to wave.

The release stores weight-normed convolutions (`weight_g`, `weight_v`), which are fused at load; modules here hold
plain convolutions.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.vita_audio.decoder_config import VocoderConfig

LOUDEST = 100.0  # of a magnitude
HEAD_SLOPE = 0.01


class SourceState(NamedTuple):
    """Where the harmonics of a source stand after its last sample: `turns` and `phase` [B, 1, harmonics + 1]."""

    turns: Tensor
    phase: Tensor


class Vocoder(nn.Module):
    def __init__(self, config: VocoderConfig) -> None:
        super().__init__()
        self.config = config
        bins = config.fft // 2 + 1
        stages = len(config.rates)
        widths = [config.base // 2**i for i in range(stages + 1)]
        self.f0_predictor = _PitchPredictor(config.mels, config.predictor)
        self.m_source = nn.ModuleDict({"l_linear": nn.Linear(config.harmonics + 1, 1)})
        self.conv_pre = nn.Conv1d(config.mels, config.base, 7, padding=3)
        self.ups = nn.ModuleList(
            nn.ConvTranspose1d(widths[i], widths[i + 1], kernel, rate, padding=(kernel - rate) // 2)
            for i, (rate, kernel) in enumerate(zip(config.rates, config.up_kernels, strict=True))
        )
        self.source_downs = nn.ModuleList(
            _down(2 * bins, widths[i + 1], math.prod(config.rates[i + 1 :])) for i in range(stages)
        )
        self.source_resblocks = nn.ModuleList(
            _ResBlock(widths[i + 1], kernel, dilations)
            for i, (kernel, dilations) in enumerate(zip(config.source_kernels, config.source_dilations, strict=True))
        )
        self.resblocks = nn.ModuleList(
            _ResBlock(width, kernel, dilations)
            for width in widths[1:]
            for kernel, dilations in zip(config.kernels, config.dilations, strict=True)
        )
        self.conv_post = nn.Conv1d(widths[-1], 2 * bins, 7, padding=3)

    @torch.no_grad()
    def forward(self, mel: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """[B, mels, T] -> wave [B, 256 * T]. Phases and noise come from `generator` (on the CPU).

        Raises ValueError on no frame.
        """
        return self.decode(mel, self.source(self.pitch(mel), generator))

    def pitch(self, mel: Tensor) -> Tensor:
        """Fundamental frequency in Hz: [B, mels, T] -> [B, T]"""
        if mel.ndim != 3 or not mel.shape[-1]:
            raise ValueError(f"spectrogram of shape {list(mel.shape)}: expected [B, mels, T] with at least one frame")
        return self.f0_predictor(mel)

    def source(self, f0: Tensor, generator: torch.Generator | None = None, random: bool = True) -> Tensor:
        """Harmonics of a pitch [B, T] with noise, before the filter: [B, 1, 256 * T]; without any if not `random`."""
        return self.source_on(f0, generator, random=random)[0]

    def source_on(
        self,
        f0: Tensor,
        generator: torch.Generator | None = None,
        state: SourceState | None = None,
        random: bool = True,
    ) -> tuple[Tensor, SourceState]:
        """As `source`, going on where a stream stood, so that its waves have no break; and where it stands then."""
        config = self.config
        f0 = f0.repeat_interleave(config.frame, dim=1)[..., None]  # [B, samples, 1]
        order = torch.arange(1, config.harmonics + 2, device=f0.device)
        turns = (f0 * order / config.sample_rate).cumsum(1)  # [B, samples, harmonics + 1]
        if state is None:
            phase = f0.new_zeros(len(f0), 1, len(order))
            if random:
                phase = (torch.rand(phase.shape, generator=generator) * 2 - 1).to(f0) * math.pi
                phase[..., 0] = 0
        else:
            phase, turns = state.phase, turns + state.turns
        turns = turns % 1
        noise = torch.randn(turns.shape, generator=generator).to(f0) if random else torch.zeros_like(turns)
        voiced = (f0 > config.voiced_above).to(f0.dtype)
        level = voiced * config.noise_level + (1 - voiced) * (config.sine_level / 3)
        waves = config.sine_level * torch.sin(2 * math.pi * turns + phase) * voiced + level * noise
        return self.m_source["l_linear"](waves).tanh().transpose(1, 2), SourceState(turns[:, -1:], phase)

    def spectrum(self, source: Tensor) -> Tensor:
        """Real parts, then imaginary parts, of a source [B, 1, n] -> [B, 2 * bins, n // hop + 1]"""
        config = self.config
        parts = torch.stft(source[:, 0], config.fft, config.hop, window=self._window(source), return_complex=True)
        return torch.cat([parts.real, parts.imag], dim=1)

    def decode(self, mel: Tensor, source: Tensor) -> Tensor:
        """Filter a source [B, 1, 256 * T] by the spectrogram [B, mels, T]: wave [B, 256 * T]"""
        config = self.config
        spectrum, count = self.spectrum(source), len(config.kernels)
        x = self.conv_pre(mel)
        for i, up in enumerate(self.ups):
            x = up(F.leaky_relu(x, config.slope))
            if i == len(self.ups) - 1:
                x = F.pad(x, (1, 0), mode="reflect")
            x = x + self.source_resblocks[i](self.source_downs[i](spectrum))
            total = torch.stack([block(x) for block in self.resblocks[i * count : (i + 1) * count]])
            x = total.mean(0)  # [B, width, T * rates so far]
        x = self.conv_post(F.leaky_relu(x, HEAD_SLOPE))
        size, angle = x.chunk(2, dim=1)
        parts = torch.polar(size.exp().clamp_max(LOUDEST), angle.sin())
        wave = torch.istft(parts, config.fft, config.hop, window=self._window(x))
        return wave.clamp(-config.limit, config.limit)

    def _window(self, like: Tensor) -> Tensor:
        return torch.hann_window(self.config.fft, dtype=like.dtype, device=like.device)


class _PitchPredictor(nn.Module):
    def __init__(self, mels: int, width: int) -> None:
        super().__init__()
        parts: list[nn.Module] = []
        for width_in in (mels, width, width, width, width):
            parts += [nn.Conv1d(width_in, width, 3, padding=1), nn.ELU()]
        self.condnet = nn.Sequential(*parts)
        self.classifier = nn.Linear(width, 1)

    def forward(self, mel: Tensor) -> Tensor:
        return self.classifier(self.condnet(mel).transpose(1, 2))[..., 0].abs()


class _Snake(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.alpha = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        alpha = self.alpha[:, None]
        return x + torch.sin(alpha * x) ** 2 / (alpha + 1e-9)


class _ResBlock(nn.Module):
    def __init__(self, width: int, kernel: int, dilations: tuple[int, ...]) -> None:
        super().__init__()

        def conv(step: int) -> nn.Module:
            return nn.Conv1d(width, width, kernel, dilation=step, padding=step * (kernel - 1) // 2)

        self.convs1 = nn.ModuleList(conv(step) for step in dilations)
        self.convs2 = nn.ModuleList(conv(1) for _ in dilations)
        self.activations1 = nn.ModuleList(_Snake(width) for _ in dilations)
        self.activations2 = nn.ModuleList(_Snake(width) for _ in dilations)

    def forward(self, x: Tensor) -> Tensor:
        parts = zip(self.activations1, self.convs1, self.activations2, self.convs2, strict=True)
        for first, wide, second, narrow in parts:
            x = x + narrow(second(wide(first(x))))
        return x


def _down(width_in: int, width: int, rate: int) -> nn.Module:
    """Bring the source's spectrum to the rate of a stage."""
    if rate == 1:
        return nn.Conv1d(width_in, width, 1)
    return nn.Conv1d(width_in, width, 2 * rate, rate, padding=rate // 2)
