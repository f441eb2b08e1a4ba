"""Questions on clips for training, worded as the video benchmarks word them, from the training part of the world."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from PIL import Image

from tasks.mini.asks import LETTERS
from tasks.mini.clip_events import TASKS, asked
from tasks.mini.clip_questions import DIMENSIONS, caption_matching, captioning, multi_choice, temporal, yes_no
from tasks.mini.dice import Dice
from tasks.mini.encoding import REDUCED
from tasks.mini.exercises import Turn, chosen
from tasks.mini.motion import Film, picture
from tasks.mini.plots import DURATIONS, THEMES
from tasks.mini.stories import ASK, SPOKEN_ONLY, stories
from tasks.video import mvbench, prompts
from tasks.video.tempcompass import SUFFIXES


@dataclass(frozen=True, slots=True)
class ClipExercise:
    film: Film
    turns: tuple[Turn, ...]
    """Questions on it, each with what a benchmark counts as right."""
    start: float
    end: float
    """The part that is shown, in seconds."""
    system: str = ""
    """In place of the model's own system prompt, where a benchmark gives one."""

    def frames(self, count: int) -> list[Image.Image]:
        """From the middles of so many equal parts, as small as clips are stored."""
        each = (self.end - self.start) / count
        return [picture(self.film, self.start + (i + 0.5) * each).reduce(REDUCED) for i in range(count)]


Draw = Callable[[Dice], ClipExercise]
QUESTIONS = 3
"""On a clip of Video-MME."""


def _options(dice: Dice, answer: str, wrong: tuple[str, ...]) -> tuple[list[str], int]:
    options = dice.sample((answer, *wrong), 1 + len(wrong))
    return options, options.index(answer)


def _chosen(options: list[str], place: int) -> str:
    """In small letters: Video-MME's own rule takes the first capital A to D."""
    return chosen(options[place].lower(), LETTERS[place])


def _video_mme(dice: Dice) -> ClipExercise:
    domain = dice.choice(list(THEMES))
    kind, duration = dice.choice(list(THEMES[domain].topics)), dice.choice(DURATIONS)
    types = dice.sample([name for name in ASK if name != SPOKEN_ONLY], QUESTIONS)
    story = next(stories(dice, domain, kind, duration, False, types, "train"))
    turns = []
    for question in story.questions:
        options, place = _options(dice, question.answer, question.wrong)
        lines = [f"{letter}. {text}" for letter, text in zip(LETTERS, options, strict=False)]
        turns.append(Turn(prompts.vita({"question": question.text, "options": lines}, False), _chosen(options, place)))
    return ClipExercise(story.film, tuple(turns), 0.0, story.film.seconds)


def _mvbench(dice: Dice) -> ClipExercise:
    item = next(asked(dice, dice.choice(list(TASKS)), "train"))
    options, place = _options(dice, item.answer, item.wrong)
    row = {"question": item.question, "candidates": options}
    start, end = (0.0, item.film.seconds) if item.start is None else (item.start, item.end)
    turn = Turn(mvbench.best_option(row), _chosen(options, place))
    return ClipExercise(item.film, (turn,), start, end or item.film.seconds, mvbench.SYSTEM)


def _tempcompass(dice: Dice) -> ClipExercise:
    """A film with questions in all four forms, in any order."""
    draft = next(temporal(dice, dice.choice(DIMENSIONS), "train"))
    forms = {
        "multi-choice": [multi_choice(draft, dice.randrange(4))],
        "yes_no": yes_no(draft),
        "caption_matching": [caption_matching(draft, dice, dice.randrange(2))],
        "captioning": [captioning(draft, dice, dice.randrange(4))],
    }
    turns = [Turn(row["question"] + SUFFIXES[form], row["answer"]) for form, rows in forms.items() for row in rows]
    dice.shuffle(turns)
    return ClipExercise(draft.film, tuple(turns), 0.0, draft.film.seconds)


CLIP_EXERCISES: Mapping[str, Draw] = {"videomme": _video_mme, "mvbench": _mvbench, "tempcompass": _tempcompass}
"""By the benchmark whose clips and wordings they have."""


def training_clip(benchmark: str, seed: int, number: int) -> ClipExercise:
    """One clip with questions. Depends on the benchmark, the seed and its number only."""
    return CLIP_EXERCISES[benchmark](Dice(f"clip {benchmark} {seed} {number}"))
