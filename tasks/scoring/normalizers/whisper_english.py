"""Whisper's English text normalisation.

Equal to `EnglishTextNormalizer` of openai-whisper 20250625 for every string; written anew. The 1739
British to American spellings in `american_spelling.json` are the word pairs of that release's
`english.json` (MIT licence), which come from https://www.tysto.com/uk-us-spelling-list.html.

What it does to a text, in order: lower case; brackets, parentheses and hesitations dropped;
contractions and titles written out; punctuation blanked and diacritics removed; numbers in digits;
American spelling; number symbols that stand beside no digit blanked. Oddities that scores depend on:
"john's house" becomes "john is house", and "st." is always "saint".

What other normalisers change of it is a `Variant`; `open_asr.py` is one.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

from tasks.scoring.normalizers.english_numbers import normalize_numbers
from tasks.scoring.normalizers.whisper_basic import (
    CharacterMap,
    collapse_spaces,
    drop_bracketed,
    is_mark_symbol_or_punctuation,
)

HESITATIONS = ("hmm", "mm", "mhm", "mmm", "uh", "um")
_BLANK_APOSTROPHE = re.compile(r"\s+'")

# Contractions that are one whole expression; they go before the endings below.
_WHOLE = {
    "won't": "will not", "can't": "can not", "let's": "let us", "ain't": "aint",
    "y'all": "you all", "i'ma": "i am going to", "ma'am": "madam",
}  # fmt: skip
_COLLOQUIAL = {
    "wanna": "want to", "gotta": "got to", "gonna": "going to", "imma": "i am going to",
    "woulda": "would have", "coulda": "could have", "shoulda": "should have",
}  # fmt: skip
_TITLES = {
    "mr": "mister", "mrs": "missus", "st": "saint", "dr": "doctor", "prof": "professor",
    "capt": "captain", "gov": "governor", "ald": "alderman", "gen": "general", "sen": "senator",
    "rep": "representative", "pres": "president", "rev": "reverend", "hon": "honorable",
    "asst": "assistant", "assoc": "associate", "lt": "lieutenant", "col": "colonel", "jr": "junior",
    "sr": "senior", "esq": "esquire",
}  # fmt: skip
_WORDS = _COLLOQUIAL | {short: long + " " for short, long in _TITLES.items()}
_PERFECT = {
    "'d been": " had been", "'s been": " has been", "'d gone": " had gone", "'s gone": " has gone",
    "'d done": " had done", "'s got": " has got",
}  # fmt: skip
_ENDINGS = {
    "'re": " are", "'s": " is", "'d": " would", "'ll": " will", "'t": " not", "'ve": " have", "'m": " am",
}  # fmt: skip

_ANY_WHOLE = re.compile(rf"\b(?:{'|'.join(_WHOLE)})\b")
_ANY_WORD = re.compile(rf"\b(?:{'|'.join(_WORDS)})\b")
_ANY_PERFECT = re.compile(rf"(?:{'|'.join(_PERFECT)})\b")
_NOT = re.compile(r"n't\b")

_COMMA_IN_NUMBER = re.compile(r"(\d),(\d)")
_FULL_STOP = re.compile(r"\.([^0-9]|$)")
_STRAY_PREFIX = re.compile(r"[.$¢€£]([^0-9])")
_STRAY_PERCENT = re.compile(r"([^0-9])%")
_NUMBER_SYMBOLS = ".%$¢€£"

# Letters that compatibility decomposition does not take apart.
_LETTERS = {
    "œ": "oe", "Œ": "OE", "ø": "o", "Ø": "O", "æ": "ae", "Æ": "AE", "ß": "ss", "ẞ": "SS",
    "đ": "d", "Đ": "D", "ð": "d", "Ð": "D", "þ": "th", "Þ": "th", "ł": "l", "Ł": "L",
}  # fmt: skip


def _plain(character: str) -> str:
    if character in _NUMBER_SYMBOLS:
        return character
    if character in _LETTERS:
        return _LETTERS[character]
    if unicodedata.category(character) == "Mn":
        return ""
    return " " if is_mark_symbol_or_punctuation(character) else character


_PLAIN = CharacterMap(_plain)


@cache
def american_spelling() -> dict[str, str]:
    """British -> American spellings of single words."""
    path = Path(__file__).with_name("american_spelling.json")
    pairs: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return pairs


def _as_it_is(text: str) -> str:
    return text


@dataclass(frozen=True, slots=True)
class Variant:
    """The rules that differ between the normalisers built on Whisper's.

    `is_after` names the only words after which "'s" is written out as "is"; elsewhere the "s" stands alone. None: it is
    "is" everywhere. `join_words` works on the text without symbols, before numbers are read, `finish` on the result.
    """

    spelling: Callable[[], Mapping[str, str]]
    hesitations: tuple[str, ...] = HESITATIONS
    is_after: tuple[str, ...] | None = None
    join_words: Callable[[str], str] = _as_it_is
    finish: Callable[[str], str] = _as_it_is


def normalizer(variant: Variant) -> Callable[[str], str]:
    """The normaliser with the variant's rules; it remembers what it last made of a few thousand texts."""
    drop_hesitations = re.compile(rf"\b(?:{'|'.join(variant.hesitations)})\b").sub
    expand = _contractions(variant.is_after)

    @lru_cache(maxsize=8192)  # references repeat: over profiles, repeats and models
    def apply(text: str) -> str:
        text = drop_bracketed(text.lower())
        text = drop_hesitations("", text)
        text = expand(text)
        if "," in text:
            text = _COMMA_IN_NUMBER.sub(r"\1\2", text)
        if "." in text:
            text = _FULL_STOP.sub(r" \1", text)
        if not text.isascii():
            text = unicodedata.normalize("NFKD", text)
        text = normalize_numbers(variant.join_words(text.translate(_PLAIN)))

        spelling = variant.spelling()
        text = " ".join([spelling.get(word, word) for word in text.split()])
        if not _SYMBOLS_LEFT.isdisjoint(text):
            text = _STRAY_PREFIX.sub(r" \1", text)
            text = collapse_spaces(_STRAY_PERCENT.sub(r"\1 ", text))
        return variant.finish(text)

    return apply


_SYMBOLS_LEFT = frozenset(_NUMBER_SYMBOLS)


def _contractions(is_after: tuple[str, ...] | None) -> Callable[[str], str]:
    """Writes contractions and titles out.

    The order matters where a string of apostrophes fits several rules ("'sn't"): whole expressions,
    then "n't", and only then the other endings.
    """
    endings = _ENDINGS if is_after is None else {ending: word for ending, word in _ENDINGS.items() if ending != "'s"}
    any_ending = re.compile(rf"(?:{'|'.join(endings)})\b")
    some_is = None if is_after is None else re.compile(rf"\b({'|'.join(is_after)})'s\b")

    def expand(text: str) -> str:
        if "'" not in text:
            return _ANY_WORD.sub(lambda m: _WORDS[m[0]], text)
        text = _BLANK_APOSTROPHE.sub("'", text)
        text = _ANY_WHOLE.sub(lambda m: _WHOLE[m[0]], text)
        text = _ANY_WORD.sub(lambda m: _WORDS[m[0]], text)
        text = _ANY_PERFECT.sub(lambda m: _PERFECT[m[0]], text)
        text = _NOT.sub(" not", text)
        if some_is is not None:
            text = some_is.sub(r"\1 is", text)
        return any_ending.sub(lambda m: endings[m[0]], text)

    return expand


_WHISPER = normalizer(Variant(american_spelling))


def normalize(text: str) -> str:
    """The normalised text; a blank may be left at its ends.

    >>> normalize("Mr. Smith's colour cost $20 million, um, didn't it?")
    'mister smith is color cost $20000000 did not it'
    """
    return _WHISPER(text)
