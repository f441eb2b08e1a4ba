"""TempCompass's rules of each format, alike in public scorers: 1 or 0 by rule, None where a judge has to say.

`chosen` is our own: the option that an answer states to a reader, whatever its options are called.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from string import ascii_uppercase

from tasks.scoring.choice import Options
from tasks.scoring.choice.robust import stated
from tasks.scoring.plain import plain

LETTERS = ("A", "B", "C", "D")
_OPTION = re.compile(r"^\(?([A-Z])[.)]\s*(.+)$")
_CAPTION = re.compile(r"^(?:Caption|Sentence|Option) (\w+)\s*:\s*(.+)$")
_NAMED = re.compile(r"\b(?:caption|sentence|option) [(\[]?(\w+)\b[)\]]?", re.IGNORECASE)
_NOUN = re.compile(r"\b(?:caption|sentence)(?= (?:is|would be|should be|must be)\b|\s*[:=])", re.IGNORECASE)
_NUMBERED = re.compile(r"(?:^|(?<= is )|(?<=: )|(?<=\{))[(\[]?(\d)\b[)\]]?(?=\s*(?:[.:,](?!\d)|\}|$))", re.MULTILINE)
"""A number that is all of a line, begins it with a mark, or ends a statement: "2", "2: ..", "the answer is 2"."""


def multiple_choice(answer: str, gold: str) -> float | None:
    """The gold text itself, a bare letter, or one at the very beginning with `.` or `)`."""
    if answer == gold:
        return 1.0
    if answer in LETTERS or (answer[:1] in LETTERS and answer[1:2] in (".", ")")):
        return float(answer[0] == gold[:1])
    return None


def yes_no(answer: str, gold: str) -> float | None:
    """What the text begins with, in lower case: "not sure" is no."""
    lowered = answer.lower()
    said = next((word for word in ("yes", "no") if lowered.startswith(word)), None)
    return None if said is None else float(said == gold)


def caption_matching(answer: str, question: str, gold: str) -> float | None:
    """An option as it stands, its sentence, or its label, long ("Caption A") or short ("A"), full stops aside."""
    options = [option for option in question.split("\n")[1:] if ": " in option]
    parts = [option.split(": ")[:2] for option in options]
    labels = [label for label, _ in parts] + [_short(label) for label, _ in parts]
    tail = answer.split(") ")[1] if ") " in answer else None
    found = [option for option in options if option == answer]
    found += [sentence for _, sentence in parts if sentence in (answer, tail)]
    found += [label for label in labels if label in (answer, answer.replace(".", ""))]
    if not found:
        return None
    label, _, sentence = gold.partition(": ")
    return float(found[-1] in (gold, gold.split(":")[0], sentence.split(": ")[0], label.split()[-1]))


def _short(label: str) -> str:
    return label.replace("Sentence ", "").replace("Option ", "").replace("Caption ", "")


def listed(question: str) -> dict[str, str]:
    """The options in a question's lines by their labels: "A. left", or captions "Caption A: ..", "Option 1: .."."""
    lines = [line.strip() for line in question.split("\n")[1:]]
    for form in (_OPTION, _CAPTION):
        if found := [match for line in lines if (match := form.match(line))]:
            return {match[1]: match[2] for match in found}
    return {}


def label_of(gold: str, options: Options) -> str | None:
    """The label of a gold answer: the one that stands before it, or of the option whose text it is."""
    if led := set(listed(f"\n{gold}")) & options.keys():
        return led.pop()
    return next((label for label, text in options.items() if gold.strip() in (label, text)), None)


def chosen(answer: str, options: Options) -> str | None:
    """`robust`: the label of the option that an answer states, in any form ("Sentence B", "Option 2", "2").

    >>> chosen("The best match is **Option 2**.", {"1": "It falls.", "2": "It rises."})
    '2'
    """
    letters = {label: _letter(label, place, options) for place, label in enumerate(options)}
    said = stated(_lettered(answer, letters), {letters[label]: text for label, text in options.items()})
    return next((label for label, letter in letters.items() if letter == said), None)


def _letter(label: str, place: int, options: Options) -> str:
    """The label itself where all are capital letters, else the letter of its place."""
    return label if all(one in ascii_uppercase for one in options) else ascii_uppercase[place]


def _lettered(answer: str, letters: Mapping[str, str]) -> str:
    """An answer whose captions are options by letter: "Sentence 2" is "option B"; so is a number that stands alone."""

    def option(match: re.Match[str]) -> str:
        letter = letters.get(match[1]) or letters.get(match[1].upper())
        return f"option {letter}" if letter else match[0]

    text = _NAMED.sub(option, _NOUN.sub("option", plain(answer)))
    return _NUMBERED.sub(lambda match: letters.get(match[1], match[1]), text)
