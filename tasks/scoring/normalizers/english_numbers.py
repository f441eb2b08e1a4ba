"""Spoken English numbers to digits, as Whisper's English normalisation writes them.

"three hundred pounds" becomes "£300", "nineteen eighty four" becomes "1984" and "twenty first" becomes
"21st". Equal to `EnglishNumberNormalizer` of openai-whisper 20250625 (MIT licence), its oddities
included ("ninth" is not known but "nineth" is; "one" stays a word); written anew as a reader that folds
one word at a time into a pending number.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import NamedTuple

# fmt: off
ONE_TO_NINETEEN = [
    "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
]
TWENTY_TO_NINETY = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_ILLIONS = [
    "million", "billion", "trillion", "quadrillion", "quintillion", "sextillion", "septillion", "octillion",
    "nonillion", "decillion",
]
# fmt: on
_IRREGULAR_ORDINALS = {"one": "first", "two": "second", "three": "third", "five": "fifth", "twelve": "twelfth"}
_ORDINAL_MARKS = {1: "st", 2: "nd", 3: "rd"}


class Numeral(NamedTuple):
    """What a number word adds; `mark` is the ending that closes the number ("th", "s"), or empty."""

    value: int
    mark: str = ""


def _ones() -> dict[str, Numeral]:
    table = {}
    for value, word in enumerate(ONE_TO_NINETEEN, start=1):
        regular = word + ("h" if word.endswith("t") else "th")
        table[word] = Numeral(value)
        table["sixes" if word == "six" else word + "s"] = Numeral(value, "s")
        table[_IRREGULAR_ORDINALS.get(word, regular)] = Numeral(value, _ORDINAL_MARKS.get(value, "th"))
    return table | {"zeroth": Numeral(0, "th")}


def _tens() -> dict[str, Numeral]:
    table: dict[str, Numeral] = {}
    for value, word in zip(range(20, 100, 10), TWENTY_TO_NINETY, strict=True):
        stem = word.removesuffix("y")
        table |= {word: Numeral(value), stem + "ies": Numeral(value, "s"), stem + "ieth": Numeral(value, "th")}
    return table


def _scales() -> dict[str, Numeral]:
    powers = {"hundred": 2, "thousand": 3} | {word: 3 * n for n, word in enumerate(_ILLIONS, start=2)}
    table: dict[str, Numeral] = {}
    for word, power in powers.items():
        for mark in ("", "s", "th"):
            table[word + mark] = Numeral(10**power, mark)
    return table


ZEROS = frozenset({"o", "oh", "zero"})
ONES, TENS, SCALES = _ones(), _tens(), _scales()
SIGNS = {"minus": "-", "negative": "-", "plus": "+", "positive": "+"}
CURRENCIES = {
    "pound": "£", "pounds": "£", "euro": "€", "euros": "€",
    "dollar": "$", "dollars": "$", "cent": "¢", "cents": "¢",
}  # fmt: skip
REPEATS = {"double": 2, "triple": 3}

NUMBER_WORDS = frozenset(
    {*ZEROS, *ONES, *TENS, *SCALES, *SIGNS, *CURRENCIES, *REPEATS, "per", "percent", "and", "point"}
)
# "and" alone changes nothing, so it does not call for the reader.
_TRIGGERS = NUMBER_WORDS - {"and"}

_PLAIN_ONES = frozenset(ONE_TO_NINETEEN)
_PLAIN_TENS = frozenset(TWENTY_TO_NINETY)
_PLAIN_SCALES = frozenset(word for word, numeral in SCALES.items() if not numeral.mark)
_DIGIT_WORDS = _PLAIN_ONES | _PLAIN_TENS | ZEROS
_PREFIXES = frozenset({*SIGNS.values(), *CURRENCIES.values()})

_HAS_DIGIT = re.compile(r"\d")
_FIGURE = re.compile(r"\d+(?:\.\d+)?")
_AND_A_HALF = re.compile(r"\band\s+a\s+half\b")
_LETTER_DIGIT = re.compile(r"([a-z])([0-9])")
_DIGIT_LETTER = re.compile(r"([0-9])([a-z])")
_DETACHED_ENDING = re.compile(r"([0-9])\s+(st|nd|rd|th|s)\b")
_MONEY_AND_CENTS = re.compile(r"([€£$])([0-9]+) (?:and )?¢([0-9]{1,2})\b")
_ONLY_CENTS = re.compile(r"[€£$]0.([0-9]{1,2})\b")
_LONE_ONE = re.compile(r"\b1(s?)\b")
# int() of a longer run of digits is refused by Python; such a run is kept as it stands.
_MAX_DIGITS = 4000


def normalize_numbers(text: str) -> str:
    """Write the numbers of lower-case `text` in digits; white space becomes single blanks.

    >>> normalize_numbers("three hundred pounds and two and a half percent")
    '£300 and 2.5%'
    """
    if _TRIGGERS.isdisjoint(text.split()) and "half" not in text and not _HAS_DIGIT.search(text):
        return text
    words = _prepare(text).split()
    return _finish(" ".join(NumberReader(words).read()))


def _prepare(text: str) -> str:
    """Write "and a half" after a number as "point five" and separate letters from digits."""
    *heads, tail = _AND_A_HALF.split(text)
    pieces = []
    for head in heads:
        if head.strip():
            countable = head.split()[-1] in _DIGIT_WORDS | _PLAIN_SCALES
            pieces += [head, "point five" if countable else "and a half"]
    if tail.strip():
        pieces.append(tail)
    text = " ".join(pieces)
    text = _LETTER_DIGIT.sub(r"\1 \2", text)
    text = _DIGIT_LETTER.sub(r"\1 \2", text)
    return _DETACHED_ENDING.sub(r"\1\2", text)


def _finish(text: str) -> str:
    """Join dollars with cents, write an amount below one in cents, and 1 as a word."""
    text = _MONEY_AND_CENTS.sub(lambda m: f"{m[1]}{m[2]}.{int(m[3]):02d}", text)
    text = _ONLY_CENTS.sub(lambda m: f"¢{int(m[1])}", text)
    return _LONE_ONE.sub(r"one\1", text)


def _fraction(text: str) -> Fraction | None:
    """The value of digits with at most one point; None for what is not yet a number (".")."""
    try:
        return Fraction(text)
    except ValueError:
        return None


class NumberReader:
    """Reads words from left to right and folds number words into one pending number.

    The pending `value` is an int while it can still grow arithmetically ("three" + "hundred"), and a
    string of digits once words have been strung together ("one" + "oh" + "one"). `prefix` is the sign
    or currency that will stand before it.
    """

    def __init__(self, words: list[str]) -> None:
        self._words = words
        self._value: int | str | None = None
        self._prefix = ""
        self._out: list[str] = []

    def read(self) -> list[str]:
        for previous, word, following in self._neighbours():
            self._handler(word)(previous, word, following)
        self._flush()
        return self._out

    def _neighbours(self) -> Iterator[tuple[str, str, str]]:
        """(previous, word, following) with empty strings beyond the ends; consumed words are passed over."""
        self._position = 0
        padded = ["", *self._words, ""]
        while self._position < len(self._words):
            self._position += 1
            at = self._position
            yield padded[at - 1], padded[at], padded[at + 1]

    def _handler(self, word: str) -> Callable[[str, str, str], None]:
        if _FIGURE.fullmatch(word[1:] if word[0] in _PREFIXES else word):
            return self._figure
        if word in _HANDLERS:
            return getattr(self, _HANDLERS[word])  # type: ignore[no-any-return]
        return self._other

    def _emit(self, text: str) -> None:
        self._out.append(self._prefix + text)
        self._prefix, self._value = "", None

    def _flush(self) -> None:
        if self._value is not None:
            self._emit(str(self._value))

    def _digits(self) -> str:
        """The pending number as a string to append to; nothing pending and the number 0 give ''."""
        return str(self._value or "")

    def _other(self, previous: str, word: str, following: str) -> None:
        self._flush()
        self._emit(word)

    def _figure(self, previous: str, word: str, following: str) -> None:
        if isinstance(self._value, str) and self._value.endswith("."):
            self._value += word
            return
        self._flush()
        if word[0] in _PREFIXES:
            self._prefix, word = word[0], word[1:]
        number = _fraction(word) if len(word) <= _MAX_DIGITS else None
        self._value = number.numerator if number is not None and number.denominator == 1 else word

    def _zero(self, previous: str, word: str, following: str) -> None:
        self._value = self._digits() + "0"

    def _one(self, previous: str, word: str, following: str) -> None:
        number, mark = ONES[word]
        value = self._value
        if value is None:
            self._value = number
        elif isinstance(value, str) or previous in _PLAIN_ONES:
            strung = str(value)
            if previous in _PLAIN_TENS and number < 10:
                strung = strung[:-1]  # "oh twenty" + "five": the five takes the place of the last 0
            self._value = strung + str(number)
        else:
            self._add(value, number, 10 if number < 10 else 100)
        self._close(mark)

    def _ten(self, previous: str, word: str, following: str) -> None:
        number, mark = TENS[word]
        value = self._value
        if value is None:
            self._value = number
        elif isinstance(value, str):
            self._value = value + str(number)
        else:
            self._add(value, number, 100)
        self._close(mark)

    def _add(self, value: int, number: int, room: int) -> None:
        """Add if the last digits are free ("twenty" + "one"), else string together ("nineteen" + "eighty")."""
        self._value = value + number if value % room == 0 else f"{value}{number}"

    def _scale(self, previous: str, word: str, following: str) -> None:
        scale, mark = SCALES[word]
        value = self._value
        if value is None:
            self._value = scale
        elif isinstance(value, str):
            product = _scaled(value, scale)
            if product is None:
                self._flush()
                product = scale
            self._value = product
        else:
            thousands, rest = value // 1000 * 1000, value % 1000
            self._value = thousands + rest * scale
        self._close(mark)

    def _close(self, mark: str) -> None:
        """A plural or ordinal ending completes the number."""
        if mark:
            self._emit(f"{self._value}{mark}")

    def _sign(self, previous: str, word: str, following: str) -> None:
        self._flush()
        if _may_be_number(following):
            self._prefix = SIGNS[word]
        else:
            self._emit(word)

    def _currency(self, previous: str, word: str, following: str) -> None:
        if self._value is None:
            self._emit(word)
        else:
            self._prefix = CURRENCIES[word]
            self._flush()

    def _percent(self, previous: str, word: str, following: str) -> None:
        if self._value is None:
            self._emit(word)
        elif word == "percent":
            self._emit(f"{self._value}%")
        elif following == "cent":
            self._emit(f"{self._value}%")
            self._position += 1
        else:
            self._flush()
            self._emit(word)

    def _and(self, previous: str, word: str, following: str) -> None:
        # Inside a number ("two hundred and five") it is dropped.
        if not (_may_be_number(following) and previous in _PLAIN_SCALES):
            self._other(previous, word, following)

    def _repeat(self, previous: str, word: str, following: str) -> None:
        if following in _PLAIN_ONES or following in ZEROS:
            digit = ONES[following].value if following in ONES else 0
            self._value = self._digits() + str(digit) * REPEATS[word]
            self._position += 1
        else:
            self._other(previous, word, following)

    def _point(self, previous: str, word: str, following: str) -> None:
        if not _may_be_number(following):
            self._other(previous, word, following)
        elif following in _DIGIT_WORDS or _FIGURE.fullmatch(following):
            self._value = self._digits() + "."
        # else: before a number word that is not a digit ("point hundred") the reference loses the word


def _scaled(value: str, scale: int) -> int | None:
    """`value` times `scale` if that is a whole number."""
    number = _fraction(value) if len(value) <= _MAX_DIGITS else None
    product = None if number is None else number * scale
    return product.numerator if product is not None and product.denominator == 1 else None


def _may_be_number(word: str) -> bool:
    return word in NUMBER_WORDS or _FIGURE.fullmatch(word) is not None


_HANDLERS = {
    **dict.fromkeys(ZEROS, "_zero"), **dict.fromkeys(ONES, "_one"), **dict.fromkeys(TENS, "_ten"),
    **dict.fromkeys(SCALES, "_scale"), **dict.fromkeys(SIGNS, "_sign"),
    **dict.fromkeys(CURRENCIES, "_currency"), **dict.fromkeys(REPEATS, "_repeat"),
    "per": "_percent", "percent": "_percent", "and": "_and", "point": "_point",
}  # fmt: skip
