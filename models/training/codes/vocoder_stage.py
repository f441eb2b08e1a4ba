"""The vocoder: from spectrograms of one voice to its sound, by mel spectra, and its pitch by the recordings' own."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.training.codes.mel import pitch, spectrogram
from models.training.codes.readings import Reading
from models.training.loop import Settings
from models.training.speech_out.readings import as_tensor
from models.training.speech_out.spectra import mel_loss
from models.vita_audio.flow import FRAME, SAMPLE_RATE
from models.vita_audio.vocoder import Vocoder

SETTINGS = Settings(betas=(0.8, 0.99), weight_decay=0.0, clip=5.0, floor=0.03)
WINDOW, MARGIN = 32, 4  # frames
"""What of a reading is made, and how much of it at an inner end is given."""
PITCH_WEIGHT, PITCH_RATE = 1.0, 3.0
"""Of the pitch's loss, in hundreds of Hz, and of the learning rate."""
PITCH_START = 60.0


class Phase(NamedTuple):
    name: str
    learning_rate: float


class VocoderBatch(NamedTuple):
    mel: Tensor  # [B, mels, W]
    pitch: Tensor  # [B, W], Hz
    waves: Tensor  # [B, W * FRAME]
    inner: Tensor  # bool [B, W]: what is compared
    seed: int


class Sound(NamedTuple):
    wave: Tensor  # [frames * FRAME]
    mel: Tensor  # [mels, frames]
    pitch: Tensor  # [frames]


def sound(reading: Reading, mels: int) -> Sound:
    wave = as_tensor(reading.wave)
    wave = wave[: len(wave) // FRAME * FRAME]
    return Sound(wave, spectrogram(wave[None], mels)[0], pitch(wave))


class VocoderBatches:
    """Windows of readings, cut anywhere. A function of seed and number."""

    def __init__(self, sounds: Sequence[Sound], size: int, seed: int) -> None:
        self.sounds, self.size, self.seed = [one for one in sounds if len(one.pitch) > WINDOW], size, seed

    @property
    def recipe(self) -> str:
        return f"{len(self.sounds)} readings, {self.size} a batch, seed {self.seed}"

    def __call__(self, number: int) -> VocoderBatch:
        rng = random.Random(f"vocoder {self.seed} {number}")
        rows = []
        for _ in range(self.size):
            wave, mel, hertz = rng.choice(self.sounds)
            last = len(hertz) - WINDOW
            start = min(last, max(0, rng.randint(-WINDOW // 4, last + WINDOW // 4)))
            places = torch.arange(WINDOW)
            inner = ((places >= MARGIN) | (start == 0)) & ((places < WINDOW - MARGIN) | (start == last))
            span = slice(start, start + WINDOW)
            rows.append((mel[:, span], hertz[span], wave[start * FRAME : (start + WINDOW) * FRAME], inner))
        mels, pitches, waves, inside = (torch.stack(part) for part in zip(*rows, strict=True))
        return VocoderBatch(mels, pitches, waves, inside, rng.getrandbits(60))


class VocoderLearner(nn.Module):
    def __init__(self, vocoder: Vocoder, phase: Phase) -> None:
        super().__init__()
        self.vocoder, self.stage = vocoder, phase

    @property
    def device(self) -> torch.device:
        return self.vocoder.conv_pre.weight.device

    def trained(self) -> dict[str, nn.Parameter]:
        """By name in the checkpoint."""
        return dict(self.vocoder.named_parameters())

    def rate_of(self, name: str) -> float:
        """Of the learning rate."""
        return PITCH_RATE if name.startswith("f0_predictor.") else 1.0

    def forward(self, batch: VocoderBatch) -> Tensor:
        """Of the sound and of the pitch, a scalar; in float32."""
        with torch.autocast(self.device.type, enabled=False):
            mel, hertz, waves = (part.to(self.device) for part in batch[:3])
            source = self.vocoder.source(hertz, torch.Generator().manual_seed(batch.seed))
            made = self.vocoder.decode(mel, source)
            inner = batch.inner.repeat_interleave(FRAME, 1).to(self.device)
            loss = mel_loss(torch.where(inner, made, waves), waves, SAMPLE_RATE)
            return loss + PITCH_WEIGHT * F.l1_loss(self.vocoder.pitch(mel), hertz) / 100


@torch.no_grad()
def start(vocoder: Vocoder) -> Vocoder:
    """Its pitch begins where voices are."""
    last = vocoder.f0_predictor.classifier
    last.weight.mul_(PITCH_START)
    last.bias.fill_(PITCH_START)
    return vocoder
