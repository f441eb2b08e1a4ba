"""MMBench of the mini world, in English and Mandarin: each question once for every rotation of its options."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from tasks.mini import reasons, sights
from tasks.mini.asks import LETTERS, Ask, Deck, Family, Placed, asks
from tasks.mini.dice import Dice
from tasks.mini.partition import Part
from tasks.mini.sights import Look
from tasks.mini.tables import Table
from tasks.mini.voices import Language

COLUMNS = ("index", "question", "hint", "A", "B", "C", "D", "answer", "category", "l2-category", "split", "source",
           "comment", "image")  # fmt: skip
PERCEPTION, INSTANCE, CROSS = (
    "coarse_perception",
    "finegrained_perception (instance-level)",
    "finegrained_perception (cross-instance)",
)
CATEGORIES: dict[tuple[str, str], tuple[Look, ...]] = {
    (PERCEPTION, "image_style"): (sights.style,),
    (PERCEPTION, "image_topic"): (sights.topic,),
    (PERCEPTION, "image_scene"): (sights.place,),
    (PERCEPTION, "image_emotion"): (sights.mood,),
    (PERCEPTION, "image_quality"): (sights.quality,),
    (INSTANCE, "attribute_recognition"): (sights.colour,),
    (INSTANCE, "celebrity_recognition"): (sights.person,),
    (INSTANCE, "object_localization"): (sights.corner,),
    (INSTANCE, "ocr"): (sights.word, sights.hanzi),
    (CROSS, "spatial_relationship"): (sights.side,),
    (CROSS, "attribute_comparison"): (sights.bigger,),
    (CROSS, "action_recognition"): (sights.action,),
    ("attribute_reasoning", "physical_property_reasoning"): (reasons.density, reasons.heat),
    ("attribute_reasoning", "function_reasoning"): (reasons.use,),
    ("attribute_reasoning", "identity_reasoning"): (reasons.job,),
    ("relation_reasoning", "social_relation"): (reasons.company,),
    ("relation_reasoning", "nature_relation"): (reasons.nature,),
    ("relation_reasoning", "physical_relation"): (reasons.rests,),
    ("logic_reasoning", "future_prediction"): (reasons.future,),
    ("logic_reasoning", "structuralized_imagetext_understanding"): (reasons.structure,),
}
"""L2 category and fine category."""
Split = Literal["dev", "test"]
PER_CATEGORY: dict[Split, int] = {"dev": 2, "test": 1}
OPTIONS = (4, 4, 3, 4, 2)
"""How many options questions have, in turn."""
ROTATION = 1_000_000
"""Added to the index for every rotation."""


def families(looks: tuple[Look, ...], language: Language, options: int) -> tuple[Family, ...]:
    def family(look: Look) -> Family:
        return lambda dice: sights.asked(look, dice, language, options)

    return tuple(family(look) for look in looks)


def questions(dice: Dice, language: Language, part: Part, per_category: int) -> Iterator[tuple[str, str, Ask]]:
    """L2 category, category and question; the categories take turns."""
    turn = 0
    for _ in range(per_category):
        for (level, category), looks in CATEGORIES.items():
            drawn = asks(dice, families((dice.choice(looks),), language, OPTIONS[turn % len(OPTIONS)]), part)
            turn += 1
            yield level, category, next(drawn)


def rotated(placed: Placed, turn: int) -> Placed:
    """The options moved up by some places."""
    count = len(placed.options)
    options = placed.options[turn:] + placed.options[:turn]
    return Placed(placed.ask, options, LETTERS[(LETTERS.index(placed.letter) - turn) % count])


def table(language: Language, split: Split, seed: int) -> Table:
    answered = split == "dev"
    table = Table([name for name in COLUMNS if answered or name != "answer"])
    dice = Dice(f"MMBench {language} {split} {seed}")
    deck, kept = Deck(dice), []
    for level, category, ask in questions(dice, language, "test", PER_CATEGORY[split]):
        kept.append((level, category, deck.place(ask)))
    for turn in range(4):
        for number, (level, category, placed) in enumerate(kept):
            if turn >= len(placed.options):
                continue
            now = rotated(placed, turn)
            cells = {"question": placed.ask.question, "hint": placed.ask.hint, **now.cells(), "category": category,
                     "l2-category": level, "split": split, "source": "mini world"}  # fmt: skip
            table.add(number + turn * ROTATION, placed.ask.images, cells | ({"answer": now.letter} if answered else {}))
    return table


TABLES: dict[str, tuple[Language, Split]] = {
    "MMBench_DEV_EN_V11": ("en", "dev"),
    "MMBench_DEV_CN_V11": ("zh", "dev"),
    "MMBench_TEST_EN_V11": ("en", "test"),
    "MMBench_TEST_CN_V11": ("zh", "test"),
}


def mmbench(out: Path, seed: int) -> int:
    return sum(
        table(language, split, seed).write(out / "MMBench" / f"{name}.tsv")
        for name, (language, split) in TABLES.items()
    )
