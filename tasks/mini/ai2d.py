"""AI2D of the mini world: labelled diagrams."""

from __future__ import annotations

from pathlib import Path

from tasks.mini import diagrams, subjects
from tasks.mini.asks import Ask, Deck, Family, asks
from tasks.mini.dice import Dice
from tasks.mini.tables import Table

COLUMNS = ("index", "question", "A", "B", "C", "D", "answer", "category", "image")
EACH = 12


def _water(dice: Dice) -> Ask:
    return diagrams.cycle(dice, tuple(cycle for cycle in diagrams.CYCLES if cycle[0] == "Water cycle"))


def _life(dice: Dice) -> Ask:
    return diagrams.cycle(dice, tuple(cycle for cycle in diagrams.CYCLES if cycle[0] != "Water cycle"))


CATEGORIES: dict[str, tuple[Family, ...]] = {
    "foodChainsWebs": (diagrams.chain,),
    "lifeCycles": (_life,),
    "waterCycle": (_water,),
    "partsOfA": (diagrams.parts,),
    "humanBody": (subjects.body,),
    "moonPhaseEquinox": (diagrams.moons,),
    "rockStrata": (diagrams.layers,),
    "solarSystem": (diagrams.planets,),
    "circuits": (diagrams.lamps,),
}


def ai2d(out: Path, seed: int) -> int:
    dice, table = Dice(f"AI2D {seed}"), Table(COLUMNS)
    deck = Deck(dice)
    drawn = {category: asks(dice, families, "test") for category, families in CATEGORIES.items()}
    for _ in range(EACH):
        for category, questions in drawn.items():
            placed = deck.place(next(questions))
            cells = {"question": placed.ask.question, **placed.cells(), "answer": placed.letter, "category": category}
            table.add(len(table), placed.ask.images, cells)
    return table.write(out / "AI2D" / "AI2D_TEST.tsv")
