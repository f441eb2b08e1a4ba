"""What the small recogniser learns from: texts of the mini world's training part, spoken by training voices.

Sentences of the grammar; questions on general facts; and short answers, alone or in a short carrier, since models
answer briefly. Nothing of the dev and test parts, neither sentences nor voices.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.progress import track
from tasks.judges.mini_ctc.features import BANDS, log_mel
from tasks.mini import vocabulary as v
from tasks.mini.facts import facts
from tasks.mini.grammar import sentences
from tasks.mini.training import recorded, training_speaker
from tasks.mini.voices import Language

SENTENCES, QUESTIONS = 0.66, 0.14
"""Shares of the English texts; the rest are short ones. Mandarin has no questions, and as many short ones."""
CARRIED = 0.4
ENGLISH_CARRIERS = ("it is {}", "the answer is {}", "i think it is {}", "that is {}", "it is called {}", "a {}",
                    "the {}", "i see {}", "there is {}")  # fmt: skip
CHINESE_CARRIERS = ("是{}", "有{}", "在{}", "我有{}", "他是{}")
PLAIN = ("yes", "no", "zero", "hello", "thank you", "i do not know", "i don't know", "it's not", "that's right")
WORKERS = 2
TEXTS = 30_000
"""Drawn to know all words; more add none."""
FEW = 200  # clips that are not worth the start of processes


class Clip(NamedTuple):
    features: NDArray[np.float16]  # [frames, BANDS]
    text: str
    language: Language


def corpus(seed: int, n: int, cache: Path) -> list[Clip]:
    """`n` clips, English and Mandarin in turn. Clip `i` depends on the seed and `i` alone. Needs the extra `espeak`.

    Read from `cache` where they were made before.
    """
    cache.mkdir(parents=True, exist_ok=True)
    path, index = cache / f"ctc-{seed}-{n}.f16", cache / f"ctc-{seed}-{n}.json"
    if not index.exists():
        lengths, texts = [], []
        with path.open("wb") as file, track("speech", n) as progress:
            for clip in _made(seed, n):
                file.write(clip.features.tobytes())
                lengths.append(len(clip.features))
                texts.append((clip.text, clip.language))
                progress.advance()
        index.write_text(json.dumps({"lengths": lengths, "texts": texts}, ensure_ascii=False), encoding="utf-8")
    told = json.loads(index.read_text(encoding="utf-8"))
    frames = np.memmap(path, np.float16, "r").reshape(-1, BANDS)
    pieces = np.split(frames, np.cumsum(told["lengths"])[:-1])
    return [Clip(piece, *text) for piece, text in zip(pieces, told["texts"], strict=True)]


def characters() -> list[str]:
    """The Mandarin characters of the closed vocabulary, sorted; the same whatever the seed of a training."""
    drawn = islice(sentences(random.Random("characters"), "train"), 20_000)
    texts = [sentence.chinese for sentence in drawn] + [carrier.format("") for carrier in CHINESE_CARRIERS]
    return sorted(set("".join((*texts, *short_texts("zh"), v.DIGITS))))


def words() -> list[str]:
    """The English words of the closed vocabulary, sorted; the same whatever the seed of a training."""
    rng = random.Random("words")
    return sorted({word for _ in range(TEXTS) for word in text_of("en", rng).split()})


def text_of(language: Language, rng: random.Random) -> str:
    """One text to be spoken; English in lower case."""
    kind = rng.random()
    if language == "en":
        if kind < SENTENCES:
            return next(sentences(rng, "train")).english.lower()
        if kind < SENTENCES + QUESTIONS:
            return rng.choice(rng.choice(facts()).wordings)
    elif kind < SENTENCES + QUESTIONS:
        return next(sentences(rng, "train")).chinese
    word = rng.choice(short_texts(language))
    carriers = ENGLISH_CARRIERS if language == "en" else CHINESE_CARRIERS
    return rng.choice(carriers).format(word) if rng.random() < CARRIED else word


@cache
def short_texts(language: Language) -> tuple[str, ...]:
    """Words, numbers and answers of a language; English in lower case."""
    pairs = (*v.COLOURS, *v.QUALITIES, *v.COMPARISONS, *v.WEATHER, *v.PLACES, *v.CITIES, *v.PRONOUNS, *v.HOBBIES,
             *v.TIMES)  # fmt: skip
    nouns = (*v.PEOPLE, *v.ANIMALS, *v.GOODS, *v.FOODS)
    numbers = range(1, 100)
    if language == "zh":
        words = [pair.chinese for pair in pairs] + [noun.chinese for noun in nouns]
        words += [verb.chinese for verb in (*v.ACTIONS, *v.MEALS, *v.MOVES)] + [v.chinese_number(n) for n in numbers]
        return tuple(words)
    words = [answer for fact in facts() for answer in fact.answers if not answer.isdigit()]
    words += [pair.english for pair in pairs] + [word for noun in nouns for word in (noun.english, noun.plural)]
    words += [form for verb in (*v.ACTIONS, *v.MEALS, *v.MOVES) for form in (verb.base, verb.third, verb.past)]
    words += [v.english_number(n) for n in numbers]
    return tuple(word.lower() for word in (*words, *PLAIN * 3))


def _made(seed: int, n: int) -> Iterator[Clip]:
    make = partial(_make, seed)
    if n <= FEW:
        yield from map(make, range(n))
        return
    with ProcessPoolExecutor(WORKERS, get_context("spawn")) as pool:
        yield from pool.map(make, range(n), chunksize=50)


def _make(seed: int, number: int) -> Clip:
    rng = random.Random(f"ctc {seed} {number}")
    language: Language = "zh" if number % 2 else "en"
    text = text_of(language, rng)
    wave = recorded(text, training_speaker(language, rng), rng)
    return Clip(log_mel(wave).astype(np.float16), text, language)
