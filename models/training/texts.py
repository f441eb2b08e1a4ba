"""All that is written in the mini world's training part, as samples: their words make the tokenizer.

python -m models.training.texts    # draws the samples and writes words.json; half a minute
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from models.training.tokenizer import words
from tasks.mini.clip_exercises import CLIP_EXERCISES, training_clip
from tasks.mini.exercises import EXERCISES, training_exercise
from tasks.mini.facts import facts
from tasks.mini.grammar import sentences
from tasks.mini.recording import printed
from tasks.mini.training import training_scenes

SENTENCES, SCENES, PICTURES, CLIPS = 20_000, 7_000, 1_500, 300
"""More add next to no word. Pictures and clips are of each benchmark."""
SPOKEN = ("system\n", "user\n", "assistant\n", "Yes", "No", "yes", "no", "Describe this image.")


WORDS = Path(__file__).with_name("words.json")
"""All words of the samples. A word that was never drawn is spelt in bytes, which costs length and not sense."""


def known_words() -> list[str]:
    found: list[str] = json.loads(WORDS.read_text(encoding="utf-8"))
    return found


def texts() -> Iterator[str]:
    """The same whatever the seed of a training."""
    yield from SPOKEN
    for sentence in islice(sentences(random.Random("words"), "train"), SENTENCES):
        english = sentence.english.lower()
        yield from (english, f" {english}", sentence.chinese)
        yield from (printed(sentence.english, "en"), printed(sentence.chinese, "zh"))
    for scene in training_scenes(-1, SCENES):
        yield from (scene.caption, scene.questions[0].text, scene.questions[1].text)
    for fact in facts():
        yield from fact.answers
        for wording in fact.wordings:
            yield from (wording, f"{wording[0].upper()}{wording[1:]}?")
    for name in EXERCISES:
        for number in range(PICTURES):
            yield from _said(training_exercise(name, -1, number).turns)
    for name in CLIP_EXERCISES:
        for number in range(CLIPS):
            yield from _said(training_clip(name, -1, number).turns)


def _said(turns: tuple[tuple[str, str], ...]) -> Iterator[str]:
    """An answer stands alone and within a sentence."""
    for asked, answer in turns:
        yield from (asked, answer, f" {answer}")


if __name__ == "__main__":
    WORDS.write_text(json.dumps(words(texts()), ensure_ascii=False, indent=0) + "\n", encoding="utf-8")
