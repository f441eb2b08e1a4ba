"""VITA-Audio's voice: from the speech codes of whole answers to sound, many answers side by side.

As in the release the voice is that of a speaker embedding of zeros and all chance follows seed 42; here it is drawn by
a generator for each answer, on the CPU, and the global state stays as it is. Sound of an answer in the making is in
`voice_stream`.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from models.vita_audio.flow import FRAME, SAMPLE_RATE, SEED, STEPS, Flow, initial_noise
from models.vita_audio.ragged import groups
from models.vita_audio.vocoder import Vocoder

BATCH_FRAMES = 16_384
"""Mel frames in one call of the flow: 190 s of speech."""


class Voice:
    """Flow and vocoder. Raises ValueError if they do not fit together."""

    def __init__(self, flow: Flow, vocoder: Vocoder) -> None:
        flows = {"mels": flow.config.mels, "sample_rate": SAMPLE_RATE, "frame": FRAME}
        for name, value in flows.items():
            other = getattr(vocoder.config, name)
            if other != value:
                raise ValueError(f"{name}: the flow has {value}, the vocoder {other}; both must be of one release")
        self.flow, self.vocoder = flow, vocoder
        self.device = flow.encoder_proj.weight.device
        self.sample_rate = SAMPLE_RATE

    @torch.no_grad()
    def speak(self, answers: Sequence[Sequence[int]], steps: int = STEPS) -> list[Tensor]:
        """The sound of each answer's codes: float32 [256 * frames] at 22 050 Hz, on the CPU; each as it is alone.

        Raises ValueError on an answer without codes or with one that is out of range.
        """
        given = [torch.tensor(codes, dtype=torch.long, device=self.device) for codes in answers]
        for codes in given:
            self.flow.check(codes[None])
        waves: dict[int, Tensor] = {}
        for places in groups([self.flow.frames(len(codes)) for codes in given], BATCH_FRAMES):
            chance = [torch.Generator().manual_seed(SEED) for _ in places]
            counts = [self.flow.frames(len(given[place])) for place in places]
            noise = [self.noise(frames, generator)[0] for frames, generator in zip(counts, chance, strict=True)]
            mels = self.flow.ragged([given[place] for place in places], steps, noise)
            for place, mel, generator in zip(places, mels, chance, strict=True):
                waves[place] = self.vocoder(mel[None], generator)[0].float().cpu()
        return [waves[place] for place in range(len(given))]

    def noise(self, frames: int, generator: torch.Generator) -> Tensor:
        """What the flow begins with: [1, mels, frames]"""
        return initial_noise(self.flow.encoder_proj.weight.new_empty(1, self.flow.config.mels, frames), generator)
