"""English number words as a number, as word2number 1.1 reads them.

The package is one function of 2017 that PyPI has as source only; ours gives what it gives for every text, oddities
included: words that are no number are passed over ("a dozen of five" is 5), of more than four words between two
scales only the first counts, "one million two thousand" is 1003002, and decimals that are not digits add nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from tasks.scoring.normalizers.english_numbers import ONE_TO_NINETEEN, TWENTY_TO_NINETY

_SCALES = {"billion": 10**9, "million": 10**6, "thousand": 1000}
_VALUES = (
    {word: value for value, word in enumerate(["zero", *ONE_TO_NINETEEN])}
    | {word: 10 * value for value, word in enumerate(TWENTY_TO_NINETY, start=2)}
    | {"hundred": 100}
    | _SCALES
)
_DIGITS = {word: str(value) for word, value in list(_VALUES.items())[:10]}
_POINT = "point"


def read_number(text: str) -> int | float:
    """The number that the words of a text name, or that its digits are.

    Raises ValueError where it names none or its words cannot stand in this order.

    >>> read_number("two million twenty three thousand and forty-nine")
    2023049
    """
    text = text.replace("-", " ").lower()
    if text.isdigit():
        return int(text)
    words = [word for word in text.split() if word in _VALUES or word == _POINT]
    if not words:
        raise ValueError(f"no number words in {text!r}")
    if any(words.count(word) > 1 for word in (*_SCALES, _POINT)):
        raise ValueError(f"a scale or the point stands twice in {text!r}")
    whole, decimals = words, []
    if _POINT in words:
        at = words.index(_POINT)
        whole, decimals = words[:at], words[at + 1 :]
    value: int | float = _VALUES[whole[0]] if len(whole) == 1 else _whole(whole, text) if whole else 0
    if not decimals:
        return value
    return value + (float("0." + "".join(_DIGITS[word] for word in decimals)) if _DIGITS.keys() >= set(decimals) else 0)


def _whole(words: Sequence[str], text: str) -> int:
    """The sum of the parts before each scale and after the last."""
    found = [(words.index(scale), value) for scale, value in _SCALES.items() if scale in words]
    if found != sorted(found):
        raise ValueError(f"the scales of {text!r} do not fall")
    total, begin = 0, 0
    for at, value in found:
        total += value * _part(words[begin:at], text)
        begin = at + 1
    # What stands after the last scale; where nothing does, the words after the one before count again.
    begins = [0] if not found else [at + 1 for at, _ in reversed(found) if at + 1 < len(words)]
    return total + (_part(words[begins[0] :], text) if begins else 0)


def _part(words: Sequence[str], text: str) -> int:
    """What up to four words between two scales are worth."""
    if not words:
        raise ValueError(f"nothing stands before a scale in {text!r}")
    values = [_VALUES[word] for word in words]
    if len(values) == 4:
        return values[0] * values[1] + values[2] + values[3]
    if len(values) == 3:
        return values[0] * values[1] + values[2]
    if len(values) == 2:
        return values[0] * values[1] if 100 in values else sum(values)
    return values[0]
