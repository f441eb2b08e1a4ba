"""TempCompass's rules of each format, alike in public scorers: 1 or 0 by rule, None where a judge has to say."""

from __future__ import annotations

import re

from tasks.scoring.choice import Options

LETTERS = ("A", "B", "C", "D")
_OPTION = re.compile(r"^\(?([A-Z])[.)]\s*(.+)$")
_CAPTION = re.compile(r"^(?:Caption|Sentence|Option) (\w+)\s*:\s*(.+)$")


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


def options_in(question: str) -> Options:
    """The options in a question's lines: "A. left", or captions "Caption A: ..", "Option 1: .." as A, B."""
    lines = [line.strip() for line in question.split("\n")[1:]]
    lettered = [match for line in lines if (match := _OPTION.match(line))]
    if lettered:
        return {match[1]: match[2] for match in lettered}
    captions = [match for line in lines if (match := _CAPTION.match(line))]
    return {chr(ord("A") + place): match[2] for place, match in enumerate(captions)}
