"""MM-Vet of the mini world: open questions that need some of six abilities."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from tasks.mini import charts, diagrams, logic, mmstar, papers, reasons, shapes, sights, subjects
from tasks.mini.asks import Ask, Family, asks
from tasks.mini.dice import Dice
from tasks.mini.drawing import COLOURS, OBJECTS, PAPER, Box, blank
from tasks.mini.sights import in_english
from tasks.mini.tables import Table

COLUMNS = ("index", "question", "answer", "category", "image")
EACH = 2
LETTERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def describe(dice: Dice) -> Ask:
    """A picture of two things, to be told in a sentence."""
    image, pen = blank(dice.choice(PAPER))
    names, hues = dice.sample(list(OBJECTS), 2), dice.sample(list(COLOURS), 2)
    for i, (name, hue) in enumerate(zip(names, hues, strict=True)):
        OBJECTS[name](pen, Box(10 + 108 * i, dice.number(20, 110, 10), 94), COLOURS[hue])
    wordings = ("Describe the picture in one sentence.", "Tell in a sentence what the picture shows, with colours.")
    told = "<AND>".join(f"{hue}<AND>{name}" for name, hue in zip(names, hues, strict=True))
    return Ask((image,), dice.choice(wordings), told)


def sides(dice: Dice) -> Ask:
    """The same kind of picture, to be told with its places."""
    ask = describe(dice)
    words = ask.answer.split("<AND>")
    question = "Which thing is on the left and which is on the right? Answer in a sentence."
    return replace(ask, question=question, answer=f"{words[1]} on the left<AND>{words[3]} on the right")


def told(family: Family, ending: str) -> Family:
    """A question with one more wish: an answer in a sentence, or with its reason."""

    def family_with_ending(dice: Dice) -> Ask:
        ask = family(dice)
        return replace(ask, question=f"{ask.question} {ending}")

    return family_with_ending


def _chart(question: Callable[[Dice, charts.Chart], Ask]) -> Family:
    return charts.about(questions=(question,))


SENTENCE, REASON = "Answer in a full sentence.", "Say also how you know."
ABILITIES: dict[str, tuple[Family, ...]] = {
    "rec": (in_english(sights.colour), in_english(sights.action), in_english(mmstar.counting), in_english(sights.mood)),
    "ocr": (papers.plain, papers.digits, papers.sign),
    "rec,know": (subjects.painter, in_english(sights.person), in_english(reasons.use), in_english(reasons.job)),
    "rec,spat": (in_english(sights.side), in_english(sights.corner), in_english(reasons.rests)),
    "ocr,spat": (diagrams.compass, diagrams.layers, logic.tree, papers.form),
    "ocr,math": (shapes.equation, subjects.profit, logic.sequence, subjects.bottle),
    "rec,math": (shapes.dots, shapes.polygon),
    "ocr,spat,math": (_chart(charts.difference), _chart(charts.total), shapes.ruler),
    "ocr,spat,know": (subjects.music, diagrams.moons, diagrams.parts),
    "ocr,know": (subjects.element, diagrams.chain),
    "rec,gen": (describe, told(in_english(sights.place), SENTENCE)),
    "rec,gen,spat": (sides,),
    "ocr,gen": (told(papers.notice, SENTENCE), told(papers.receipt, SENTENCE)),
    "rec,know,gen": (told(in_english(reasons.nature), REASON), told(in_english(reasons.company), REASON)),
    "ocr,know,gen": (told(diagrams.cycle, SENTENCE),),
    "rec,know,spat,math": (shapes.clock,),
}
"""Families by the abilities that their questions need, in the order in which MM-Vet lists them."""


def accepted(answer: str) -> str:
    """What counts as right: a small number also in letters."""
    if answer.isdigit() and int(answer) < len(LETTERS):
        return f"{answer}<OR>{LETTERS[int(answer)]}"
    return answer


def mmvet(out: Path, seed: int) -> int:
    dice, table = Dice(f"MM-Vet {seed}"), Table(COLUMNS)
    for abilities, families in ABILITIES.items():
        questions = asks(dice, families, "test")
        for _ in range(max(6, EACH * len(families))):
            ask = next(questions)
            cells = {"question": ask.question, "answer": accepted(ask.answer), "category": abilities}
            table.add(f"v1_{len(table)}", ask.images, cells)
    return table.write(out / "MMVet" / "MMVet.tsv")
