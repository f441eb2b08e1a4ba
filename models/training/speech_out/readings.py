"""What the mini model learns to say, and how it sounds: short texts, read by one voice in both languages.

The reader is a training voice of the mini world at one speed, one pitch and one loudness, without noise, so that a
word sounds alike each time and its codes can be told from its text.
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soxr
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import Tensor

from harness.media import espeak
from harness.progress import track
from models.training.ctc_corpus import CHINESE_CARRIERS, ENGLISH_CARRIERS, short_texts
from models.training.whole import save_whole, write_whole
from models.vita15.tts_text import speech_text
from tasks.mini.grammar import sentences
from tasks.mini.voices import MANDARIN, Language, Speaker

READERS: dict[Language, Speaker] = {
    "en": Speaker("en", "en-us", "m1", 50, 195),
    "zh": Speaker("zh", MANDARIN, "m1", 50, 205),
}
"""One voice. Of the training voices it is the one that the judge mini-ctc hears best, at the speed it hears best."""
GAIN, LOUDEST = 0.6, 0.95
QUIET, EDGE_TOKENS = 0.01, 2
"""Under QUIET of the loudest sample the ends are cut; then as much silence as EDGE_TOKENS codec tokens is put there."""
SENTENCES, SPANS, CARRIED, FIGURES = 0.3, 0.3, 0.25, 0.06
"""Shares: of all texts sentences, and some words out of one; of the others, which are short, those in a carrier and
English numbers in figures."""
LONGEST_SPAN = 4  # words
PAIRED, MARKED, FOLLOWING = 0.05, 0.6, 0.4
"""Shares of texts that are two, that end in a mark, and of English ones that begin with the space that a segment has
when another was before it. To the tokenizer a word behind a space is another one."""
MARKS: dict[Language, tuple[str, ...]] = {"en": (".", ".", ".", ",", "?", "!"), "zh": ("。", "。", "，", "？")}


class Reading(NamedTuple):
    text: str
    """As the decoder gets it: a segment in its spoken form."""
    wave: NDArray[np.int16]
    """[samples] at the codec's rate, whole tokens."""


def text(seed: int, number: int) -> tuple[str, Language]:
    """A segment to be read, English and Mandarin in turn. Depends on seed and number only."""
    rng = random.Random(f"reading {seed} {number}")
    language: Language = "zh" if number % 2 else "en"
    said = _said(language, rng, number // 2)
    if rng.random() < PAIRED:
        joint = rng.choice((", ", " ", " and ")) if language == "en" else rng.choice(("，", ""))
        said = f"{said}{joint}{_said(language, rng, number // 2)}"
    if language == "en" and rng.random() < FOLLOWING:
        said = f" {said}"
    if rng.random() < MARKED:
        said += rng.choice(MARKS[language])
    return speech_text(said), language


def _said(language: Language, rng: random.Random, turn: int) -> str:
    """One thing to say: a sentence of the training part, some words of one, or a short text, each in its turn."""
    if (kind := rng.random()) < SENTENCES + SPANS:
        sentence = next(sentences(rng, "train"))
        words = sentence.english.lower().split() if language == "en" else list(sentence.chinese_words)
        if kind > SENTENCES:
            length = rng.randint(1, min(LONGEST_SPAN, len(words)))
            first = rng.randint(0, len(words) - length)
            words = words[first : first + length]
        return (" " if language == "en" else "").join(words)
    if language == "en" and rng.random() < FIGURES:
        return str(rng.randrange(100))
    known = short_texts(language)
    word = known[turn % len(known)]
    carriers = ENGLISH_CARRIERS if language == "en" else CHINESE_CARRIERS
    return rng.choice(carriers).format(word) if rng.random() < CARRIED else word


def reading(seed: int, number: int, rate: int, hop: int) -> Reading:
    """A text read at `rate` samples a second, `hop` samples a token. Raises SynthesizerError."""
    said, language = text(seed, number)
    return Reading(said, read(said, language, rate, hop))


def read(said: str, language: Language, rate: int, hop: int) -> NDArray[np.int16]:
    """A text read aloud: [samples], whole tokens of `hop`. The sound starts at the start of a token."""
    reader = READERS[language]
    return laid(espeak.speak(said, reader.voice, reader.speed, reader.pitch), rate, hop).wave


class Laid(NamedTuple):
    wave: NDArray[np.int16]
    lead: float
    """Seconds of what was spoken that come before the wave; less than 0 where silence was put there."""


def laid(spoken: NDArray[np.int16], rate: int, hop: int) -> Laid:
    """What espeak-ng said, in whole tokens, with silence at the ends. Raises SynthesizerError where it is silent."""
    wave = spoken.astype(np.float32) / 32768
    if not wave.any():
        raise espeak.SynthesizerError("espeak-ng says nothing for a text")
    loud = np.flatnonzero(np.abs(wave) > QUIET * np.abs(wave).max())
    wave = soxr.resample(wave[loud[0] : loud[-1] + 1] * GAIN, espeak.RATE, rate).clip(-LOUDEST, LOUDEST)
    wave = np.pad(wave, (EDGE_TOKENS * hop, EDGE_TOKENS * hop + -len(wave) % hop))
    lead = float(loud[0]) / espeak.RATE - EDGE_TOKENS * hop / rate
    return Laid(np.round(wave * 32767).astype(np.int16), lead)


def readings(seed: int, first: int, n: int, rate: int, hop: int, cache: Path) -> list[Reading]:
    """`n` readings from number `first` on, from `cache` where they were made before."""
    path = cache / f"readings-{seed}-{first}-{n}.safetensors"
    texts = path.with_suffix(".json")
    if not texts.exists():
        cache.mkdir(parents=True, exist_ok=True)
        made = []
        with track("readings", n) as progress:
            for number in range(first, first + n):
                made.append(reading(seed, number, rate, hop))
                progress.advance()
        waves = torch.from_numpy(np.concatenate([one.wave for one in made]))
        save_whole({"waves": waves, "lengths": torch.tensor([len(one.wave) for one in made])}, path)
        write_whole(json.dumps([one.text for one in made], ensure_ascii=False), texts)
    tensors = load_file(path)
    waves = tensors["waves"].split(tensors["lengths"].tolist())
    told = json.loads(texts.read_text(encoding="utf-8"))
    return [Reading(said, wave.numpy()) for said, wave in zip(told, waves, strict=True)]


def as_tensor(wave: NDArray[np.int16]) -> Tensor:
    """[samples], float32 in -1..1."""
    return torch.from_numpy(wave).float() / 32767
