"""MMMU of the mini world: thirty subjects, a picture or several, options or an open answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PIL import Image

from tasks.mini import charts, diagrams, logic, persons, reasons, shapes, sights, subjects
from tasks.mini.asks import Ask, Deck, Family, Placed, asks
from tasks.mini.charts import MONTHS, QUARTERS, Theme, about, bars, lines, pie
from tasks.mini.charts import table as numbers
from tasks.mini.dice import Dice
from tasks.mini.drawing import COLOURS, OBJECTS, PAPER, Box, Pen, blank
from tasks.mini.sights import in_english
from tasks.mini.tables import Table

COLUMNS = ("index", "id", "question", "A", "B", "C", "D", "E", "answer", "category", "split", "question_type", "image")
VALIDATION, DEV = 4, 8
"""Questions on each subject; subjects with one question more, for few-shot prompts."""
SMALL = 112
"""Pixels, of pictures that come several at once."""


def _themed(*themes: Theme) -> Family:
    return about(themes)


def lineup(kind: str, draw: Callable[[Pen, Box, str, Dice], None], names: tuple[str, ...]) -> Family:
    """Two to five small pictures; which one shows a thing?"""

    def family(dice: Dice) -> Ask:
        shown = dice.sample(names, min(len(names), dice.number(2, 5)))
        images = []
        for name in shown:
            image, pen = blank(dice.choice(PAPER))
            draw(pen, Box(dice.number(30, 54, 4), dice.number(30, 54, 4), 150), name, dice)
            images.append(image.resize((SMALL, SMALL), Image.Resampling.BOX))
        marks = [f"<image {i + 1}>" for i in range(len(shown))]
        at = dice.randrange(len(shown))
        wordings = (f'Which of the pictures shows {kind} "{shown[at]}"?', f'Where do you see {kind} "{shown[at]}"?')
        others = tuple(mark for mark in marks if mark != marks[at])
        return Ask(tuple(images), f"{' '.join(marks)} {dice.choice(wordings)}", marks[at], others)

    return family


def _thing(pen: Pen, box: Box, name: str, dice: Dice) -> None:
    OBJECTS[name](pen, box, COLOURS[dice.choice(list(COLOURS))])


def _tool(pen: Pen, box: Box, name: str, dice: Dice) -> None:
    reasons.draw_tool(pen, name, box, COLOURS[dice.choice(list(COLOURS))])


def _mood(pen: Pen, box: Box, name: str, dice: Dice) -> None:
    persons.draw_mood(pen, box, name, dice.choice(((250, 220, 90), (240, 195, 155), (200, 150, 110))))


def _phase(pen: Pen, box: Box, name: str, dice: Dice) -> None:
    diagrams.draw_phase(pen, box.frame(0, 0, 1, 1), name)


YEARS = ("2016", "2017", "2018", "2019", "2020", "2021")
AGES = ("0-14", "15-29", "30-44", "45-59", "60-74", "75+")
SUBJECTS: dict[str, tuple[Family, ...]] = {
    "Accounting": (subjects.profit, _themed(Theme("Costs in 1000 $", "quarter", QUARTERS, "cost", "thousand dollars"))),
    "Agriculture": (
        _themed(Theme("Harvest", "crop", ("wheat", "rice", "maize", "oats", "barley"), "harvest", "tons")),
        diagrams.layers,
    ),
    "Architecture_and_Engineering": (shapes.area, diagrams.compass, shapes.perimeter),
    "Art": (subjects.painter, in_english(sights.style)),
    "Art_Theory": (subjects.wheel, subjects.painter),
    "Basic_Medical_Science": (subjects.body, subjects.cells),
    "Biology": (diagrams.cycle, diagrams.chain, diagrams.parts),
    "Chemistry": (subjects.element, subjects.flask),
    "Clinical_Medicine": (about((Theme("Pulse", "day", charts.THEMES[2].names, "pulse", "beats"),), (lines, bars)),
                          subjects.bottle),
    "Computer_Science": (logic.code, logic.binary, logic.flow),
    "Design": (lineup("a", _tool, tuple(reasons.USES)), in_english(sights.bigger), subjects.wheel),
    "Diagnostics_and_Laboratory_Medicine": (subjects.cells, subjects.flask),
    "Economics": (subjects.market, _themed(Theme("Exports", "year", YEARS[:4], "export", "tons"))),
    "Electronics": (diagrams.resistors, logic.gate, diagrams.lamps),
    "Energy_and_Power": (
        about((Theme("Power", "source", ("wind", "sun", "water", "coal", "gas"), "share", "percent"),), (pie,)),
        shapes.dial,
    ),
    "Finance": (about((Theme("Share price", "month", MONTHS, "price", "dollars"),), (lines, numbers)), subjects.profit),
    "Geography": (diagrams.compass, subjects.hill, lineup("the", _phase, diagrams.PHASES)),
    "History": (logic.timeline,),
    "Literature": (subjects.banner, logic.tree),
    "Manage": (logic.tree, _themed(Theme("Staff", "team", ("sales", "plan", "shop", "post", "lab"), "size", "people"))),
    "Marketing": (
        about((Theme("Sold", "brand", ("Zola", "Mumo", "Kiri", "Pola", "Tiko"), "sale", "pieces"),), (pie, bars)),
    ),
    "Materials": (in_english(reasons.density),
                  _themed(Theme("Strength", "alloy", ("A1", "B2", "C3", "D4", "E5"), "strength", "MPa"))),
    "Math": (shapes.angle, shapes.slope, shapes.equation, lineup("the shape", _thing, ("circle", "square", "triangle",
                                                                                      "star", "cross", "ring"))),
    "Mechanical_Engineering": (diagrams.gears, shapes.ruler, shapes.dial),
    "Music": (subjects.music,),
    "Pharmacy": (subjects.bottle, subjects.flask),
    "Physics": (subjects.lever, shapes.balance, diagrams.planets),
    "Psychology": (in_english(sights.mood), lineup("a person who is", _mood, persons.MOODS)),
    "Public_Health": (_themed(Theme("Flu cases", "month", MONTHS, "number of cases", "cases")),
                      _themed(Theme("Vaccinated", "age", AGES[:5], "number", "people"))),
    "Sociology": (in_english(reasons.company), _themed(Theme("Household", "size", ("one", "two", "three", "four"),
                                                             "count", "homes"))),
}  # fmt: skip


def marked(dice: Dice, ask: Ask) -> Ask:
    """The picture's mark in the question, before or after the words."""
    if len(ask.images) > 1:
        return ask
    text = dice.choice(("{} <image 1>", "<image 1> {}", "Look at <image 1>. {}")).format(ask.question)
    return replace(ask, question=text)


def open_answer(answer: str) -> str:
    """A number, a text, or a list of what counts as right: small numbers also in letters."""
    letters = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
    if answer.isdigit() and int(answer) < len(letters):
        return repr([answer, letters[int(answer)]])
    return answer


def mmmu(out: Path, seed: int) -> int:
    dice, table = Dice(f"MMMU {seed}"), Table(COLUMNS)
    deck = Deck(dice)
    for number, (subject, families) in enumerate(SUBJECTS.items()):
        questions = asks(dice, families, "test")
        for turn in range(VALIDATION + (number < DEV)):
            split, place = ("validation", turn + 1) if turn < VALIDATION else ("dev", 1)
            ask = marked(dice, next(questions))
            free = turn == number % VALIDATION and number % 2 == 0 and len(ask.images) == 1 and len(ask.others) == 3
            placed = Placed(ask, (), "") if free else deck.place(ask)
            cells = {"id": f"{split}_{subject}_{place}", "question": ask.question, **placed.cells("ABCDE"),
                     "answer": open_answer(ask.answer) if free else placed.letter, "category": subject, "split": split,
                     "question_type": "open" if free else "multiple-choice"}  # fmt: skip
            table.add(len(table) + 1, ask.images, cells)
    return table.write(out / "MMMU" / "MMMU_DEV_VAL.tsv")
