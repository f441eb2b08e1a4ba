"""Examples without pixels or sound: what a language model can learn by itself, pictures made of words among it."""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import cached_property

from PIL.Image import Image

from harness.types import Message, Text
from models.training.corpus import LANGUAGES
from models.training.drills import Choice, drill, quiz
from models.training.examples import CLIP, PICTURE, Example, assistant, user
from models.training.making import (
    BENCHMARKS,
    CLIP_BENCHMARKS,
    DESCRIBE,
    FRAMES,
    READ,
    Kind,
    Make,
    Maker,
    prompted,
    spoken_of,
)
from tasks.mini.asks import LETTERS
from tasks.mini.clip_exercises import training_clip
from tasks.mini.exercises import Turn, chosen, training_exercise, vita_choice
from tasks.mini.grammar import sentences
from tasks.mini.listings import on_clip, on_picture
from tasks.mini.noting import noted
from tasks.mini.questions import ENDING
from tasks.mini.recording import printed
from tasks.mini.training import READ_ALOUD, TRANSLATE, training_fact

DESCRIBED = 0.25
"""Of imagined pictures: those that are to be described."""
IN_WORDS = 0.25
"""Of drilled questions that have options: those that are put without."""
REPEATED = 0.3
"""Of Mandarin texts to be read aloud: those that say their sentences several times."""


class Writing(Maker):
    """What needs no eyes and no ears. A picture is imagined: names in place of patches."""

    @cached_property
    def kinds(self) -> dict[Kind, Make]:
        return {
            "sentence": self.sentence,
            "fact": self.fact,
            "translation": self.translation,
            "reading": self.reading,
            "text": self.text,
            "drill": self.drill,
            "quiz": self.quiz,
            "imagined": self.imagined,
            "sketch": self.sketch,
            "storyboard": self.storyboard,
        }

    def sentence(self, number: int, rng: random.Random) -> Example:
        """A sentence to be repeated: copying is what a language model brings along."""
        sentence = next(sentences(rng, "train"))
        text = rng.choice((sentence.english.lower(), sentence.chinese))
        return self.example([user(text), assistant(READ + text)])

    def fact(self, number: int, rng: random.Random) -> Example:
        """A written question about a general fact."""
        question, answer = training_fact(rng)
        asked = rng.choice((question, f"{question[0].upper()}{question[1:]}?"))
        return self.example([user(asked), assistant(READ + answer)])

    def translation(self, number: int, rng: random.Random) -> Example:
        """A written sentence to be translated."""
        sentence = next(sentences(rng, "train"))
        english, chinese = printed(sentence.english, "en"), printed(sentence.chinese, "zh")
        if rng.random() < 0.5:
            return self.example([user(english, TRANSLATE["en"]), assistant(READ + chinese)])
        return self.example([user(chinese, TRANSLATE["zh"]), assistant(READ + english)])

    def reading(self, number: int, rng: random.Random) -> Example:
        """A printed text to be read aloud, that is to be repeated; some say the same again and again."""
        language = rng.choice(LANGUAGES)
        drawn = [next(sentences(rng, "train")) for _ in range(rng.choice((1, 1, 1, 2)))]
        said = [drawn[0].english if language == "en" else drawn[0].chinese]
        if language == "zh" and rng.random() < REPEATED:
            said = [sentence.chinese for sentence in drawn for _ in range(rng.randint(1, 4))]
        text = printed("，".join(said), language)
        return self.example([user(READ_ALOUD[language] + text), assistant(READ + text)])

    def text(self, number: int, rng: random.Random) -> Example:
        """A description and a question on it; the two questions on one have neighbouring numbers."""
        scene = self.scene(number // 2)
        question = scene.questions[number % 2]
        asks = user(f"{scene.caption}\n{prompted(question.text, rng)}")
        return self.example([asks, assistant(READ + question.answer)])

    def imagined(self, number: int, rng: random.Random) -> Example:
        """A picture of words, to be asked about as `text` is, or to be described.

        Words stand where patches would: those for a thing together in the patches that show it, or, where nothing is
        said of places, runs of the description's words, more often than once. All is blurred by noise. So the language
        model can look before there is a vision tower.
        """
        scene = self.scene(number // 2)
        question = scene.questions[number % 2]
        if rng.random() < DESCRIBED:
            messages = [user(PICTURE, DESCRIBE), assistant(READ + scene.caption)]
        else:
            messages = [user(PICTURE, prompted(question.text, rng)), assistant(READ + question.answer)]
        things = scene.things
        tile = self.sights.laid_out(things, rng) if things else self.sights.strewn(scene.caption, rng)
        return self._imagined(messages, [tile], rng)

    def sketch(self, number: int, rng: random.Random) -> Example:
        """A benchmark's questions on a picture of words: those for what the drawing shows, each in its place."""
        benchmark = BENCHMARKS[number % len(BENCHMARKS)]
        made = training_exercise(benchmark, self.seed, self.apart(number))
        tiles = [self._sketched(image, made.shown, rng) for image in made.images]
        shown = [user(*[PICTURE] * len(tiles), made.turns[0].asked), assistant(READ + made.turns[0].answer)]
        return self._imagined([*shown, *spoken_of(made.turns[1:])], tiles, rng)

    def storyboard(self, number: int, rng: random.Random) -> Example:
        """As `sketch`, on a clip."""
        benchmark = CLIP_BENCHMARKS[number % len(CLIP_BENCHMARKS)]
        made = training_clip(benchmark, self.seed, self.apart(number))
        tiles = [self._sketched(frame, "", rng) for frame in made.frames(rng.choice(FRAMES[benchmark]))]
        system = [Message("system", (Text(made.system),))] if made.system else []
        shown = [user(CLIP, made.turns[0].asked), assistant(READ + made.turns[0].answer)]
        return self._imagined([*system, *shown, *spoken_of(made.turns[1:])], tiles, rng)

    def _sketched(self, image: Image, shown: str, rng: random.Random) -> list[list[int]]:
        """A tile of names. What is `shown` and was not noted is said in some places: a tower learns to find it."""
        tile = self.sights.laid_out(noted(image), rng)
        missing = self.sights.said(shown).difference(*tile)
        for word in missing:
            for place in rng.sample(range(len(tile)), max(1, len(tile) // 4)):
                tile[place].append(word)
        return tile

    def _imagined(
        self, messages: list[Message], tiles: Sequence[Sequence[Sequence[int]]], rng: random.Random
    ) -> Example:
        return self.reader.example(messages, imagined=self.sights.imagined(tiles, rng))

    def drill(self, number: int, rng: random.Random) -> Example:
        """An imagined picture of things with any names, and a conversation of several questions on it."""
        made = drill(rng, self._words)
        messages: list[Message] = []
        for turn, question in enumerate(made.questions):
            if isinstance(question, Choice):
                asks, answer = _chosen(question, rng)
            else:
                asks, answer = prompted(f"{question.text}{ENDING}", rng), question.answer
            messages += [user(asks) if turn else user(PICTURE, asks), assistant(READ + answer)]
        return self._imagined(messages, [self.sights.laid_out(made.things, rng)], rng)

    def quiz(self, number: int, rng: random.Random) -> Example:
        """Questions with options that say which is right."""
        return self.example(spoken_of([_put(choice, rng) for choice in quiz(rng, self._words)]))

    @cached_property
    def _words(self) -> list[str]:
        """All English words in small letters that are single tokens within a sentence."""
        tokens = (self.tokenizer.decode([token]) for token in range(len(self.tokenizer)))
        words = (token[1:] for token in tokens if token.startswith(" "))
        return [word for word in words if word.isascii() and word.isalpha() and word.islower()]


def _chosen(choice: Choice, rng: random.Random) -> tuple[str, str]:
    """A question for an option's words, now and then without any options."""
    options = () if rng.random() < IN_WORDS else choice.options
    return vita_choice(choice.text, dict(zip(LETTERS, options, strict=False))), choice.answer


def _put(choice: Choice, rng: random.Random) -> Turn:
    """A question as a benchmark lists its options, and its answer: on clips with its letter, on pictures without."""
    if rng.random() < 0.5:
        return Turn(on_picture(choice.text, choice.options, rng), choice.answer)
    letter = LETTERS[choice.options.index(choice.answer)]
    return Turn(on_clip(choice.text, choice.options, rng), chosen(choice.answer, letter))
