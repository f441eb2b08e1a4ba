"""The speech tokenizer, in two phases: the encoder learns to tell the phonemes; then through a codebook.

The codebook is found by k-means in what the encoder gives, and both learn on. What tells the phonemes of a code is a
small network above it, which is not shipped.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.training.codes.clips import SUBFRAMES, Clip
from models.training.codes.phonemes import NAMES
from models.training.loop import Settings
from models.vita_audio.speech_tokenizer import SpeechTokenizer

SETTINGS = Settings(clip=1.0, floor=0.02)
COMMITTED, DRAWN = 0.25, 1.0
"""Weights of the distance between features and entries, for the features and for the entries."""
HEAD = 192
NOT_SPEECH = -100
WARP, BLOTTED, NOISE, SHIFT = 0.1, 8, 0.03, 0.1
"""Of the features: by how much frequencies are shifted at most, the widest band that is left out, noise, loudness."""
PER_CODE = 2 * SUBFRAMES
"""Frames of the spectrum."""


class Phase(NamedTuple):
    name: str
    quantised: bool
    learning_rate: float = 0.0


class TokenizerBatch(NamedTuple):
    mel: Tensor  # [B, mels, T]
    mask: Tensor  # [B, T]
    phonemes: Tensor  # int64 [B, T / PER_CODE, SUBFRAMES], NOT_SPEECH beyond a clip's end


class TokenizerBatches:
    """Clips of like length, each a little changed. A function of phase, seed and number."""

    def __init__(self, clips: Sequence[Clip], size: int, seed: int, phase: str, plain: bool = False) -> None:
        self.clips = sorted(clips, key=lambda clip: (clip.codes, clip.text))
        self.size, self.seed, self.phase, self.plain = size, seed, phase, plain

    @property
    def recipe(self) -> str:
        """What its batches follow, beside the phase."""
        return f"{len(self.clips)} clips, {self.size} a batch, seed {self.seed}"

    def __call__(self, number: int) -> TokenizerBatch:
        rng = random.Random(f"tokenizer {self.phase} {self.seed} {number}")
        first = rng.randrange(max(1, len(self.clips) - self.size + 1))
        some = self.clips[first : first + self.size]
        return collate([clip.features.float() if self.plain else changed(clip, rng) for clip in some], some)


def collate(features: Sequence[Tensor], clips: Sequence[Clip]) -> TokenizerBatch:
    codes = max(clip.codes for clip in clips)
    mel = features[0].new_full((len(clips), len(features[0]), PER_CODE * codes), -1.0)
    mask = torch.zeros(len(clips), PER_CODE * codes, dtype=torch.bool)
    phonemes = torch.full((len(clips), codes, SUBFRAMES), NOT_SPEECH)
    for row, (feature, clip) in enumerate(zip(features, clips, strict=True)):
        mel[row, :, : feature.shape[1]], mask[row, : feature.shape[1]] = feature, True
        phonemes[row, : clip.codes] = clip.phonemes.long()
    return TokenizerBatch(mel, mask, phonemes)


def changed(clip: Clip, rng: random.Random) -> Tensor:
    """As from another throat, at another distance, with a band left out: [mels, T]"""
    x = clip.features.float()
    mels = len(x)
    bands = (torch.arange(mels) * rng.uniform(1 - WARP, 1 + WARP)).clamp(0, mels - 1)
    below = bands.floor().long()
    share = (bands - below)[:, None]
    x = x[below] * (1 - share) + x[(below + 1).clamp_max(mels - 1)] * share
    generator = torch.Generator().manual_seed(rng.getrandbits(60))
    x = x + NOISE * torch.randn(x.shape, generator=generator) + rng.uniform(-SHIFT, SHIFT)
    width = rng.randint(0, BLOTTED)
    start = rng.randint(0, mels - width)
    x[start : start + width] = x.mean()
    return x


class PhonemeHead(nn.Module):
    """The phonemes of each code, from it and its neighbours: [B, T, width] -> [B, T, SUBFRAMES, phonemes]"""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Conv1d(width, HEAD, 3, padding=1)
        self.last = nn.Linear(HEAD, SUBFRAMES * len(NAMES))

    def forward(self, x: Tensor) -> Tensor:
        hidden = F.gelu(self.first(x.transpose(1, 2))).transpose(1, 2)
        return self.last(hidden).unflatten(-1, (SUBFRAMES, len(NAMES)))


class TokenizerLearner(nn.Module):
    def __init__(self, tokenizer: SpeechTokenizer, head: PhonemeHead, phase: Phase) -> None:
        super().__init__()
        self.tokenizer, self.head, self.stage = tokenizer, head, phase

    @property
    def device(self) -> torch.device:
        return self.tokenizer.conv1.weight.device

    def trained(self) -> dict[str, nn.Parameter]:
        """By name in the checkpoint; positions are Whisper's and stay, and those behind the codebook are not used."""
        fixed = ("embed_positions.", "embed_positions2.", *(() if self.stage.quantised else ("codebook.",)))
        named = {name: p for name, p in self.tokenizer.named_parameters() if not name.startswith(fixed)}
        return named | {f"head.{name}": p for name, p in self.head.named_parameters()}

    def rate_of(self, name: str) -> float:
        """Of the learning rate."""
        return 1.0

    def forward(self, batch: TokenizerBatch) -> Tensor:
        """The phase's loss, a scalar. In float32, in which attention is faster here on the CPU."""
        with torch.autocast(self.device.type, enabled=False):
            return self._loss(batch)

    def _loss(self, batch: TokenizerBatch) -> Tensor:
        encoded = self.tokenizer(batch.mel.to(self.device), batch.mask.to(self.device))
        features, wanted = encoded.features.float(), batch.phonemes.to(self.device)
        if not self.stage.quantised:
            return phoneme_loss(self.head(features), wanted)
        spoken = wanted[..., 0] != NOT_SPEECH
        entries = self.tokenizer.codebook(encoded.codes).float()
        through = features + (entries - features).detach()
        committed = F.mse_loss(features[spoken], entries[spoken].detach())
        drawn = F.mse_loss(entries[spoken], features[spoken].detach())
        return phoneme_loss(self.head(through), wanted) + COMMITTED * committed + DRAWN * drawn


def phoneme_loss(scores: Tensor, wanted: Tensor) -> Tensor:
    return F.cross_entropy(scores.float().flatten(0, 2), wanted.flatten(), ignore_index=NOT_SPEECH)


class Told(NamedTuple):
    """Shares of 20 ms whose phoneme is told right."""

    features: float
    """From what is quantised."""
    codes: float
    perplexity: float
    used: int


@torch.no_grad()
def tell(tokenizer: SpeechTokenizer, head: PhonemeHead, clips: Sequence[Clip], size: int = 24) -> Told:
    """How well the phonemes are told, and how many codes are used: as many equally frequent ones would be as many."""
    ordered = sorted(clips, key=lambda clip: clip.codes)
    right, total = torch.zeros(2), 0
    counts = torch.zeros(tokenizer.config.codes, dtype=torch.long)
    for start in range(0, len(ordered), size):
        some = ordered[start : start + size]
        batch = collate([clip.features.float() for clip in some], some)
        encoded = tokenizer(batch.mel, batch.mask)
        inside = batch.phonemes != NOT_SPEECH
        for place, x in enumerate((encoded.features, tokenizer.codebook(encoded.codes))):
            right[place] += ((head(x).argmax(-1) == batch.phonemes) & inside).sum()
        total += int(inside.sum())
        counts += torch.bincount(encoded.codes[inside[..., 0]], minlength=len(counts))
    shares = counts[counts > 0] / counts.sum()
    perplexity = float((-(shares * shares.log()).sum()).exp())
    return Told(float(right[0]) / total, float(right[1]) / total, perplexity, int((counts > 0).sum()))


@torch.no_grad()
def moving_averages(tokenizer: SpeechTokenizer, features: Tensor) -> Mapping[str, Tensor]:
    """The codebook's buffers as the release has them: how often each entry occurs and the sum of what fell to it."""
    table = tokenizer.codebook.weight
    nearest = (table.square().sum(1) - 2 * features @ table.T).argmin(1)
    counts = torch.bincount(nearest, minlength=len(table)).float()
    return {"ema_count": counts, "ema_weight": torch.zeros_like(table).index_add_(0, nearest, features)}
