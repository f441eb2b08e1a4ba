"""Whether a spoken answer holds one of the gold answers, as two public evaluations of spoken questions decide it.

- `vita_contain`: VITA-Audio's `compute-acc-of-contain.py`. Every blank-separated piece of a gold answer is somewhere
  in the prediction, in any order and inside other words too ("Au" in "because"); else the same with the gold answers
  written as numbers.
- `token_sequence`: UltraEval-Audio's `qa-exist-match`. The words of a gold answer stand in the prediction, one after
  the other; the rule is that of DPR's open-domain question answering.

Gold answers are a text or a list of aliases. Both scripts end with an error on a list within a list; here it is read
as if its members stood in the outer one. An empty gold answer is in every prediction, an empty list in none.
"""

from __future__ import annotations

import string
import unicodedata
from collections.abc import Iterator, Sequence
from typing import TypeAlias

import regex

from tasks.scoring.normalizers.number_words import read_number

Golds: TypeAlias = "str | Sequence[Golds]"

# The script's pattern names the backslash in a way that leaves it out.
_BLANKED = str.maketrans(dict.fromkeys(set(string.punctuation) - {"'", "\\"}, " "))
_TOKEN = regex.compile(r"[\p{L}\p{N}\p{M}]+|[^\p{Z}\p{C}]")


def vita_contain(prediction: str, golds: Golds) -> bool:
    """Every piece of one gold answer is in the prediction, with the gold answers as they are or as numbers.

    The prediction's punctuation stays, that of the gold answers but the apostrophe becomes blanks. Numbers are tried
    only where each alias names one, and only from words to digits: "seven" is in "7 days", "7" is not in "seven days".

    >>> vita_contain("There are 7 continents.", "seven"), vita_contain("category theory", ["cat"])
    (True, True)
    """
    said = prediction.lower()
    aliases = [clean_gold(gold) for gold in flattened(golds)]
    return _holds_pieces(said, aliases) or _holds_pieces(said, as_numbers(aliases))


def token_sequence(prediction: str, golds: Golds) -> bool:
    """The tokens of one gold answer stand in the prediction in a row; case and how accents are composed do not count.

    >>> token_sequence("The answer is Paris.", ["paris"]), token_sequence("category theory", ["cat"])
    (True, False)
    """
    said = _tokens(prediction)
    for gold in flattened(golds):
        wanted = _tokens(gold)
        if any(said[at : at + len(wanted)] == wanted for at in range(len(said) - len(wanted) + 1)):
            return True
    return False


def flattened(golds: Golds) -> Iterator[str]:
    """The aliases of a gold answer, whatever the depth of their lists.

    Raises ValueError for what is neither a text nor a list.
    """
    if isinstance(golds, str):
        yield golds
    elif isinstance(golds, Sequence):
        for gold in golds:
            yield from flattened(gold)
    else:
        raise ValueError(f"a gold answer is a text or a list of texts, not {type(golds).__name__}")


def clean_gold(gold: str) -> str:
    """A gold answer as `vita_contain` looks for it: ASCII punctuation as blanks, lower case.

    >>> clean_gold("J.R.R. Tolkien")
    'j r r  tolkien'
    """
    return gold.translate(_BLANKED).lower().strip()


def as_numbers(aliases: Sequence[str]) -> list[str]:
    """The aliases in digits if each of them names a number, else as they are.

    >>> as_numbers(["twenty one", "21"]), as_numbers(["twelve", "a dozen"])
    (['21', '21'], ['twelve', 'a dozen'])
    """
    try:
        return [str(read_number(alias)) for alias in aliases]
    except ValueError:
        return list(aliases)


def _holds_pieces(said: str, aliases: Sequence[str]) -> bool:
    return any(all(piece in said for piece in alias.split(" ")) for alias in aliases)


def _tokens(text: str) -> list[str]:
    return [token.lower() for token in _TOKEN.findall(unicodedata.normalize("NFD", text))]
