"""The punctuation rule of VQA benchmarks, with its accidents, as several public scorers share it."""

from __future__ import annotations

import re

_MARKS = ';/[]"{}()=+\\_-><@`,?!'
_COMMA_IN_NUMBER = re.compile(r"\d,\d")
_FULL_STOP = re.compile(r"(?<!\d)\.(?!\d)")
_FULL_STOP_AFTER_ANY = re.compile(r"\.(?!\d)")
_MOST = 32
"""Full stops that go: the references pass a regular expression's flag where the number of replacements belongs."""


def mark_free(text: str, *, after_digits: bool = False) -> str:
    """Delete a mark that stands beside a blank somewhere in the text, else make a blank of it.

    A comma between digits anywhere deletes all marks. Asterisks, apostrophes and bars stay, so "**yes**" is no word
    "yes". A full stop beside a digit stays; with `after_digits` (a typing error in lmms-eval) one that follows a digit
    goes too.
    """
    delete_all = _COMMA_IN_NUMBER.search(text) is not None
    replacement: dict[str, str | int | None] = {
        mark: "" if delete_all or f"{mark} " in text or f" {mark}" in text else " " for mark in _MARKS
    }
    full_stop = _FULL_STOP_AFTER_ANY if after_digits else _FULL_STOP
    return full_stop.sub("", text.translate(str.maketrans(replacement)), count=_MOST)
