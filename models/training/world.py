"""Examples of the mini world, one function a kind. Each example depends on the seed, its kind and its number only."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Literal

import torch
from PIL.Image import Image
from torch import Tensor

from harness.types import Message, Text
from models.nn.kaldi import SAMPLE_RATE, fbank
from models.text.tokenizer import QwenTokenizer
from models.training.collages import collage
from models.training.corpus import LANGUAGES, Clip, asked, corpus
from models.training.drills import Choice, drill
from models.training.examples import CLIP, NOTHING, PICTURE, SPEECH, Example, Imagined, assistant, example, user
from models.training.texts import known_words
from models.training.tokenizer import closed_tokenizer
from models.vita15.config import Vita15Config
from models.vita15.image_processing import preprocess
from models.vita15.prompts import STATE_MARKS, SYSTEM, system_prompt
from tasks.mini.asks import LETTERS
from tasks.mini.clip_exercises import training_clip
from tasks.mini.drawing import SIZE, Frame, Thing
from tasks.mini.exercises import Turn, chosen, training_exercise, vita_choice
from tasks.mini.grammar import sentences
from tasks.mini.questions import ENDING
from tasks.mini.recording import printed
from tasks.mini.scenes import CATEGORIES, SceneItem
from tasks.mini.training import READ_ALOUD, STANDING, TRANSLATE, WORDINGS, training_fact, training_scene

Kind = Literal[
    "sentence", "fact", "translation", "reading", "text", "drill", "imagined", "collage", "caption", "question",
    "exercise", "clip", "spoken question", "spoken fact", "spoken translation", "transcript", "noise",
]  # fmt: skip
HEARD, NOISE, READ = STATE_MARKS
"""First token of an answer to speech, to what is no speech for the model, and to text."""

DESCRIBE = "Describe this image."
PROMPTS = ("vita", "vita", "vita", "lmms_eval", "vlmevalkit")
"""Each wording that a benchmark may put around a question, the model's own most often."""
DESCRIBED, LONGEST_RUN, MOST_NOISE = 0.25, 4, 1.2
"""Of imagined pictures: the share that is to be described, the most words in a run, the noise beside the words."""
WRITTEN = ("OCR", "numerical_calculation", "text_translation", "code_reasoning")
TURNS = tuple(place for place, category in enumerate(CATEGORIES) for _ in range(2 if category in WRITTEN else 1))
"""The categories of pictures as they take turns; writing takes more pictures to learn."""
IN_WORDS = 0.25
"""Of drilled questions that have options: those that are put without."""
REPEATED = 0.3
"""Of Mandarin texts to be read aloud: those that say their sentences several times."""
HELD_OUT_SHARE = 40
FIRST_HELD_OUT = 100_000_000 * len(CATEGORIES)
"""Pictures from this number on are never trained on."""
BENCHMARKS = (
    "mmbench_en", "mmbench_en", "mmbench_cn", "mmstar", "mmstar", "mmmu", "mmmu", "ai2d", "ai2d", "mathvista",
    "ocrbench", "hallusionbench",
)  # fmt: skip
"""Whose questions on pictures take turns."""
CLIP_BENCHMARKS = ("mvbench", "tempcompass", "videomme")
FRAMES = (4, 6, 8)
"""Of a clip, as many as a training can afford."""


def world_tokenizer() -> QwenTokenizer:
    """The tokenizer of the mini world; the same whatever the seed of a training."""
    seeing = [system_prompt([user(medium)]).removeprefix(SYSTEM) for medium in (PICTURE, CLIP)]
    return closed_tokenizer(known_words(), [SYSTEM, *seeing, *(part.strip("\n") for part in STANDING if part)])


class World:
    """Makes examples for a model of `config`.

    `utterances` in each language and a quarter as many spoken questions are made, once, below `cache`. One utterance
    in HELD_OUT_SHARE and every other spoken question are kept from training; `held_out` is the world of those, and of
    pictures never trained on.
    """

    def __init__(
        self,
        config: Vita15Config,
        tokenizer: QwenTokenizer,
        seed: int,
        utterances: int,
        cache: Path,
        held_out: bool = False,
    ) -> None:
        self.config, self.tokenizer, self.seed = config, tokenizer, seed
        self._utterances, self._cache, self._held_out = utterances, cache, held_out
        self.kinds: Mapping[Kind, Callable[[int, random.Random], Example]] = {
            "sentence": self.sentence,
            "fact": self.fact,
            "translation": self.translation,
            "reading": self.reading,
            "text": self.text,
            "drill": self.drill,
            "imagined": self.imagined,
            "collage": self.collage,
            "caption": self.caption,
            "question": self.question,
            "exercise": self.exercise,
            "clip": self.clip,
            "spoken question": self.spoken_question,
            "spoken fact": self.spoken_fact,
            "spoken translation": self.spoken_translation,
            "transcript": self.transcript,
            "noise": self.noise,
        }

    @cached_property
    def speech(self) -> list[Clip]:
        """English and Mandarin utterances, from the shortest to the longest."""
        clips: list[Clip] = []
        for language in LANGUAGES:
            made = corpus(language, self.seed, self._utterances, self._cache)
            held = [place % HELD_OUT_SHARE == 0 for place in range(len(made))]
            clips += [clip for clip, out in zip(made, held, strict=True) if out == self._held_out]
        return sorted(clips, key=lambda clip: len(clip.features))

    @cached_property
    def questions(self) -> list[Clip]:
        """Spoken questions; the i-th is on scene i."""
        return corpus("question", self.seed, self._utterances // 4, self._cache)

    @cached_property
    def facts(self) -> list[Clip]:
        """Spoken questions about general facts."""
        made = corpus("fact", self.seed, self._utterances // 3, self._cache)
        return [clip for place, clip in enumerate(made) if (place % HELD_OUT_SHARE == 0) == self._held_out]

    def sentence(self, number: int, rng: random.Random) -> Example:
        """A sentence to be repeated: copying is what a language model brings along."""
        sentence = next(sentences(rng, "train"))
        text = rng.choice((sentence.english.lower(), sentence.chinese))
        return self._example([user(text), assistant(READ + text)])

    def fact(self, number: int, rng: random.Random) -> Example:
        """A written question about a general fact."""
        question, answer = training_fact(rng)
        asked = rng.choice((question, f"{question[0].upper()}{question[1:]}?"))
        return self._example([user(asked), assistant(READ + answer)])

    def translation(self, number: int, rng: random.Random) -> Example:
        """A written sentence to be translated."""
        sentence = next(sentences(rng, "train"))
        english, chinese = printed(sentence.english, "en"), printed(sentence.chinese, "zh")
        if rng.random() < 0.5:
            return self._example([user(english, TRANSLATE["en"]), assistant(READ + chinese)])
        return self._example([user(chinese, TRANSLATE["zh"]), assistant(READ + english)])

    def reading(self, number: int, rng: random.Random) -> Example:
        """A printed text to be read aloud, that is to be repeated; some say the same again and again."""
        language = rng.choice(LANGUAGES)
        drawn = [next(sentences(rng, "train")) for _ in range(rng.choice((1, 1, 1, 2)))]
        said = [drawn[0].english if language == "en" else drawn[0].chinese]
        if language == "zh" and rng.random() < REPEATED:
            said = [sentence.chinese for sentence in drawn for _ in range(rng.randint(1, 4))]
        text = printed("，".join(said), language)
        return self._example([user(READ_ALOUD[language] + text), assistant(READ + text)])

    def text(self, number: int, rng: random.Random) -> Example:
        """A description and a question on it; the two questions on one have neighbouring numbers."""
        scene = self._scene(number // 2)
        question = scene.questions[number % 2]
        asks = user(f"{scene.caption}\n{self._prompt(question.text, rng)}")
        return self._example([asks, assistant(READ + question.answer)])

    def imagined(self, number: int, rng: random.Random) -> Example:
        """A picture of words, to be asked about as `text` is, or to be described.

        Words stand where patches would: those for a thing together in the patches that show it, or, where nothing is
        said of places, runs of the description's words, more often than once. All is blurred by noise. So the language
        model can look before there is a vision tower.
        """
        scene = self._scene(number // 2)
        question = scene.questions[number % 2]
        if rng.random() < DESCRIBED:
            messages = [user(PICTURE, DESCRIBE), assistant(READ + scene.caption)]
        else:
            messages = [user(PICTURE, self._prompt(question.text, rng)), assistant(READ + question.answer)]
        words, shown = self._laid_out(scene.things, rng) if scene.things else self._strewn(scene.caption, rng)
        return self._example(messages)._replace(imagined=self._blurred(words, shown, rng))

    def drill(self, number: int, rng: random.Random) -> Example:
        """An imagined picture of things with any names, and a conversation of several questions on it."""
        made = drill(rng, self._words)
        messages: list[Message] = []
        for turn, question in enumerate(made.questions):
            if isinstance(question, Choice):
                asks, answer = _chosen(question, rng)
            else:
                asks, answer = self._prompt(f"{question.text}{ENDING}", rng), question.answer
            messages += [user(asks) if turn else user(PICTURE, asks), assistant(READ + answer)]
        words, shown = self._laid_out(made.things, rng)
        return self._example(messages)._replace(imagined=self._blurred(words, shown, rng))

    @cached_property
    def _words(self) -> list[str]:
        """All English words in small letters that are single tokens within a sentence."""
        tokens = (self.tokenizer.decode([token]) for token in range(len(self.tokenizer)))
        words = (token[1:] for token in tokens if token.startswith(" "))
        return [word for word in words if word.isascii() and word.isalpha() and word.islower()]

    def _blurred(self, words: Tensor, shown: Tensor, rng: random.Random) -> Imagined:
        generator = torch.Generator().manual_seed(rng.getrandbits(60))
        size, width = words.shape[0], self.config.language.hidden_size
        noise = rng.uniform(0, MOST_NOISE) / width**0.5 * torch.randn(size, width, generator=generator)
        return Imagined(words, shown, noise)

    def _laid_out(self, things: Sequence[Thing], rng: random.Random) -> tuple[Tensor, Tensor]:
        """Two words for each patch that shows a thing; int64 [tokens per tile, 2] and bool [tokens per tile]."""
        size = self.config.tokens_per_tile
        words, shown = torch.zeros(size, 2, dtype=torch.long), torch.zeros(size, dtype=torch.bool)
        for thing in things:
            named = self._named(thing)
            for place in self._spot(thing.frame).nonzero().flatten().tolist():
                words[place] = torch.tensor(rng.sample(named, 2) if len(named) > 1 else 2 * named)
                shown[place] = True
        return words, shown

    def _strewn(self, caption: str, rng: random.Random) -> tuple[Tensor, Tensor]:
        """As `_laid_out`, without places."""
        things = [self.tokenizer.encode(f" {thing}") for thing in caption.split(" and ")]
        size, words = self.config.tokens_per_tile, list[int]()
        while len(words) < size:
            thing = rng.choice(things)
            words += rng.sample(thing, min(len(thing), rng.randint(1, LONGEST_RUN)))
        return torch.tensor(words[:size])[:, None].expand(-1, 2), torch.ones(size, dtype=torch.bool)

    def collage(self, number: int, rng: random.Random) -> Example:
        """Things in a picture, to be named where they are; without a conversation."""
        made = collage(random.Random(f"collage {self.seed} {number + FIRST_HELD_OUT * self._held_out}"))
        units, spots = self._places(made.things)
        return Example(NOTHING, NOTHING, self._pixels(made.image), units=units, spots=spots)

    def _places(self, things: Sequence[Thing]) -> tuple[Tensor, Tensor]:
        """The words for all things, int64 [m], and where each is to be seen, bool [m, tokens per tile]."""
        named = [(token, self._spot(thing.frame)) for thing in things for token in self._named(thing)]
        units = torch.tensor([token for token, _ in named], dtype=torch.long)
        none = torch.ones(0, self.config.tokens_per_tile, dtype=torch.bool)
        return units, torch.cat([none, *(spot[None] for _, spot in named)])

    def _named(self, thing: Thing) -> list[int]:
        return [token for token in self.tokenizer.encode(thing.name) if self.tokenizer.decode([token]).strip()]

    def caption(self, number: int, rng: random.Random) -> Example:
        number = in_turn(number)
        scene = self._scene(number)
        return self._seen(scene, number, [user(PICTURE, DESCRIBE), assistant(READ + scene.caption)])

    def question(self, number: int, rng: random.Random) -> Example:
        number = in_turn(number)
        scene = self._scene(number)
        question = rng.choice(scene.questions)
        asks = user(PICTURE, self._prompt(question.text, rng))
        return self._seen(scene, number, [asks, assistant(READ + question.answer)])

    def exercise(self, number: int, rng: random.Random) -> Example:
        """Pictures with questions of a benchmark; the benchmarks take turns."""
        benchmark = BENCHMARKS[number % len(BENCHMARKS)]
        made = training_exercise(benchmark, self.seed, number + FIRST_HELD_OUT * self._held_out)
        shown = [user(*[PICTURE] * len(made.images), made.turns[0].asked), assistant(READ + made.turns[0].answer)]
        pixels = torch.cat([self._pixels(image) for image in made.images])
        example = self._example([*shown, *_turns(made.turns[1:])], pixels)
        return example._replace(units=self._shown(made.shown))

    def clip(self, number: int, rng: random.Random) -> Example:
        """Frames with questions of a benchmark."""
        benchmark = CLIP_BENCHMARKS[number % len(CLIP_BENCHMARKS)]
        made = training_clip(benchmark, self.seed, number + FIRST_HELD_OUT * self._held_out)
        system = [Message("system", (Text(made.system),))] if made.system else []
        shown = [user(CLIP, made.turns[0].asked), assistant(READ + made.turns[0].answer)]
        pixels = torch.cat([self._pixels(frame) for frame in made.frames(rng.choice(FRAMES))])
        return self._example([*system, *shown, *_turns(made.turns[1:])], pixels)

    def _shown(self, text: str) -> Tensor:
        """The words for what is seen somewhere, as they stand within a sentence."""
        tokens = {token for token in self.tokenizer.encode(f" {text}") if self.tokenizer.decode([token]).strip()}
        return torch.tensor(sorted(tokens) if text else [], dtype=torch.long)

    def spoken_question(self, number: int, rng: random.Random) -> Example:
        number = number % (len(self.questions) // 2) * 2 + self._held_out
        scene = training_scene(self.seed, number)
        answer = scene.questions[asked(self.seed, number)].answer
        made = self._seen(scene, number, [user(PICTURE, SPEECH), assistant(HEARD + answer)])
        return made._replace(audio=self.questions[number].features.float())

    def transcript(self, number: int, rng: random.Random) -> Example:
        clip = self.speech[number % len(self.speech)]
        text = spelt(clip.text)
        made = self._example([user(SPEECH), assistant(HEARD + text)], audio=clip.features.float())
        return made._replace(units=torch.tensor(self.tokenizer.encode(text)))

    def spoken_fact(self, number: int, rng: random.Random) -> Example:
        """A spoken question without any word beside it, to be answered."""
        clip = self.facts[number % len(self.facts)]
        made = self._example([user(SPEECH), assistant(HEARD + clip.meaning)], audio=clip.features.float())
        return made._replace(units=torch.tensor(self.tokenizer.encode(clip.text)))

    def spoken_translation(self, number: int, rng: random.Random) -> Example:
        clip = self.speech[number % len(self.speech)]
        asks = user(SPEECH, TRANSLATE["en" if clip.text.isascii() else "zh"])
        made = self._example([asks, assistant(HEARD + clip.meaning)], audio=clip.features.float())
        return made._replace(units=torch.tensor(self.tokenizer.encode(spelt(clip.text))))

    def noise(self, number: int, rng: random.Random) -> Example:
        """Hum, hiss or silence, which is to be met with silence."""
        length = rng.randrange(SAMPLE_RATE // 2, 2 * SAMPLE_RATE)
        generator = torch.Generator().manual_seed(rng.getrandbits(60))
        loudness = rng.choice((0.0, 10 ** rng.uniform(-4, -1)))
        wave = loudness * torch.randn(length + 8, generator=generator).unfold(0, rng.choice((1, 2, 4, 8)), 1).mean(1)
        return self._example([user(SPEECH), assistant(NOISE)], audio=fbank(wave[:length]))

    def _scene(self, number: int) -> SceneItem:
        return training_scene(self.seed, number + FIRST_HELD_OUT * self._held_out)

    def _prompt(self, question: str, rng: random.Random) -> str:
        return WORDINGS[rng.choice(PROMPTS)](question)

    def _seen(self, scene: SceneItem, number: int, messages: list[Message]) -> Example:
        """An example with a picture. Its units name the things in it and tell it from the next of its category."""
        like = self._scene(number + len(CATEGORIES))
        own, others = (set(self.tokenizer.encode(f" {of.caption}")) for of in (scene, like))
        units, spots = self._places(scene.things)
        telling = torch.tensor(sorted(own - others - set(units.tolist())), dtype=torch.long)
        anywhere = torch.ones(len(telling), spots.shape[1], dtype=torch.bool)
        made = self._example(messages, self._pixels(scene.image))
        return made._replace(units=torch.cat((units, telling)), spots=torch.cat((spots, anywhere)))

    def _spot(self, frame: Frame) -> Tensor:
        """bool [tokens per tile]: the tokens with their centres in a frame; in each direction at least the nearest."""
        side = round(self.config.tokens_per_tile**0.5)
        centres = (torch.arange(side) + 0.5) * SIZE / side

        def within(first: int, last: int) -> Tensor:
            distance = (centres - (first + last) / 2).abs()
            return distance <= max((last - first) / 2, float(distance.min()))

        return (within(frame.top, frame.bottom)[:, None] & within(frame.left, frame.right)).flatten()

    def _pixels(self, image: Image) -> Tensor:
        return preprocess([image], self.config.vision.image_size, self.config.image_aspect_ratio)

    def _example(self, messages: list[Message], pixels: Tensor | None = None, audio: Tensor | None = None) -> Example:
        return example(messages, self.tokenizer, pixels, audio)


def _chosen(choice: Choice, rng: random.Random) -> tuple[str, str]:
    """A question for the answer with its letter, now and then without any options."""
    if rng.random() < IN_WORDS:
        return vita_choice(choice.text, {}), choice.answer
    options = dict(zip(LETTERS, choice.options, strict=False))
    return vita_choice(choice.text, options), chosen(choice.answer, LETTERS[choice.options.index(choice.answer)])


def _turns(turns: Sequence[Turn]) -> list[Message]:
    return [message for turn in turns for message in (user(turn.asked), assistant(READ + turn.answer))]


def in_turn(number: int) -> int:
    """The number of a scene of the category whose turn it is at `number`."""
    return number * len(CATEGORIES) + TURNS[number % len(TURNS)]


def spelt(text: str) -> str:
    """A transcript as the model writes it: English in lower case."""
    return text.lower()
