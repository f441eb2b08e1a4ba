"""MMStar of the mini world: six categories of three."""

from __future__ import annotations

from pathlib import Path

from tasks.mini import charts, diagrams, logic, reasons, shapes, sights, subjects
from tasks.mini.asks import Deck, Family, asks
from tasks.mini.dice import Dice
from tasks.mini.drawing import COLOURS, OBJECTS, PAPER, Box, blank
from tasks.mini.sights import Sight, in_english
from tasks.mini.tables import Table

COLUMNS = ("index", "question", "image", "A", "B", "C", "D", "answer", "category", "l2_category")
EACH = 6
"""Questions on each of the 18."""


def counting(dice: Dice) -> Sight:
    """Some things of one kind among some of another."""
    image, pen = blank(dice.choice(PAPER))
    names, many = dice.sample(list(OBJECTS), 2), (dice.number(1, 6), dice.number(1, 3))
    spots = dice.sample([(x, y) for x in range(3) for y in range(3)], sum(many))
    for i, (x, y) in enumerate(spots):
        box = Box(6 + 74 * x + dice.number(0, 10, 2), 6 + 74 * y + dice.number(0, 10, 2), 54)
        OBJECTS[names[0 if i < many[0] else 1]](pen, box, COLOURS[dice.choice(list(COLOURS))])
    wordings = (("How many times is there a {} in the picture?", ""), ("Count: how often do you see a {}?", ""))
    return Sight(image, wordings, str(many[0]), [str(n) for n in range(1, 7)], (names[0],))


CATEGORIES: dict[tuple[str, str], tuple[Family, ...]] = {
    ("coarse perception", "image emotion"): (in_english(sights.mood),),
    ("coarse perception", "image scene and topic"): (in_english(sights.place), in_english(sights.topic)),
    ("coarse perception", "image style & quality"): (in_english(sights.style), in_english(sights.quality)),
    ("fine-grained perception", "localization"): (in_english(sights.corner),),
    ("fine-grained perception", "object counting"): (in_english(counting),),
    ("fine-grained perception", "recognition"): tuple(
        in_english(look) for look in (sights.colour, sights.person, sights.word, sights.action)
    ),
    ("instance reasoning", "cross-instance attribute reasoning"): (in_english(sights.bigger),),
    ("instance reasoning", "cross-instance relation reasoning"): tuple(
        in_english(look) for look in (sights.side, reasons.company, reasons.nature, reasons.rests)
    ),
    ("instance reasoning", "single-instance reasoning"): tuple(
        in_english(look) for look in (reasons.use, reasons.job, reasons.density)
    ),
    ("logical reasoning", "code & sequence reasoning"): (logic.code, logic.sequence, logic.pattern),
    ("logical reasoning", "common reasoning"): (in_english(reasons.future), logic.calendar, in_english(reasons.heat)),
    ("logical reasoning", "diagram reasoning"): (logic.flow, logic.tree, logic.timeline),
    ("math", "geometry"): shapes.GEOMETRY,
    ("math", "numeric commonsense and calculation"): (*shapes.SUMS, shapes.clock, shapes.ruler),
    ("math", "statistical reasoning"): (charts.about(),),
    ("science & technology", "biology & chemistry & physics"): (
        diagrams.chain, diagrams.cycle, subjects.element, subjects.flask, subjects.lever, diagrams.parts,
    ),
    ("science & technology", "electronics & energy & mechanical eng."): (
        diagrams.resistors, diagrams.lamps, diagrams.gears, logic.gate, shapes.dial,
    ),
    ("science & technology", "geography & earth science & agriculture"): (
        diagrams.compass, diagrams.moons, diagrams.layers, diagrams.planets, subjects.hill,
    ),
}  # fmt: skip
"""Category and l2 category."""


def mmstar(out: Path, seed: int) -> int:
    dice, table = Dice(f"MMStar {seed}"), Table(COLUMNS)
    deck = Deck(dice)
    drawn = {names: asks(dice, families, "test") for names, families in CATEGORIES.items()}
    for _ in range(EACH):
        for (category, second), questions in drawn.items():
            placed = deck.place(next(questions))
            cells = {"question": placed.ask.question, **placed.cells(), "answer": placed.letter, "category": category,
                     "l2_category": second}  # fmt: skip
            table.add(len(table), placed.ask.images, cells)
    return table.write(out / "MMStar" / "MMStar.tsv")
