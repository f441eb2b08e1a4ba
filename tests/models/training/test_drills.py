"""Drills: what is asked has the answer that the things give, and neither answer prevails."""

from __future__ import annotations

import random
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from models.training.drills import Choice, drill
from models.training.making import READ
from models.training.vita15 import Training
from tasks.mini.drawing import OBJECTS
from tasks.mini.noting import Thing
from tasks.mini.questions import MOST_THINGS, Question, how_many, is_coloured, is_there

WORDS = ["water", "seven", "kitchen", "green", "slow", "music"]


def _true(things: list[Thing], question: Question) -> bool:
    pairs = [tuple(thing.name.split()) for thing in things]
    names = [name for _, name in pairs]
    counted = {how_many(number, name): names.count(name) == number for name in OBJECTS for number in range(1, 7)}
    if question.text in counted:
        return counted[question.text]
    true = {is_there(name) for name in names} | {is_coloured(name, colour) for colour, name in pairs}
    return question.text in true


@given(st.integers(0, 10_000))
def test_the_answers_are_true_of_the_things(seed: int):
    made = drill(random.Random(seed), WORDS)
    assert 1 <= len(made.things) <= MOST_THINGS and made.questions
    for question in made.questions:
        if isinstance(question, Choice):
            assert _right(made.things, question) == [question.answer], question
        else:
            assert (question.answer == "Yes") == _true(made.things, question), question


def _right(things: list[Thing], choice: Choice) -> list[str]:
    """The options that are true of the things."""
    pairs = [tuple(thing.name.split()) for thing in things]
    if choice.text.startswith("What is the colour of the "):
        name = choice.text.removeprefix("What is the colour of the ").rstrip("?")
        return [option for option in choice.options if (option, name) in pairs]
    if choice.text.startswith("Which thing is "):
        colour = choice.text.removeprefix("Which thing is ").rstrip("?")
        return [option for option in choice.options if (colour, option) in pairs]
    return [option for option in choice.options if option in {name for _, name in pairs}]


def test_answers_are_even_and_any_word_is_asked_about():
    asked = [question for seed in range(600) for question in drill(random.Random(seed), WORDS).questions]
    polar = [question.answer for question in asked if isinstance(question, Question)]
    assert 0.45 < Counter(polar)["Yes"] / len(polar) < 0.55
    places = Counter(
        question.options.index(question.answer)
        for question in asked
        if isinstance(question, Choice) and len(question.options) == 4
    )
    assert sorted(places) == [0, 1, 2, 3] and min(places.values()) > 0.7 * max(places.values())
    assert all(any(word in question.text for question in asked) for word in (*WORDS, *OBJECTS))


def test_an_example_holds_all_questions_of_a_drill(training: Training):
    made = training.world.writing.drill(0, random.Random(3))
    answers = training.tokenizer.decode([label for label in made.labels.tolist() if label >= 0])
    assert made.imagined is not None and made.pixels is None
    assert answers.count(READ) in (3, 6)
