"""MathVista: an answer is extracted by rule or by a judge, brought to the question's type and compared.

The judge extracts only; what is right is decided here. VLMEvalKit never finds a list right, asks the judge about a
right zero, and rounds nothing; lmms-eval takes the nearest choice of any reply. Both are kept to their profiles.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

from rapidfuzz.distance import Levenshtein

from harness.types import Doc
from tasks.scoring.cells import listed, options_of
from tasks.scoring.choice import NO_OPTION
from tasks.scoring.choice.robust import stated
from tasks.scoring.choice.vlmevalkit import matched
from tasks.scoring.free_text import final_number, final_text, numbers

_LETTERED = re.compile(r"\(([a-zA-Z])\)")


def is_choice(doc: Doc) -> bool:
    return doc.get("question_type") == "multi_choice"


def gold_letter(doc: Doc) -> str:
    """The letter of a choice question: column `answer_option`, else the place of the answer among the choices.

    Raises ValueError where the row has neither.
    """
    if letter := str(doc.get("answer_option") or ""):
        return letter
    choices = listed(doc.get("choices"))
    if doc.get("answer") not in choices:
        raise ValueError(f"answer {doc.get('answer')!r} is none of the choices {choices}")
    return chr(ord("A") + choices.index(str(doc["answer"])))


# VLMEvalKit


def prefetched(answer: str, doc: Doc, *, current: bool) -> str | None:
    """What VLMEvalKit takes without a judge: an option that is found, right or wrong; a number only if it is right."""
    if is_choice(doc):
        return matched(answer, options_of(doc), current=current)
    value = _number(answer, doc)
    return str(value) if value and value == _number(str(doc["answer"]), doc) else None


def vlmevalkit_right(reply: str, doc: Doc, *, current: bool) -> bool:
    """Whether an extracted answer is right: the letter, or the number without rounding; never a list."""
    if is_choice(doc):
        return matched(reply, options_of(doc), current=current) == gold_letter(doc)
    value = _number(reply, doc)
    return value is not None and value == _number(str(doc["answer"]), doc)


def _number(text: str, doc: Doc) -> float | None:
    """By the answer's type; None for what is none, and for lists."""
    try:
        match doc.get("answer_type"):
            case "integer":
                return int(text)
            case "float":
                return float(text)
    except ValueError:
        pass
    return None


# lmms-eval


def quickly(answer: str, doc: Doc) -> str | None:
    """What lmms-eval takes without a judge: nothing, one of the choices, or an answer that is only a number."""
    if not answer or (is_choice(doc) and answer in listed(doc.get("choices"))):
        return answer
    value = _number(answer, doc)
    return None if value is None else str(value)


def normalised(extracted: str, doc: Doc) -> str | None:
    """An extracted answer in the form of the question's type, as lmms-eval compares it.

    A letter becomes its choice, any other text the choice with the smallest edit distance.
    """
    if is_choice(doc):
        return _nearest(extracted.strip(), listed(doc.get("choices")))
    try:
        match doc.get("answer_type"):
            case "integer":
                return str(int(float(extracted)))
            case "float":
                return str(round(float(extracted), _precision(doc)))
    except (ValueError, OverflowError):
        return None
    return extracted


def _nearest(extracted: str, choices: Sequence[str]) -> str:
    letter = _bracketed(extracted) or extracted
    if len(letter) == 1 and 0 <= ord(letter) - ord("A") < len(choices):
        return choices[ord(letter) - ord("A")]
    return min(choices, key=lambda choice: Levenshtein.distance(letter, choice))


def _bracketed(text: str) -> str:
    found = _LETTERED.search(text)
    return found[1].upper() if found else ""


def _precision(doc: Doc) -> int | None:
    """Digits behind the point. The data set stores them as a float, which fails in the reference (None there)."""
    value = doc.get("precision")
    return None if value in (None, "") else int(float(str(value)))


def lmms_eval_right(extracted: str, doc: Doc) -> bool:
    return str(normalised(extracted, doc)).strip() == str(doc["answer"]).strip()


# Our own


def by_rule(answer: str, doc: Doc, *, robust: bool) -> str | None:
    """What an answer states, without a judge: its option, its number, its list. None where it states none."""
    if is_choice(doc):
        options = options_of(doc)
        return stated(answer, options) if robust else matched(answer, options, current=False)
    if doc.get("answer_type") == "list":
        text = final_text(answer)
        return str(found) if (found := _list(text)) is not None else None
    value = final_number(answer)
    return None if value is None else f"{value:.12g}"


def is_right(extracted: str, doc: Doc) -> bool:
    """Whether an extracted answer is right: the letter, the whole number, the number at the question's precision, the
    same list whatever its spelling."""
    if is_choice(doc):
        letter = stated(extracted, options_of(doc)) or NO_OPTION
        return letter == gold_letter(doc)
    if doc.get("answer_type") == "list":
        return (found := _list(extracted)) is not None and found == _list(str(doc["answer"]))
    given, wanted = numbers(extracted), numbers(str(doc["answer"]))
    if len(given) != 1 or len(wanted) != 1:
        return extracted.strip().casefold() == str(doc["answer"]).strip().casefold()
    digits = 0 if doc.get("answer_type") == "integer" else _precision(doc)
    if doc.get("answer_type") == "integer":
        return given[0] == wanted[0]
    return round(given[0], digits or 0) == round(wanted[0], digits or 0) if digits else given[0] == wanted[0]


def _list(text: str) -> list[float | str] | None:
    """`[1, 2.0]`, `(1, 2)` or `1, 2` as numbers (or texts); None for what is no list."""
    body = text[text.find("[") : text.rfind("]") + 1] if "[" in text else f"[{text.strip()}]"
    try:
        found = ast.literal_eval(body)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None
    if isinstance(found, list) and len(found) == 1 and isinstance(found[0], tuple):
        found = list(found[0])
    if not isinstance(found, list) or not found:
        return None
    try:
        return [float(item) if isinstance(item, int | float) else str(item) for item in found]
    except OverflowError:
        return None
