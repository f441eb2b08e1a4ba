"""Things in places with any words for names, and questions on them, from which a language model learns to look.

A scene has two questions and one of a few colours and shapes; from those, a small language model learns by heart which
words go with which answer, and is at a loss before two colours. Here the words are any and the questions many.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import NamedTuple

from models.training.collages import cells
from tasks.mini.drawing import COLOURS, OBJECTS, thing
from tasks.mini.noting import Thing
from tasks.mini.questions import MOST_THINGS, Question, how_many, is_coloured, is_there
from tasks.mini.words import CHINESE

SCATTERED, COUNTED = 6, 3
"""Questions on a picture of different things and on one of many alike."""
MOST_DIFFERENT = 3
QUIZZED = 5
UNITS = ("", "", "", " cm", " kg", ".5", "0")

CHOSEN = 0.5
"""Of the questions on several things: those with options."""


class Choice(NamedTuple):
    text: str
    options: tuple[str, ...]
    answer: str


class Drill(NamedTuple):
    things: list[Thing]
    questions: list[Question | Choice]


def drill(rng: random.Random, words: Sequence[str]) -> Drill:
    """A drill with the world's shapes and colours, or with any `words` in their place."""
    if rng.random() < 0.25:
        return _counted(rng)
    known = rng.random() < 0.5
    return _scattered(rng, list(OBJECTS) if known else words, list(COLOURS) if known else words)


def _scattered(rng: random.Random, names: Sequence[str], colours: Sequence[str]) -> Drill:
    number = rng.randint(1, MOST_DIFFERENT)
    there, hues = rng.sample(names, number), rng.choices(colours, k=number)
    boxes = rng.sample(cells(2, rng), number)
    things = [thing(box, f" {hue} {name}") for box, hue, name in zip(boxes, hues, there, strict=True)]
    questions: list[Question | Choice] = []
    for _ in range(SCATTERED):
        right = rng.random() < 0.5
        if number > 1 and rng.random() < CHOSEN:
            questions.append(_chosen(rng, list(zip(there, hues, strict=True)), names, colours))
            continue
        if rng.random() < 0.5:
            text = is_there(rng.choice(there if right else _but(names, there)))
        else:
            name, hue = rng.choice(list(zip(there, hues, strict=True)))
            text = is_coloured(name, hue if right else rng.choice(_but((*rng.sample(colours, 3), *hues), [hue])))
        questions.append(Question(text, "Yes" if right else "No"))
    return Drill(things, questions)


def _chosen(
    rng: random.Random, shown: Sequence[tuple[str, str]], names: Sequence[str], colours: Sequence[str]
) -> Choice:
    """What a thing is, or what colour it has, with options of which the other things' own are some."""
    (name, hue), *others = rng.sample(shown, len(shown))
    if rng.random() < 0.5:
        asked, answer, near, pool = f"What is the colour of the {name}?", hue, [other[1] for other in others], colours
    else:
        asked, answer, near, pool = f"Which thing is {hue}?", name, [other[0] for other in others], names
    wrong = [option for option in dict.fromkeys([*near, *rng.sample(pool, 4)]) if option != answer]
    options = [answer, *wrong[: rng.choice((1, 2, 3, 3))]]
    if len({hue for _, hue in shown}) < len(shown):  # two of one colour
        asked, answer = "Which of these is in the picture?", name
        options = [name, *[option for option in rng.sample(names, 4) if option not in dict(shown)][:3]]
    rng.shuffle(options)
    return Choice(asked, tuple(options), answer)


def quiz(rng: random.Random, words: Sequence[str]) -> list[Choice]:
    """Questions that say their answer, from which is learnt to find the letter of an option by its words."""
    return [_stated(rng, words) for _ in range(QUIZZED)]


def _stated(rng: random.Random, words: Sequence[str]) -> Choice:
    """Options are words, short phrases with a word in common, numbers in even steps, letters, or Mandarin."""
    many = rng.choice((2, 3, 4, 4, 4, 5))
    match rng.randrange(6):
        case 0 | 1:
            options = rng.sample(words, many)
        case 2:
            shared = rng.choice(words)
            options = [rng.choice((f"{shared} {word}", f"{word} {shared}")) for word in rng.sample(words, many)]
        case 3:
            first, step, unit = rng.randint(0, 60), rng.choice((1, 1, 2, 3, 5, 5, 10)), rng.choice(UNITS)
            options = [f"{first + step * place}{unit}" for place in range(many)]
        case 4:
            options = rng.sample("ABCDEFGHKLMNPQRSTVWXYZ", many)
        case _:
            options = rng.sample(list(CHINESE.values()), many)
    rng.shuffle(options)
    answer = rng.choice(options)
    return Choice(rng.choice(("{}", "Which is {}?", "{} it is.")).format(answer), tuple(options), answer)


def _counted(rng: random.Random) -> Drill:
    name, hue, many = rng.choice(list(OBJECTS)), rng.choice(list(COLOURS)), rng.randint(1, MOST_THINGS)
    things = [thing(box, f" {hue} {name}") for box in rng.sample(cells(3, rng), many)]
    questions: list[Question | Choice] = []
    for _ in range(COUNTED):
        right = rng.random() < 0.5
        number = many if right else rng.choice([other for other in range(1, MOST_THINGS + 1) if other != many])
        questions.append(Question(how_many(number, name), "Yes" if right else "No"))
    return Drill(things, questions)


def _but(options: Sequence[str], left_out: Sequence[str]) -> list[str]:
    return [option for option in options if option not in left_out]
