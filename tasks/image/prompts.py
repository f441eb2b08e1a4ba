"""How MathVista's questions are worded where no ready text of the data set is used: lmms-eval's three forms."""

from __future__ import annotations

from harness.task import Row
from tasks.prompts import field
from tasks.scoring import extraction
from tasks.scoring.cells import listed

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
WANTED = {
    "choice": ("the question", "correct option letter", "A, B, C, D"),
    "integer": ("the question requiring an integer answer", "final value", "1, 2, 3"),
    "list": (
        "the question requiring a Python list as an answer", "final list", "[1, 2, 3], [1.2, 1.3, 1.4]",
    ),
    "float1": (
        "the question requiring a floating-point number with one decimal place", "final value", "1.2, 1.3, 1.4",
    ),
    "float2": (
        "the question requiring a floating-point number with two decimal places", "final value", "1.23, 1.34, 1.45",
    ),
}  # fmt: skip
FORMS = {
    "choice": "Answer with the option's letter from the given choices directly.",
    "integer": "Answer the question using a single integer number.",
    "list": "Answer the question using a Python list.",
    "float1": "Answer the question using a single floating-point number with one decimal place.",
    "float2": "Answer the question using a single floating-point number with two decimal places.",
}


def _kind(row: Row) -> str:
    if extraction.is_choice(row):
        return "choice"
    answer_type = field(row, "answer_type")
    return answer_type if answer_type != "float" else f"float{int(float(str(row.get('precision') or 1)))}"


def _question(row: Row) -> str:
    """The bare question with its unit; a table's question text already has hint and choices around it."""
    unit = f" (Unit: {row['unit']})" if row.get("unit") else ""
    return f"{row.get('raw_question') or field(row, 'question')}{unit}"


def hinted(row: Row) -> str:
    """lmms-eval's first form: question, choices, then a hint at what is wanted."""
    options = listed(row.get("choices"))
    listing = "".join(f"\n({letter}) {text}" for letter, text in zip(LETTERS, options, strict=False))
    what, which, example = WANTED[_kind(row)]
    choice_lines = f"\nChoices:{listing}" if options else ""
    hint = f"Hint: Please answer {what} and provide the {which}, e.g., {example}, at the end."
    return f"Question: {_question(row)}{choice_lines}\n{hint}"


def short(row: Row) -> str:
    """lmms-eval's form for models that answer shortly."""
    options = listed(row.get("choices"))
    listing = "".join(f"\n{letter}. {text}" for letter, text in zip(LETTERS, options, strict=False))
    return f"{_question(row)}{listing}\n{FORMS[_kind(row)]}"


def as_stored(row: Row) -> str:
    """The question with hint and choices, as the data set has it ready."""
    return str(row.get("query") or field(row, "question"))
