"""The English normalisation of the Open ASR leaderboard (commit d1e99b2): Whisper's with five changes.

More hesitations are dropped; "'s" is "is" only after pronouns and the like ("john's" becomes "john s"); compounds are
joined ("wi fi"); the spelling table differs and is followed by one of names ("stephen" becomes "steven"); single
letters and digits in a row are joined ("b b c" becomes "bbc"). The tables in `open_asr.json` are the leaderboard's.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from tasks.scoring.normalizers.whisper_english import HESITATIONS, Variant, american_spelling, normalizer

LEFT_OUT = "ignore time segment in scoring"
"""A reference that reads so is no part of the test."""

_MORE_HESITATIONS = (
    "ah", "aha", "ahh", "ahm", "eh", "ehehe", "em", "hm", "huh", "hum", "mhum", "uhm", "umm", "uhuh",
)  # fmt: skip
_IS_AFTER = (
    "it", "he", "she", "what", "that", "who", "here", "there", "how", "when", "where", "why", "this",
)  # fmt: skip
_SINGLES = re.compile(r"(?<!\S)[a-z0-9](?: [a-z0-9])+(?!\S)")


@cache
def _tables() -> Mapping[str, dict[str, str]]:
    """ "spelling", "names", "compounds": word -> word; what "spelling_removed" lists is gone from Whisper's table."""
    tables: dict[str, dict[str, str]] = json.loads(Path(__file__).with_name("open_asr.json").read_text("utf-8"))
    return tables


@cache
def _spelling() -> Mapping[str, str]:
    """One table for both steps: spelling first, then the names."""
    tables = _tables()
    spelling = {word: to for word, to in american_spelling().items() if word not in tables["spelling_removed"]}
    spelling |= tables["spelling"]
    names = tables["names"]
    return names | {word: names.get(to, to) for word, to in spelling.items()}


@cache
def _compound_pattern() -> re.Pattern[str]:
    # No first part is also a second part: one pass does what one pass for each compound does.
    parts = (r"\s+".join(compound.split()) for compound in _tables()["compounds"])
    return re.compile(rf"\b(?:{'|'.join(parts)})\b")


def _join_compounds(text: str) -> str:
    joined = _tables()["compounds"]
    return _compound_pattern().sub(lambda match: joined[" ".join(match[0].split())], text)


def _join_singles(text: str) -> str:
    return _SINGLES.sub(lambda match: _joined(match[0]), text)


def _joined(run: str) -> str:
    """Two letters or digits are enough, three where one of them is the word "a" or "i"."""
    letters = run.replace(" ", "")
    enough = 3 if "a" in letters or "i" in letters else 2
    return letters if len(letters) >= enough else run


_OPEN_ASR = normalizer(Variant(_spelling, HESITATIONS + _MORE_HESITATIONS, _IS_AFTER, _join_compounds, _join_singles))


def normalize(text: str) -> str:
    """The normalised text; a blank may be left at its ends.

    >>> normalize("Stephen's wi-fi, it's from the B B C, ok?")
    'steven s wifi it is from the bbc okay'
    """
    return _OPEN_ASR(text)
