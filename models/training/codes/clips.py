"""What the tokenizer learns from and turns into codes for the language model: speech by many voices, made once.

A clip's features are what the tokenizer hears (Whisper's log mel spectrum), and beside each frame of 20 ms stands the
phoneme that is said in it.
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Literal, NamedTuple

import torch
from safetensors.torch import load_file
from torch import Tensor

from harness.progress import track
from models.training.codes.phonemes import numbers, spoken
from models.training.whole import save_whole, write_whole
from models.vita_audio.speech_features import SAMPLES_PER_CODE, speech_features
from tasks.mini.grammar import sentences
from tasks.mini.speech import manner, placed, through, with_noise
from tasks.mini.training import CHANNELS, NARROW, NOISE_SNR_DB, NOISY, training_fact, training_speaker
from tasks.mini.voices import Language

Content = Literal["en", "zh", "fact"]
SUBFRAMES = 4
"""Frames of 20 ms in a code."""


class Clip(NamedTuple):
    features: Tensor  # half precision [mels, 8 * codes]
    phonemes: Tensor  # uint8 [codes, SUBFRAMES], places in NAMES
    text: str
    meaning: str
    """A fact's answer; "" for a sentence."""

    @property
    def codes(self) -> int:
        return len(self.phonemes)


def clips(content: Content, seed: int, n: int, mels: int, cache: Path) -> list[Clip]:
    """`n` sentences in English or Mandarin, or questions about general facts, by training voices.

    Clip `i` depends on the seed and `i` alone; read from `cache` where it was made before. Needs the extra `espeak`.
    """
    path = cache / f"clips-{content}-{seed}-{n}.safetensors"
    if not path.exists():
        made = []
        with track(f"speech ({content})", n) as progress:
            for number in range(n):
                made.append(_make(content, seed, number, mels))
                progress.advance()
        keep(path, made)
    return kept(path)


def keep(path: Path, made: list[Clip]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    texts = json.dumps([[clip.text, clip.meaning] for clip in made], ensure_ascii=False)
    write_whole(texts, path.with_suffix(".json"))
    tensors = {
        "features": torch.cat([clip.features for clip in made], dim=1),
        "phonemes": torch.cat([clip.phonemes for clip in made]),
        "codes": torch.tensor([clip.codes for clip in made]),
    }
    save_whole(tensors, path)


def kept(path: Path) -> list[Clip]:
    tensors, texts = load_file(path), json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    counts = tensors["codes"].tolist()
    features = tensors["features"].split([2 * SUBFRAMES * count for count in counts], dim=1)
    parts = zip(features, tensors["phonemes"].split(counts), texts, strict=True)
    return [Clip(feature, phonemes, *said) for feature, phonemes, said in parts]


def _make(content: Content, seed: int, number: int, mels: int) -> Clip:
    rng = random.Random(f"codes {content} {seed} {number}")
    language: Language = "zh" if content == "zh" else "en"
    meaning = ""
    if content == "fact":
        text, meaning = training_fact(rng)
    else:
        sentence = next(sentences(rng, "train"))
        text = sentence.english.lower() if content == "en" else sentence.chinese
    speaker = training_speaker(language, rng)
    how = manner(speaker, rng)
    said = spoken(text, speaker.voice, how.speed, how.pitch)
    wave, lead = placed(said.samples, how.level)
    if rng.random() < NARROW:
        wave = through(rng.choice(CHANNELS), wave)
    if rng.random() < NOISY:
        wave = with_noise(wave, rng.uniform(*NOISE_SNR_DB), rng)
    codes = -(-len(wave) // SAMPLES_PER_CODE)
    phonemes = numbers(said.phonemes, lead, SUBFRAMES * codes, SUBFRAMES * 16_000 / SAMPLES_PER_CODE)
    mel = heard(torch.from_numpy(wave), mels)
    return Clip(mel, torch.from_numpy(phonemes).view(codes, SUBFRAMES), text, meaning)


def heard(wave: Tensor, mels: int) -> Tensor:
    """What the tokenizer hears of a 16 kHz wave [n]: half precision [mels, 8 * codes]."""
    return speech_features([wave], mels).mel[0].half()
