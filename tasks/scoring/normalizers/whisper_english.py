"""Whisper's English text normalisation.

Equal to `EnglishTextNormalizer` of openai-whisper 20250625 for every string; written anew. The 1739
British to American spellings in `american_spelling.json` are the word pairs of that release's
`english.json` (MIT licence), which come from https://www.tysto.com/uk-us-spelling-list.html.

What it does to a text, in order: lower case; brackets, parentheses and hesitations dropped;
contractions and titles written out; punctuation blanked and diacritics removed; numbers in digits;
American spelling; number symbols that stand beside no digit blanked. Oddities that scores depend on:
"john's house" becomes "john is house", and "st." is always "saint".
"""

from __future__ import annotations

import json
import re
import unicodedata
from functools import cache, lru_cache
from pathlib import Path

from tasks.scoring.normalizers.english_numbers import normalize_numbers
from tasks.scoring.normalizers.whisper_basic import (
    CharacterMap,
    collapse_spaces,
    drop_bracketed,
    is_mark_symbol_or_punctuation,
)

_HESITATIONS = re.compile(r"\b(?:hmm|mm|mhm|mmm|uh|um)\b")
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
_ANY_ENDING = re.compile(rf"(?:{'|'.join(_ENDINGS)})\b")

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
def _american_spelling() -> dict[str, str]:
    path = Path(__file__).with_name("american_spelling.json")
    pairs: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return pairs


@lru_cache(maxsize=8192)  # references repeat: over profiles, repeats and models
def normalize(text: str) -> str:
    """The normalised text; a blank may be left at its ends.

    >>> normalize("Mr. Smith's colour cost $20 million, um, didn't it?")
    'mister smith is color cost $20000000 did not it'
    """
    text = drop_bracketed(text.lower())
    text = _HESITATIONS.sub("", text)
    text = _expand_contractions(text)
    if "," in text:
        text = _COMMA_IN_NUMBER.sub(r"\1\2", text)
    if "." in text:
        text = _FULL_STOP.sub(r" \1", text)
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text)
    text = normalize_numbers(text.translate(_PLAIN))

    american = _american_spelling()
    text = " ".join([american.get(word, word) for word in text.split()])
    if not _SYMBOLS_LEFT.isdisjoint(text):
        text = _STRAY_PREFIX.sub(r" \1", text)
        text = collapse_spaces(_STRAY_PERCENT.sub(r"\1 ", text))
    return text


_SYMBOLS_LEFT = frozenset(_NUMBER_SYMBOLS)


def _expand_contractions(text: str) -> str:
    """Write contractions and titles out.

    The order matters where a string of apostrophes fits several rules ("'sn't"): whole expressions,
    then "n't", and only then the other endings.
    """
    if "'" not in text:
        return _ANY_WORD.sub(lambda m: _WORDS[m[0]], text)
    text = _BLANK_APOSTROPHE.sub("'", text)
    text = _ANY_WHOLE.sub(lambda m: _WHOLE[m[0]], text)
    text = _ANY_WORD.sub(lambda m: _WORDS[m[0]], text)
    text = _ANY_PERFECT.sub(lambda m: _PERFECT[m[0]], text)
    text = _NOT.sub(" not", text)
    return _ANY_ENDING.sub(lambda m: _ENDINGS[m[0]], text)
