"""The option rules of lmms-eval 0.7.3, one for each benchmark that has its own (protocols/vision.md)."""

from __future__ import annotations

import re
import string

from tasks.scoring.choice import API_FAILED, Options
from tasks.scoring.marks import mark_free

_PHRASES = (
    "the answer is", "answer is", "the correct answer is", "correct answer is", "the best answer is",
    "best answer is", "the correct option is", "correct option is", "the best option is", "best option is",
    "the choice is", "choice is", "the correct choice is", "correct choice is", "i choose", "i select", "i pick",
    "my answer is", "my choice is", "옵션", "정답은", "답은", "답:", "답", "答案是", "答案为",
)  # fmt: skip
_FORMS = (("({})", 6), ("{}.", 5), ("{}:", 4), ("{})", 3), ("{} ", 2))
_START, _END, _PHRASE, _ANYWHERE = 10, 9, 7, 0
"""How much a place is worth; of equal ones the later counts."""
_AFFIXES = (
    ("", "."), ("", ","), ("", ":"), ("", ")"), ("", ")."), ("(", ")"), ("(", ")."),
    (":", ""), (":", ","), (":", "."), (":", ")"), (":", ")."),
)  # fmt: skip
_MMBENCH_LETTERS = "ABCDE"
_DOTTED = re.compile(r"\s*([A-Z])\.")
_MVBENCH_DOTTED = re.compile(r"([A-E])\.\s*(.+)$", re.IGNORECASE)
_LONE_LETTER = re.compile(r"\b([A-E])\b", re.IGNORECASE)
_PUNCTUATION = str.maketrans("", "", string.punctuation)


def best_placed(answer: str, letters: str = "ABCD") -> str | None:
    """MMStar and Video-MME: the capital in the form that counts most; any capital at all is the last resort.

    >>> best_placed("Either C or D, but more likely D."), best_placed("Definitely not")
    ('D', 'D')
    """
    text = answer.strip()
    for mark in ",.!?;:'\"":
        text = text.strip(mark)
    padded, bare = f" {text} ", text.strip()
    if not bare:
        return None
    found: list[tuple[int, int, str]] = []
    for form, worth in _FORMS:
        found += [(worth, padded.rfind(form.format(c)), c) for c in letters if form.format(c) in padded]
    lowered = padded.lower()
    for phrase in _PHRASES:
        if (place := lowered.find(phrase)) >= 0:
            after = place + len(phrase)
            found += [(_PHRASE, at, c) for c in letters if (at := padded.find(c, after)) >= 0]
    found += [(_START, 0, c) for c in letters if bare[0] == c and not bare[1:2].isalpha()]
    found += [(_END, len(padded) - 1, c) for c in letters if bare[-1] == c and not bare[-2:-1].isalpha()]
    if not found:
        found = [(_ANYWHERE, padded.rfind(c), c) for c in letters if c in padded]
    return max(found, key=lambda one: one[:2])[2] if found else None


def prefetched(answer: str, options: Options) -> str | None:
    """MMBench, first pass: a letter as a word in one of thirteen spellings, else the only option text contained."""
    return _spelt(answer) or _contained(answer, options)


def _spelt(answer: str) -> str | None:
    if API_FAILED in answer:
        return None
    words = answer.split()
    alone = [letter for letter in _MMBENCH_LETTERS if letter in words]
    if len(alone) == 1 and not ("A" in words and len(words) > 3):
        return alone[0]
    for before, behind in _AFFIXES:
        named = [letter for letter in _MMBENCH_LETTERS if before + letter + behind in words]
        if len(named) == 1:
            return named[0]
    return None


def _contained(answer: str, options: Options) -> str | None:
    lowered = answer.lower()
    named = [letter for letter, text in options.items() if text.lower() in lowered]
    return named[0] if len(named) == 1 else None


def bracketed(answer: str, options: Options) -> str | None:
    """MMMU (the benchmark's own rule): `(A)`, else `A ` even at a word's end, else `A.`, else option text; of several
    the last. None where the reference draws a letter at random."""
    text = answer
    for mark in ",.!?;:'":
        text = text.strip(mark)
    text = f" {text} "
    for form, ranked in (("({})", "({})"), ("{} ", " {} "), ("{}.", " {} ")):
        if named := [letter for letter in options if form.format(letter) in text]:
            return max(named, key=lambda letter: text.rfind(ranked.format(letter))) if named[1:] else named[0]
    if len(text.split()) > 5:
        lowered = text.lower()
        if named := [letter for letter, option in options.items() if option.lower() in lowered]:
            return max(named, key=lambda letter: lowered.rfind(options[letter].lower()))
    return None


def led_letter(answer: str) -> str:
    """AI2D: the letter of a leading `B.`, else the whole answer."""
    leading = _DOTTED.match(answer)
    return leading[1] if leading else answer


def comparable(answer: str) -> str:
    """AI2D: what is left of an answer without case and ASCII punctuation; blanks stay."""
    return led_letter(answer).lower().translate(_PUNCTUATION)


def lone_letter(answer: str) -> str:
    """MVBench: `B. text` is B, else the first letter a to e that is a word once marks are gone, else the text."""
    if dotted := _MVBENCH_DOTTED.match(answer.strip()):
        return dotted[1].upper()
    text = mark_free(answer.replace("\n", " ").replace("\t", " ").strip(), after_digits=True)
    for mark in "'\")(":
        text = text.strip(mark)
    text = text.strip().lower()
    found = _LONE_LETTER.search(text)
    return found[1].upper() if found else text
