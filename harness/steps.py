"""Named steps between what a model wrote and what a scorer reads.

`form` takes the answer out of the form that a prompt asks for (JSON, a tag); `reasoning` cuts the thinking that some
models show before they answer. The text as it was written stays in the record; a step that changed it is told.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from harness.task import Preset

REASONING, FORM = "reasoning", "form"

_PAIRS = (
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("<thought>", "</thought>"),
    ("<reasoning>", "</reasoning>"),
    ("<|begin_of_thought|>", "<|end_of_thought|>"),
    ("[THINK]", "[/THINK]"),
    ("◁think▷", "◁/think▷"),
)
_OPEN = re.compile("|".join(re.escape(opening) for opening, _ in _PAIRS), re.IGNORECASE)
_CLOSE = re.compile("|".join(re.escape(closing) for _, closing in _PAIRS), re.IGNORECASE)
_CLOSING = {opening.lower(): closing.lower() for opening, closing in _PAIRS}


class Taken(NamedTuple):
    """The answer, None where there is none, and the steps that changed it."""

    text: str | None
    steps: tuple[str, ...]


def take_answer(text: str, preset: Preset | None = None) -> Taken:
    """The answer in a response: thinking is cut first, then the preset's form is read.

    Raises what the preset's `read` raises, and ValueError where it gives no text.
    """
    steps: list[str] = []
    answer = without_reasoning(text)
    if answer != text:
        steps.append(REASONING)
    if answer is not None and preset is not None and preset.read is not None:
        read = preset.read(answer)
        if not isinstance(read, str):
            raise ValueError(f"the preset's read gave {read!r:.80}, which is no text")
        if read != answer:
            steps.append(FORM)
        answer = read
    return Taken(answer, tuple(steps))


def without_reasoning(text: str) -> str | None:
    """A text without its blocks of reasoning; None when one is not closed: the answer was never reached.

    A closing mark without an opening one ends a block that the prompt had opened.

    >>> without_reasoning("<think>2 + 2 is 4</think> 4")
    '4'
    >>> without_reasoning("<think>2 + 2 is") is None
    True
    """
    if not _OPEN.search(text) and not _CLOSE.search(text):
        return text
    kept: list[str] = []
    place = 0
    first_close, first_open = _CLOSE.search(text), _OPEN.search(text)
    if first_close and (first_open is None or first_close.start() < first_open.start()):
        place = first_close.end()
    while opening := _OPEN.search(text, place):
        kept.append(text[place : opening.start()])
        mark = _CLOSING[opening[0].lower()]
        end = text.lower().find(mark, opening.end())
        if end < 0:
            return None
        place = end + len(mark)
    kept.append(text[place:])
    return "".join(kept).strip()
