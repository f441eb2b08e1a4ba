"""Sentences: a few patterns over the vocabulary, each with one English and one Mandarin wording.

A pattern is filled once and rendered twice, so each sentence has one translation, and the other way round.
English is upper case without punctuation, as LibriSpeech writes it; Mandarin is a list of words, as AISHELL does.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import NamedTuple

from tasks.mini import vocabulary as v
from tasks.mini.partition import Part, part_of

ENGLISH_WORDS = range(3, 10)
CHINESE_CHARACTERS = range(5, 13)


class Sentence(NamedTuple):
    english: str
    chinese_words: tuple[str, ...]

    @property
    def chinese(self) -> str:
        return "".join(self.chinese_words)

    @property
    def part(self) -> Part:
        """By the Mandarin, which fixes the English: both languages are split alike."""
        return part_of(self.chinese)


class Phrase(NamedTuple):
    english: str
    chinese: tuple[str, ...]
    third_person: bool = True
    """English verbs take an S after it."""


def _person(rng: random.Random) -> Phrase:
    kind = rng.random()
    if kind < 0.25:
        pronoun = rng.choice(v.PRONOUNS)
        return Phrase(pronoun.english, (pronoun.chinese,), pronoun.english == "HE")
    person = rng.choice(v.PEOPLE)
    if kind < 0.5:
        owner = rng.choice(v.OWNERS)
        return Phrase(f"{owner.english} {person.english}", (owner.chinese, person.chinese))
    return Phrase(f"THE {person.english}", (person.chinese,))


def _counted(rng: random.Random, nouns: tuple[v.Noun, ...]) -> Phrase:
    """TWO RED BOTTLES, 两个红色的瓶子; ONE BIG BOX, 一个大箱子."""
    noun, count = rng.choice(nouns), rng.randint(1, 10)
    number = "两" if count == 2 else v.chinese_number(count)
    english, chinese = [v.english_number(count)], [number + noun.measure]
    kind = rng.random()
    if kind < 0.35:
        colour = rng.choice(v.COLOURS)
        english.append(colour.english)
        chinese.append(colour.chinese)
    elif kind < 0.6:
        quality = rng.choice(v.QUALITIES)
        english.append(quality.english)
        chinese.append(quality.chinese)
    english.append(noun.english if count == 1 else noun.plural)
    chinese.append(noun.chinese)
    return Phrase(" ".join(english), tuple(chinese))


def _present(verb: v.Verb, subject: Phrase) -> str:
    return verb.third if subject.third_person else verb.base


def _deed(rng: random.Random) -> Sentence:
    """YESTERDAY THE BOY BOUGHT TWO RED BALLS; tense follows from the day."""
    who = _person(rng)
    verbs, nouns = rng.choice(((v.ACTIONS, v.GOODS), (v.MEALS, v.FOODS)))
    verb, what = rng.choice(verbs), _counted(rng, nouns)
    tense = rng.choice(("past", "now", "future"))
    deed: tuple[str, ...]
    if tense == "past":
        english, day, deed = f"YESTERDAY {who.english} {verb.past}", "昨天", (verb.chinese, "了")
    elif tense == "future":
        english, day, deed = f"TOMORROW {who.english} WILL {verb.base}", "明天", ("会", verb.chinese)
    else:
        english, day, deed = f"TODAY {who.english} {_present(verb, who)}", "今天", (verb.chinese,)
    return Sentence(f"{english} {what.english}", (day, *who.chinese, *deed, *what.chinese))


def _whereabouts(rng: random.Random) -> Sentence:
    """THE DOCTOR WAITS IN THE GARDEN."""
    who, verb, place = _person(rng), rng.choice(v.MOVES), rng.choice(v.PLACES)
    english = f"{who.english} {_present(verb, who)} IN THE {place.english}"
    return Sentence(english, (*who.chinese, "在", place.chinese, verb.chinese))


def _animal(rng: random.Random) -> Sentence:
    """THE WHITE HORSE RAN IN THE FOREST YESTERDAY."""
    animal, verb, place = rng.choice(v.ANIMALS), rng.choice(v.MOVES[:7]), rng.choice(v.PLACES)
    colour = rng.choice(v.COLOURS)
    english = f"THE {colour.english} {animal.english}"
    chinese = (colour.chinese, animal.chinese, "在", place.chinese, verb.chinese)
    if rng.random() < 0.5:
        return Sentence(f"{english} {verb.third} IN THE {place.english}", chinese)
    return Sentence(f"YESTERDAY {english} {verb.past} IN THE {place.english}", ("昨天", *chinese))


def _comparison(rng: random.Random) -> Sentence:
    """THE ELEPHANT IS BIGGER THAN YOUR DOG."""
    first, second = rng.sample(v.ANIMALS + v.PEOPLE, 2)
    left, right = _owned(rng, first), _owned(rng, second)
    how = rng.choice(v.COMPARISONS)
    english = f"{left.english} IS {how.english} THAN {right.english}"
    return Sentence(english, (*left.chinese, "比", *right.chinese, how.chinese))


def _owned(rng: random.Random, noun: v.Noun) -> Phrase:
    if rng.random() < 0.5:
        return Phrase(f"THE {noun.english}", (noun.chinese,))
    owner = rng.choice(v.OWNERS)
    return Phrase(f"{owner.english} {noun.english}", (owner.chinese, noun.chinese))


def _sum(rng: random.Random) -> Sentence:
    """TWENTY THREE PLUS FIVE IS TWENTY EIGHT."""
    total = rng.randint(3, 99)
    part = rng.randint(1, total - 1)
    rest, n, c = total - part, v.english_number, v.chinese_number
    if rng.random() < 0.5:
        return Sentence(f"{n(part)} PLUS {n(rest)} IS {n(total)}", (c(part), "加", c(rest), "等于", c(total)))
    return Sentence(f"{n(total)} MINUS {n(part)} IS {n(rest)}", (c(total), "减", c(part), "等于", c(rest)))


def _possession(rng: random.Random) -> Sentence:
    """MY BROTHER HAS THREE BLUE BOATS."""
    who, what = _person(rng), _counted(rng, v.GOODS + v.ANIMALS + v.FOODS)
    has = "HAS" if who.third_person else "HAVE"
    return Sentence(f"{who.english} {has} {what.english}", (*who.chinese, "有", *what.chinese))


def _hobby(rng: random.Random) -> Sentence:
    """THEY LIKE TO SWIM IN SUMMER."""
    who, hobby, time = _person(rng), rng.choice(v.HOBBIES), rng.choice(v.TIMES)
    like, chinese = rng.choice((("LIKE", "喜欢"), ("WANT", "想")))
    english = f"{who.english} {like}{'S' if who.third_person else ''} TO {hobby.english} {time.english}"
    return Sentence(english, (*who.chinese, chinese, time.chinese, hobby.chinese))


def _weather(rng: random.Random) -> Sentence:
    """IT IS VERY COLD IN CAIRO TODAY."""
    city, weather = rng.choice(v.CITIES), rng.choice(v.WEATHER)
    time = rng.choice((*v.TIMES, v.Pair("TODAY", "今天")))
    degree, chinese = rng.choice((("VERY", "很"), ("NOT", "不"), ("TOO", "太")))
    english = f"IT IS {degree} {weather.english} IN {city.english} {time.english}"
    return Sentence(english, (city.chinese, time.chinese, chinese, weather.chinese))


def _request(rng: random.Random) -> Sentence:
    """PLEASE GIVE MY SISTER FOUR GREEN BOTTLES."""
    who, what = rng.choice(v.PEOPLE), _counted(rng, v.GOODS + v.FOODS)
    receiver = _owned(rng, who)
    return Sentence(f"PLEASE GIVE {receiver.english} {what.english}", ("请", "给", *receiver.chinese, *what.chinese))


def _travel(rng: random.Random) -> Sentence:
    """THE SINGER WENT FROM CAIRO TO VIENNA."""
    who, (start, end) = _person(rng), rng.sample(v.CITIES, 2)
    if rng.random() < 0.5:
        return Sentence(f"{who.english} WILL GO TO {end.english} TOMORROW", (*who.chinese, "明天", "去", end.chinese))
    english = f"{who.english} WENT FROM {start.english} TO {end.english}"
    return Sentence(english, (*who.chinese, "从", start.chinese, "去", "了", end.chinese))


PATTERNS: tuple[Callable[[random.Random], Sentence], ...] = (
    _deed, _deed, _deed, _whereabouts, _animal, _comparison, _sum, _possession, _possession, _hobby, _weather, _request,
    _travel,
)  # fmt: skip


def sentences(rng: random.Random, part: Part) -> Iterator[Sentence]:
    """Endless sentences of one part of the world, of the lengths that a short utterance holds. May repeat."""
    while True:
        sentence = rng.choice(PATTERNS)(rng)
        if (
            sentence.part == part
            and len(sentence.english.split()) in ENGLISH_WORDS
            and len(sentence.chinese) in CHINESE_CHARACTERS
        ):
            yield sentence
