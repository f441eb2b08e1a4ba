"""The speech tokenizer trained, from clips to the folder that is read like the release's, and what it hears."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from models.nn.whisper import sinusoids
from models.training.codes.clips import Clip, clips
from models.training.codes.phases import join_losses, run
from models.training.codes.readings import FIRST_HELD_OUT, Reading, readings
from models.training.codes.sizes import SpeechSize
from models.training.codes.tokenizer_stage import (
    SETTINGS,
    Phase,
    PhonemeHead,
    TokenizerBatches,
    TokenizerLearner,
    collate,
    moving_averages,
    phoneme_loss,
    tell,
)
from models.training.controls import Controls
from models.training.speech_out.codebooks import k_means
from models.vita_audio.speech_checkpoint import load_tokenizer, save_tokenizer
from models.vita_audio.speech_tokenizer import SpeechTokenizer

PHASES = (Phase("phonemes", False), Phase("codes", True))
CODEBOOK, CODEBOOK_CLIPS = "codebook.safetensors", 3000
READER_SHARE = 8
"""One of so many readings is heard too."""
FOLDER = "glm-4-voice-tokenizer"


class Speech(NamedTuple):
    """What the tokenizer hears, held-out clips apart."""

    en: list[Clip]
    zh: list[Clip]
    facts: list[Clip]
    readings: list[Reading]

    @property
    def learnt(self) -> list[Clip]:
        return [*self.en, *self.zh, *self.facts, *(reading.clip for reading in self.readings[::READER_SHARE])]


def speech(size: SpeechSize, seed: int, cache: Path) -> tuple[Speech, Speech]:
    """What is learnt from, and what is held out; made once below `cache`. Raises SynthesizerError."""
    mels, out = size.tokenizer.mels, size.held_out
    kinds = [clips(what, seed, n + out, mels, cache) for what, n in
             (("en", size.sentences), ("zh", size.sentences), ("fact", size.facts))]  # fmt: skip
    read = readings(seed, 0, size.readings, mels, cache), readings(seed, FIRST_HELD_OUT, out, mels, cache)
    return Speech(*(kind[out:] for kind in kinds), read[0]), Speech(*(kind[:out] for kind in kinds), read[1])


def train_tokenizer(size: SpeechSize, seed: int, folder: Path, cache: Path, device: str) -> dict[str, Any]:
    """Train it and write FOLDER below `folder`. What it took and came to, as `stage.json` has it."""
    heard, kept = speech(size, seed, cache)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        tokenizer, head = SpeechTokenizer(size.tokenizer), PhonemeHead(size.tokenizer.width)
        for table in (tokenizer.embed_positions, tokenizer.embed_positions2):
            table.weight.data.copy_(sinusoids(*table.weight.shape))
    seconds, learnt = 0.0, heard.learnt
    for phase in PHASES:
        effort = size.efforts[phase.name]
        if phase.quantised:
            find_codebook(tokenizer, learnt, seed, folder / CODEBOOK)
        learner = TokenizerLearner(tokenizer, head, phase._replace(learning_rate=effort.learning_rate)).to(device)
        batches = TokenizerBatches(learnt, effort.batch, seed, phase.name)
        seconds += run(learner, batches, effort.steps, folder / phase.name, SETTINGS)
    join_losses(folder, [phase.name for phase in PHASES])
    tokenizer, head = tokenizer.to("cpu").eval(), head.to("cpu").eval()
    for name, tensor in moving_averages(tokenizer, features_of(tokenizer, learnt[::8])).items():
        getattr(tokenizer, name).copy_(tensor)
    save_tokenizer(folder / FOLDER, tokenizer)
    held_out = [*kept.en, *kept.zh, *kept.facts]
    told, reader = tell(tokenizer, head, held_out), tell(tokenizer, head, [one.clip for one in kept.readings])
    return {
        "seconds": seconds,
        "clips": len(learnt),
        "trained_parameters": sum(value.numel() for value in learner.trained().values()),
        "held_out_loss": tokenizer_controls(tokenizer, head, held_out)._asdict(),
        "told": told._asdict(),
        "told_of_reader": reader._asdict(),
    }


def find_codebook(tokenizer: SpeechTokenizer, learnt: Sequence[Clip], seed: int, path: Path) -> None:
    """Put k-means' centres into the codebook: once, then from `path`."""
    if not path.exists():
        features = features_of(tokenizer, learnt[:: max(1, len(learnt) // CODEBOOK_CLIPS)])
        centres = k_means(features, tokenizer.config.codes, seed)
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file({"codebook": centres}, path)
    tokenizer.codebook.weight.data.copy_(load_file(path)["codebook"])


@torch.no_grad()
def features_of(tokenizer: SpeechTokenizer, some: Sequence[Clip], size: int = 32) -> Tensor:
    """What is quantised: [codes, width]"""
    ordered, found = sorted(some, key=lambda clip: clip.codes), []
    for start in range(0, len(ordered), size):
        group = ordered[start : start + size]
        encoded = tokenizer(*collate([clip.features.float() for clip in group], group)[:2])
        found.append(encoded.features[encoded.mask])
    return torch.cat(found)


@torch.no_grad()
def codes_of(tokenizer: SpeechTokenizer, some: Sequence[Clip], size: int = 32) -> list[list[int]]:
    """The codes of clips, in their order."""
    places = sorted(range(len(some)), key=lambda place: some[place].codes)
    found: list[list[int]] = [[] for _ in some]
    for start in range(0, len(places), size):
        group = [some[place] for place in places[start : start + size]]
        codes = tokenizer(*collate([clip.features.float() for clip in group], group)[:2]).codes
        for place, clip, row in zip(places[start : start + size], group, codes.tolist(), strict=True):
            found[place] = row[: clip.codes]
    return found


@torch.no_grad()
def tokenizer_controls(tokenizer: SpeechTokenizer, head: PhonemeHead, some: Sequence[Clip], size: int = 24) -> Controls:
    """Loss of the phonemes by the clips' own codes, by those of silence, and by those of the clip before."""
    ordered = sorted(some, key=lambda clip: clip.codes)
    sums, count = torch.zeros(3), 0
    for start in range(0, len(ordered), size):
        group = ordered[start : start + size]
        batch = collate([clip.features.float() for clip in group], group)
        mels = (batch.mel, torch.full_like(batch.mel, -1.0), batch.mel.roll(1, 0))
        entries = [tokenizer.codebook(tokenizer(mel, batch.mask).codes) for mel in mels]
        sums += len(group) * torch.stack([phoneme_loss(head(x), batch.phonemes) for x in entries])
        count += len(group)
    return Controls(*(sums / count).tolist())


def load(folder: Path) -> SpeechTokenizer:
    """A stage's tokenizer. Raises CheckpointError."""
    return load_tokenizer(folder / FOLDER).model
