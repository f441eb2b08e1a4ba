"""OCRBench of the mini world: ten types of text."""

from __future__ import annotations

from pathlib import Path

from tasks.mini.asks import asks
from tasks.mini.dice import Dice
from tasks.mini.papers import KINDS
from tasks.mini.tables import Table

COLUMNS = ("index", "question", "answer", "category", "dataset", "image")
EACH = 10


def ocrbench(out: Path, seed: int) -> int:
    dice, table = Dice(f"OCRBench {seed}"), Table(COLUMNS)
    for kind, families in KINDS.items():
        questions = asks(dice, families, "test")
        for _ in range(EACH):
            ask = next(questions)
            # lmms-eval knows formulas by the name of this data set.
            source = "HME100k" if kind == "Handwritten Mathematical Expression Recognition" else "mini world"
            cells = {"question": ask.question, "answer": repr([ask.answer]), "category": kind, "dataset": source}
            table.add(len(table), ask.images, cells)
    return table.write(out / "OCRBench" / "OCRBench.tsv")
