"""Free answers by rule: text that must occur (OCRBench), and MMMU's open questions.

`robust` rules read an answer as people do (docs/robust.md): the text must occur as words, numbers count by value.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence

from tasks.scoring.plain import bare, boxed, plain

_FULL_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}


def contains(answer: str, golds: Sequence[str], *, formula: bool, full_width: bool = False) -> bool:
    """OCRBench: whether any gold text occurs in the answer.

    Text is compared in lower case, formulas with their case and without blanks. `full_width` folds full-width ASCII on
    both sides, as lmms-eval does. A gold text may stand inside a word ("an" in "nan").
    """

    def form(text: str) -> str:
        folded = text.translate(_FULL_WIDTH) if full_width else text
        if formula:
            return folded.strip().replace("\n", " ").replace(" ", "")
        return folded.lower().strip().replace("\n", " ")

    written = form(answer)
    return any(form(gold) in written for gold in golds)


def mentions(answer: str, golds: Sequence[str], *, formula: bool = False) -> bool:
    """`robust`: whether any gold text stands in the answer as words, or a formula as itself.

    Blanks, case (of text), full-width forms, Markdown and `$` do not count.

    >>> mentions("It says **OPEN 24 h**.", ["open 24 h"]), mentions("banana", ["nan"])
    (True, False)
    """
    if formula:
        written = _formula(answer)
        return any((wanted := _formula(gold)) and wanted in written for gold in golds)
    written = _words(plain(answer))
    return any((wanted := _words(plain(gold))) and _as_words(wanted, written) for gold in golds)


def _formula(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text)
    return re.sub(r"\s+|\$|\\[()\[\],;!]|\\(?:left|right|displaystyle)", "", folded)


def _words(text: str) -> str:
    return " ".join(bare(text).casefold().split())


def _as_words(wanted: str, written: str) -> bool:
    """As whole words, digits at its ends as a whole number: 50 is not in "12.50" nor in "-50", nor 250 in "1,250"."""
    before, after = r"(?<![^\W_])", r"(?![^\W_])"
    if wanted[0].isdigit():
        before += r"(?<!\d\.)(?<!\W[-−.])" + (r"(?<!\d,)" if re.match(r"\d{3}(?!\d)", wanted) else "")
    if wanted[-1].isdigit():
        after += r"(?!\.\d|,\d{3}(?!\d))"
    return re.search(f"{before}{re.escape(wanted)}{after}", f" {written}") is not None


# MMMU's open questions

_INDICATORS = ("could be ", "so ", "is ", "thus ", "therefore ", "final ", "answer ", "result ")
_TRIVIAL = {":", ",", ".", "!", "?", ";", "'"}
_GROUPED = re.compile(r"-?\b\d{1,3}(?:,\d{3})+\b")
_SCIENTIFIC = re.compile(r"-?\d+(?:\.\d+)?[eE][+-]?\d+")
_SIMPLE = re.compile(r"-?(?:\d+\.\d+|\.\d+|\d+\b)(?![eE][+-]?\d+)(?![,\d])")


def candidates(answer: str) -> set[float | str]:
    """What an open answer may be, by MMMU's own rule as in lmms-eval 0.7.3: tails behind words such as "is" and "so",
    and all numbers in them, rounded to two digits.

    >>> sorted(candidates("The result is 2.50"))
    [2.5]
    """
    tails = _tails(answer)
    numbers = [found for tail in tails for form in (_GROUPED, _SCIENTIFIC, _SIMPLE) for found in form.findall(tail)]
    return {value for text in [*tails, *numbers] for value in comparable(text)}


def _tails(answer: str) -> list[str]:
    whole = answer.strip().strip(".").lower()
    sentences = whole.split("\n")  # the reference also splits before capitals, of which none are left by then
    tails: list[str] = []
    for number, sentence in enumerate(sentences, start=1):
        marks = (*_INDICATORS, "=") if number == len(sentences) else _INDICATORS
        found = [sentence.split(mark)[-1].strip() for mark in marks if mark in sentence]
        shortest = _shortest(found)
        if shortest and shortest not in _TRIVIAL:
            tails.append(shortest)
    return tails or [whole]


def _shortest(tails: Sequence[str]) -> str:
    """The shortest tail; an empty one gives way to the next, as in the reference."""
    kept = ""
    for tail in tails:
        if not kept or len(tail) < len(kept):
            kept = tail
    return kept


def comparable(text: str) -> list[float | str]:
    """A number rounded to two digits, or the text in lower case; a single character with a blank on either side."""
    text = text.strip()
    try:
        return [round(float(text.replace(",", "")), 2)]
    except ValueError:
        lowered = text.lower()
    return [f" {lowered}", f"{lowered} "] if len(lowered) == 1 else [lowered]


def is_candidate(found: set[float | str], golds: Sequence[str]) -> bool:
    """Whether a number found is a gold number, or a gold text is contained in a text found."""
    wanted = [value for gold in golds for value in comparable(gold)]
    texts = [value for value in wanted if isinstance(value, str)]
    return any(any(text in value for text in texts) if isinstance(value, str) else value in wanted for value in found)


# Numbers as people write them

_NUMBER = r"[-+−]?(?:(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?|\.\d+)(?:[eE][-+]?\d{1,3})?"
_VALUE = re.compile(
    rf"\\d?frac\s*\{{\s*(?P<top>-?\d+)\s*\}}\s*\{{\s*(?P<bottom>\d+)\s*\}}"
    rf"|(?<![\w.])(?P<number>{_NUMBER})(?:\s*/\s*(?P<under>\d+))?\s*(?P<percent>%)?"
)
_SAID = re.compile(
    r"(?:\b(?:answer|result|total|value)\b[^\n:=]{0,40}?(?:\bis\b|[:=])|答案(?:是|为)?[:：]?)\s*", re.IGNORECASE
)


def numbers(text: str) -> list[float]:
    """The numbers of a text by value: grouped digits, fractions, percent as written (50 % is 50).

    >>> numbers("1,250 or 3/4 or 50%")
    [1250.0, 0.75, 50.0]
    """
    found: list[float] = []
    for match in _VALUE.finditer(unicodedata.normalize("NFKC", text)):
        if match["top"] is not None:
            top, bottom = match["top"], match["bottom"]
        else:
            top, bottom = match["number"].replace(",", "").replace("−", "-"), match["under"] or "1"
        value = float(top) / (float(bottom) or math.inf)
        if math.isfinite(value) and float(bottom):
            found.append(value)
    return found


def final_text(answer: str) -> str:
    r"""The part of an answer that states it: what is boxed, else what follows the last "answer is", else its last line.

    >>> final_text("Let me see.\nThe answer is **4**, not 5")
    '4, not 5'
    """
    if inside := boxed(answer):
        return inside[-1]
    text = plain(answer)
    said = list(_SAID.finditer(text))
    return text[said[-1].end() :].split("\n")[0] if said else text.rpartition("\n")[2]


def final_number(answer: str) -> float | None:
    """The number that an answer states: the only one of its final part, else the last behind an equals sign."""
    text = final_text(answer)
    found = numbers(text.rpartition("=")[2]) if "=" in text else numbers(text)
    return found[0] if len(set(found)) == 1 else None


def equals(answer: str, golds: Sequence[str]) -> bool:
    """`robust`: whether an open answer states a gold answer: a number by value to two digits, a text as words."""
    value = final_number(answer)
    for gold in golds:
        wanted = numbers(gold)
        if len(wanted) == 1 and not re.search(r"[A-Za-z\u4e00-\u9fff]", gold.replace("frac", "")):
            if value is not None and round(value, 2) == round(wanted[0], 2):
                return True
        elif mentions(final_text(answer), [gold]):
            return True
    return False
