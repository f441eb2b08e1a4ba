"""MathVista of the mini world: five tasks, seven skills, answers that are options, whole numbers, decimals or lists."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Literal, NamedTuple

from tasks.mini import charts, diagrams, logic, shapes, subjects
from tasks.mini.asks import Ask, Deck, Family, Placed, asks
from tasks.mini.charts import Chart, bars, lines, pie, table
from tasks.mini.dice import Dice
from tasks.mini.tables import Table

COLUMNS = ("index", "question", "raw_question", "image", "question_type", "answer_type", "choices", "precision",
           "unit", "answer", "answer_option", "task", "skills", "category", "source", "context", "grade", "language",
           "split")  # fmt: skip
Kind = Literal["text", "integer", "float", "list"]
TURNS = 4


class Entry(NamedTuple):
    """What the set says of a family's questions. Text answers come with options."""

    family: Family
    kind: Kind
    task: str
    skills: tuple[str, ...]
    context: str
    grade: str = "not applicable"
    unit: str = ""


def _of_chart(question: Callable[[Dice, Chart], Ask], *kinds: charts.Draw) -> Family:
    return charts.about(kinds=kinds or charts.KINDS, questions=(question,))


def mean(dice: Dice, chart: Chart) -> Ask:
    """Of two values, with one decimal place."""
    first, second = dice.sample(range(len(chart.values)), 2)
    value = (chart.values[first] + chart.values[second]) / 2
    wordings = (
        f"What is the average of {chart.names[first]} and {chart.names[second]}?",
        f"What is the mean value for {chart.names[first]} and {chart.names[second]}?",
    )
    return Ask((chart.image,), dice.choice(wordings), f"{value:.1f}")


def row(dice: Dice, chart: Chart) -> Ask:
    wordings = ("What are the values from left to right?", "List the values of the chart in their order.")
    return Ask((chart.image,), dice.choice(wordings), str(list(chart.values)))


def half(dice: Dice) -> Ask:
    """The area of a right triangle, with two decimal places: the long side is not needed."""
    ask = shapes.area(dice)
    of_half = "A straight cut from corner to corner halves the rectangle. What is the area of one half, in square cm?"
    return replace(ask, question=of_half, answer=f"{int(ask.answer) / 2:.2f}", others=())


STATS, ARITH, ALGEBRA, GEOMETRY = (
    f"{name} reasoning" for name in ("statistical", "arithmetic", "algebraic", "geometry")
)
LOGIC, SCIENCE, NUMERIC = "logical reasoning", "scientific reasoning", "numeric commonsense"
FIGURE, SHAPE, WORD, TEXTBOOK, VISUAL = (
    "figure question answering",
    "geometry problem solving",
    "math word problem",
    "textbook question answering",
    "visual question answering",
)
ENTRIES: tuple[Entry, ...] = (
    Entry(_of_chart(charts.most, bars), "text", FIGURE, (STATS,), "bar chart"),
    Entry(_of_chart(charts.value, lines), "integer", FIGURE, (STATS,), "line plot"),
    Entry(_of_chart(charts.difference, table), "integer", FIGURE, (STATS, ARITH), "table"),
    Entry(_of_chart(charts.most, pie), "text", FIGURE, (STATS,), "pie chart"),
    Entry(_of_chart(mean, bars), "float", FIGURE, (STATS, ARITH), "bar chart"),
    Entry(_of_chart(row, bars), "list", FIGURE, (STATS,), "bar chart"),
    Entry(_of_chart(charts.total, bars), "integer", FIGURE, (STATS, ARITH), "bar chart"),
    Entry(shapes.area, "integer", SHAPE, (GEOMETRY, ARITH), "geometry diagram", "elementary school"),
    Entry(shapes.angle, "integer", SHAPE, (GEOMETRY, ALGEBRA), "geometry diagram", "high school"),
    Entry(shapes.long_side, "integer", SHAPE, (GEOMETRY, ALGEBRA), "geometry diagram", "high school"),
    Entry(shapes.polygon, "text", SHAPE, (GEOMETRY,), "geometry diagram", "elementary school"),
    Entry(half, "float", SHAPE, (GEOMETRY, ARITH), "geometry diagram", "elementary school"),
    Entry(shapes.point, "list", SHAPE, (GEOMETRY, ALGEBRA), "function plot", "high school"),
    Entry(shapes.slope, "integer", SHAPE, (ALGEBRA,), "function plot", "high school"),
    Entry(shapes.shop, "integer", WORD, (ARITH,), "synthetic scene", "elementary school", "$"),
    Entry(shapes.balance, "integer", WORD, (ARITH, ALGEBRA), "abstract scene", "elementary school", "kg"),
    Entry(subjects.bottle, "integer", WORD, (ARITH,), "synthetic scene", "daily life"),
    Entry(logic.sequence, "integer", WORD, (LOGIC, ARITH), "puzzle test", "elementary school"),
    Entry(diagrams.chain, "text", TEXTBOOK, (SCIENCE,), "scientific figure", "elementary school"),
    Entry(subjects.lever, "integer", TEXTBOOK, (SCIENCE, ARITH), "scientific figure", "high school", "kg"),
    Entry(diagrams.moons, "text", TEXTBOOK, (SCIENCE,), "scientific figure", "elementary school"),
    Entry(diagrams.resistors, "integer", TEXTBOOK, (SCIENCE, ARITH), "scientific figure", "high school"),
    Entry(shapes.clock, "text", VISUAL, (NUMERIC,), "synthetic scene", "daily life"),
    Entry(shapes.ruler, "integer", VISUAL, (NUMERIC, ARITH), "synthetic scene", "daily life", "cm"),
    Entry(shapes.dial, "integer", VISUAL, (NUMERIC,), "synthetic scene", "daily life"),
    Entry(shapes.dots, "integer", VISUAL, (ARITH,), "synthetic scene", "daily life"),
    Entry(logic.pattern, "text", VISUAL, (LOGIC,), "puzzle test", "elementary school"),
)
HINTS: dict[str, str] = {
    "text": "Please answer the question and provide the correct option letter, e.g., A, B, C, D, at the end.",
    "integer": "Please answer the question requiring an integer answer and provide the final value, e.g., 1, 2, 3, at "
    "the end.",
    "float 1": "Please answer the question requiring a floating-point number with one decimal place and provide the "
    "final value, e.g., 1.2, 1.3, 1.4, at the end.",
    "float 2": "Please answer the question requiring a floating-point number with two decimal places and provide the "
    "final value, e.g., 1.23, 1.34, 1.45, at the end.",
    "list": "Please answer the question requiring a Python list as an answer and provide the final list, e.g., "
    "[1, 2, 3], [1.2, 1.3, 1.4], at the end.",
}
"""How MathVista puts questions, by the kind of answer."""


def cells(entry: Entry, placed: Placed) -> dict[str, str]:
    ask, options = placed.ask, placed.options if entry.kind == "text" else ()
    precision = str(float(len(ask.answer.partition(".")[2]))) if entry.kind == "float" else ""
    hint = HINTS[f"float {precision[0]}" if precision else entry.kind]
    unit = f" (Unit: {entry.unit})" if entry.unit else ""
    choices = "".join(f"\n({letter}) {option}" for letter, option in zip("ABCDE", options, strict=False))
    return {
        "question": f"Hint: {hint}\nQuestion: {ask.question}{unit}" + (f"\nChoices:{choices}" if options else ""),
        "raw_question": ask.question,
        "question_type": "multi_choice" if options else "free_form",
        "answer_type": entry.kind,
        "choices": repr(list(options)) if options else "",
        "precision": precision,
        "unit": entry.unit,
        "answer": ask.answer,
        "answer_option": placed.letter if options else "",
        "task": entry.task,
        "skills": repr(list(entry.skills)),
        "category": "math-targeted-vqa",
        "source": "mini world",
        "context": entry.context,
        "grade": entry.grade,
        "language": "english",
        "split": "testmini",
    }


def mathvista(out: Path, seed: int) -> int:
    dice, table = Dice(f"MathVista {seed}"), Table(COLUMNS)
    deck = Deck(dice)
    drawn = [(entry, asks(dice, (entry.family,), "test")) for entry in ENTRIES]
    for _ in range(TURNS):
        for entry, questions in drawn:
            ask = next(questions)
            placed = deck.place(ask) if entry.kind == "text" else Placed(ask, (), "")
            table.add(len(table) + 1, ask.images, cells(entry, placed))
    return table.write(out / "MathVista" / "MathVista_MINI.tsv")
