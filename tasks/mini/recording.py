"""What the archives of speech share: sentences that are said once, the group's speakers in turn, files."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile

from tasks.mini.grammar import Sentence, sentences
from tasks.mini.partition import Part
from tasks.mini.speech import RATE, Waveform, synthesize
from tasks.mini.voices import Group, Language, Speaker, speakers

SEED = 0
STORED_LEVELS = 1 << 8
"""Recordings are kept on a coarser grid than `speech.LEVELS`, about 31 dB below the speech: a sixth less to ship."""


def unique(part: Part, rng: random.Random) -> Iterator[Sentence]:
    """Endless sentences of a part of the world, none twice."""
    seen: set[Sentence] = set()
    for sentence in sentences(rng, part):
        if sentence not in seen:
            seen.add(sentence)
            yield sentence


def say(sentence: Sentence, speaker: Speaker, rng: random.Random) -> Waveform:
    """The sentence in the speaker's language."""
    return synthesize(sentence.english if speaker.language == "en" else sentence.chinese, speaker, rng)


def store(path: Path, wave: Waveform) -> None:
    """As FLAC, 16 kHz, 16 bits, on the grid of `STORED_LEVELS`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    steps = np.round(wave * STORED_LEVELS).clip(-STORED_LEVELS, STORED_LEVELS - 1).astype(np.int16)
    pcm = steps * np.int16(32768 // STORED_LEVELS)
    soundfile.write(path, pcm, RATE, format="FLAC", subtype="PCM_16", compression_level=1.0)


def write_lines(path: Path, lines: list[str]) -> None:
    """UTF-8 with a line feed after each line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes("".join(f"{line}\n" for line in lines).encode())


def turns(group: Group, language: Language, count: int) -> list[tuple[int, Speaker]]:
    """The group's speakers with their numbers, each with its share of `count` utterances, one after the other."""
    people = speakers(group, language)
    return [(i * len(people) // count, people[i * len(people) // count]) for i in range(count)]


def printed(text: str, language: Language) -> str:
    """A sentence as it is printed: cased, with its full stop."""
    return f"{cased(text.lower())}." if language == "en" else f"{text}。"


def cased(text: str) -> str:
    """A sentence with its capital at the start, and the pronoun I."""
    words = ["I" if word == "i" else word for word in text.split()]
    return " ".join([words[0].capitalize() if words[0] != "I" else "I", *words[1:]])
