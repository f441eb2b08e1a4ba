"""The speech encoder alone: what it hears, frame by frame and word by word, before any language model listens.

Whisper brings acoustics along that it learnt from hours of speech. In minutes an encoder learns them from the
synthesiser, which tells the phoneme of each 20 ms (`models.training.codes.phonemes`); beside it, by CTC, to spell the
tokens that are said. Both heads are left behind.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.nexus_o.omni import Nexus
from models.text.tokenizer import QwenTokenizer
from models.training.codes.clips import Clip, clips
from models.training.codes.phonemes import NAMES
from models.training.codes.tokenizer_stage import NOT_SPEECH, changed
from models.training.nexus.base import BaseStage

MADE = {"en": 14_000, "zh": 12_000, "fact": 5000}
"""Clips of each kind."""
HELD_OUT = 200
"""The first of each kind are kept from training."""
FILL = -1.0
"""Of the spectrum behind a clip: eight decades below a loud clip's maximum."""
MOST_FILL = 100
"""Frames of 10 ms behind the longest clip of a batch."""


class Heard(NamedTuple):
    """Clips side by side, and what is said in them."""

    mel: Tensor  # [B, mels, 2 T]
    phonemes: Tensor  # int64 [B, T], NOT_SPEECH behind a clip's end
    units: tuple[Tensor, ...]  # int64 [m] each: the tokens


def heard_clips(seed: int, mels: int, cache: Path, held_out: bool) -> list[Clip]:
    """Made once below `cache`. Raises SynthesizerError without the extra `espeak`."""
    found: list[Clip] = []
    for content, count in MADE.items():
        made = clips(content, seed, count, mels, cache)  # type: ignore[arg-type]
        found += made[:HELD_OUT] if held_out else made[HELD_OUT:]
    return found


class HearingBatches:
    """Clips of like length, each a little changed unless they are held out. A function of seed and number."""

    def __init__(
        self, made: Sequence[Clip], tokenizer: QwenTokenizer, size: int, seed: int, plain: bool = False
    ) -> None:
        self.made = sorted(made, key=lambda clip: (clip.codes, clip.text))
        self.tokenizer, self.size, self.seed, self.plain = tokenizer, size, seed, plain

    @property
    def recipe(self) -> str:
        """What its batches follow, beside the stage."""
        return f"{len(self.made)} clips, {self.size} a batch, seed {self.seed}"

    def __call__(self, number: int) -> Heard:
        rng = random.Random(f"hearing {self.seed} {number}")
        first = rng.randrange(max(1, len(self.made) - self.size + 1))
        some = self.made[first : first + self.size]
        features = [clip.features.float() if self.plain else changed(clip, rng) for clip in some]
        frames = max(feature.shape[1] for feature in features) + 2 * rng.randint(0, MOST_FILL // 2)
        mel = torch.full((len(some), len(features[0]), frames), FILL)
        phonemes = torch.full((len(some), frames // 2), NOT_SPEECH)
        for row, (feature, clip) in enumerate(zip(features, some, strict=True)):
            mel[row, :, : feature.shape[1]] = feature
            phonemes[row, : clip.phonemes.numel()] = clip.phonemes.flatten().long()
        return Heard(mel, phonemes, tuple(torch.tensor(self.tokenizer.encode(clip.text.lower())) for clip in some))


class HearingLearner(nn.Module):
    """Cross-entropy of the phonemes of each frame, and CTC of the tokens, with the blank in place 0."""

    def __init__(self, model: Nexus, stage: BaseStage, seed: int) -> None:
        super().__init__()
        self.model, self.stage = model, stage
        width = model.config.audio.d_model
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.phoneme_head = nn.Linear(width, len(NAMES))
            self.ctc_head = nn.Linear(width, model.config.language.vocab_size + 1)

    @property
    def device(self) -> torch.device:
        return self.model.device

    def trained(self) -> dict[str, nn.Parameter]:
        """The encoder by its names in the model, and the heads."""
        heads = (("phoneme_head", self.phoneme_head), ("ctc_head", self.ctc_head))
        named = [pair for prefix, head in heads for pair in head.named_parameters(prefix=prefix)]
        return {name: value for name, value in (*self.model.named_parameters(), *named) if self.stage.trains(name)}

    def rate_of(self, name: str) -> float:
        return 1.0

    def forward(self, heard: Heard) -> Tensor:
        """A scalar."""
        frames = self.model.model.audio_tower.frames(heard.mel)  # [B, T, width]
        told = F.cross_entropy(
            self.phoneme_head(frames).float().flatten(0, 1), heard.phonemes.flatten(), ignore_index=NOT_SPEECH
        )
        scores = self.ctc_head(frames).float().log_softmax(-1)  # [B, T, 1 + tokens]
        lengths = (heard.phonemes != NOT_SPEECH).sum(1)
        counts = torch.tensor([len(units) for units in heard.units])
        spelt = F.ctc_loss(scores.transpose(0, 1), torch.cat(heard.units) + 1, lengths, counts, zero_infinity=True)
        return told + spelt
