"""Questions on pictures for training, worded as the image benchmarks word them, from the training part of the world.

A picture is drawn once and asked about several times, with options and without.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from PIL import Image

from tasks.mini import ai2d, hallusion, mathvista, mmbench, mmmu, mmstar, mmvet, papers
from tasks.mini.asks import LETTERS, Ask, Family, Placed, asks, with_options
from tasks.mini.dice import Dice
from tasks.mini.voices import Language
from tasks.prompts import MME_WORDINGS, YES_OR_NO, vita_choice, vlmevalkit_choice


class Turn(NamedTuple):
    asked: str
    answer: str


@dataclass(frozen=True, slots=True)
class Exercise:
    images: tuple[Image.Image, ...]
    turns: tuple[Turn, ...]
    """Questions on the same pictures, each with what a benchmark counts as right."""
    shown: str = ""
    """Words for what there is to be seen, where an answer says it."""


Draw = Callable[[Dice], Exercise]

PLAIN_WORDING = 0.2
"""The share of questions with options in VLMEvalKit's wording; the others are in VITA's."""
LONGEST_NAME = 3
"""Words of an answer that may be the name of something seen."""


def placed(dice: Dice, ask: Ask) -> Placed:
    """The options in any order."""
    options = dice.sample((ask.answer, *ask.others), 1 + len(ask.others))
    return Placed(ask, tuple(options), LETTERS[options.index(ask.answer)])


def chosen(text: str, letter: str) -> str:
    """An option's words, then its letter: "a cup (B)". A small model finds the letter of what it has said, and hardly
    that of what it has yet to say; all public rules read such an answer, if no other capital stands alone in it."""
    said = text.removesuffix(".")
    first, *more = said.split(" ")
    return f"{first.lower() if more and len(first) < 4 else first}{said[len(first) :]} ({letter})"


def by_option(dice: Dice, ask: Ask) -> Turn:
    """A question with its options, answered by the words of one: the rules of the benchmarks on pictures read that, and
    a small model finds the word that it sees sooner than the letter which that has in this question."""
    put = placed(dice, ask)
    options = dict(zip(LETTERS, put.options, strict=False))
    wording = vlmevalkit_choice if dice.random() < PLAIN_WORDING else vita_choice
    return Turn(wording(ask.question, options, ask.hint), ask.answer)


def in_words(dice: Dice, ask: Ask) -> Turn:
    if dice.random() < 0.5:
        return Turn(vita_choice(ask.question, {}, ask.hint), ask.answer)
    return Turn(MME_WORDINGS["lmms_eval"](ask.question), ask.answer)


def exercise(dice: Dice, ask: Ask) -> Exercise:
    """A question is asked with its options, if it has some, and without them, in any order."""
    turns = [in_words(dice, ask)]
    if ask.others:
        turns += [by_option(dice, ask), by_option(dice, ask)]
    dice.shuffle(turns)
    return Exercise(ask.images, tuple(turns), name_in(ask.answer))


def name_in(answer: str) -> str:
    """The answer, if it may name something that is seen, and is no number or sentence."""
    short = len(answer.split()) <= LONGEST_NAME and not answer.endswith(".")
    return answer if short and not any(sign.isdigit() for sign in answer) else ""


def _training(dice: Dice, family: Family) -> Ask:
    """A question of a family on a picture of the training part."""
    return next(asks(dice, (family,), "train"))


def _grouped(groups: Sequence[Sequence[Family]]) -> Draw:
    """A group each equally often, as the benchmark has them."""
    return lambda dice: exercise(dice, _training(dice, dice.choice(dice.choice(groups))))


def _mmbench(language: Language) -> Draw:
    def draw(dice: Dice) -> Exercise:
        looks = dice.choice(list(mmbench.CATEGORIES.values()))
        family = mmbench.families((dice.choice(looks),), language, 4)[0]
        return exercise(dice, with_options(_training(dice, family), dice.choice(mmbench.OPTIONS)))

    return draw


def _mmmu(dice: Dice) -> Exercise:
    family = dice.choice(dice.choice(list(mmmu.SUBJECTS.values())))
    return exercise(dice, mmmu.marked(dice, _training(dice, family)))


def _mathvista(dice: Dice) -> Exercise:
    """With hints at the form of the answer, as the benchmark's own texts have them."""
    entry = dice.choice(mathvista.ENTRIES)
    ask = _training(dice, entry.family)
    put = placed(dice, ask) if entry.kind == "text" else Placed(ask, (), "")
    hinted = Turn(mathvista.cells(entry, put)["question"], ask.answer)
    return Exercise(ask.images, (hinted, in_words(dice, ask)), name_in(ask.answer))


def _hallusion(dice: Dice) -> Exercise:
    """One figure of a case with all its questions, in any order."""
    (category, _), make = dice.choice(list(hallusion.CATEGORIES.items()))
    case = make(dice)
    figure = dice.choice(hallusion.figures(dice, case, "train", category))
    pairs = dice.sample(list(zip(case.questions, figure.answers, strict=True)), len(case.questions))
    vita = MME_WORDINGS["vita"]
    return Exercise((figure.image,), tuple(Turn(vita(f"{asked}{YES_OR_NO}"), answer) for asked, answer in pairs))


def _mmvet(dice: Dice) -> Exercise:
    """Open questions, put without any instruction."""
    families = dice.choice(list(mmvet.ABILITIES.values()))
    ask = _training(dice, dice.choice(families))
    return Exercise(ask.images, (Turn(ask.question, ask.answer.replace("<AND>", " ")),), "")


EXERCISES: Mapping[str, Draw] = {
    "mmbench_en": _mmbench("en"),
    "mmbench_cn": _mmbench("zh"),
    "mmstar": _grouped(list(mmstar.CATEGORIES.values())),
    "mmmu": _mmmu,
    "ai2d": _grouped(list(ai2d.CATEGORIES.values())),
    "mathvista": _mathvista,
    "hallusionbench": _hallusion,
    "ocrbench": _grouped(list(papers.KINDS.values())),
    "mmvet": _mmvet,
}
"""By the benchmark whose pictures and wordings they have."""


def training_exercise(benchmark: str, seed: int, number: int) -> Exercise:
    """One picture with questions. Depends on the benchmark, the seed and its number only."""
    return EXERCISES[benchmark](Dice(f"exercise {benchmark} {seed} {number}"))
