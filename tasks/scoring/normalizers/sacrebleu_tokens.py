"""sacrebleu's tokenisers `13a` (that of mteval-v13a) and `zh`, for texts that come once.

Equal to those of sacrebleu 2.6.0 (Apache 2.0) for every text; written anew, because sacrebleu keeps the last 65,536
lines of each, which is 60 MB in a run's scoring, and looks at every Chinese character by itself.
"""

from __future__ import annotations

import re

from tasks.scoring.normalizers.whisper_basic import CharacterMap

VERSION = "2.6.0"
"""Of sacrebleu, whose results these rules have."""

# Marks that always stand alone: ASCII but the apostrophe, comma, hyphen and full stop.
_APART = str.maketrans({mark: f" {mark} " for mark in '{|}~[\\]^_`!"#$%&()*+:;<=>?@/'})
_AFTER_NO_DIGIT = re.compile(r"([^0-9])([.,])")
_BEFORE_NO_DIGIT = re.compile(r"([.,])([^0-9])")
_DIGIT_DASH = re.compile(r"([0-9])(-)")
_ENTITIES = (("&quot;", '"'), ("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">"))

# What `zh` takes for Chinese. The first range stands where the planes beyond the first were meant (a code point of five
# digits): dashes and curly quotes are in it, rare characters of those planes are not.
_CHINESE = (
    (0x2001, 0x2A6D), (0x2E80, 0x2FDF), (0x2FF0, 0x303F), (0x3100, 0x312F), (0x31A0, 0x31EF), (0x3200, 0x4DB5),
    (0x4E00, 0x9FBB), (0xF900, 0xFA2D), (0xFA30, 0xFA6A), (0xFA70, 0xFAD9), (0xFE10, 0xFE1F), (0xFE30, 0xFE4F),
    (0xFF00, 0xFFEF),
)  # fmt: skip


def _one_by_one(character: str) -> str:
    return f" {character} " if any(low <= ord(character) <= high for low, high in _CHINESE) else character


_CHARACTERS = CharacterMap(_one_by_one)


def tokenize_13a(text: str) -> str:
    """The tokens of a text with single blanks between them.

    >>> tokenize_13a("It's 3.5% (or 2-3), he said.")
    "It's 3.5 % ( or 2 - 3 ) , he said ."
    """
    text = text.replace("<skipped>", "").replace("-\n", "").replace("\n", " ")
    if "&" in text:
        for entity, mark in _ENTITIES:
            text = text.replace(entity, mark)
    return _split_marks(f" {text} ")


def tokenize_zh(text: str) -> str:
    """As `13a` without its care for entities and line breaks, every Chinese character or mark a token.

    >>> tokenize_zh("我用APP 3.5次。")
    '我 用 APP 3.5 次 。'
    """
    return _split_marks(text.strip().translate(_CHARACTERS))


def _split_marks(text: str) -> str:
    text = text.translate(_APART)
    if "." in text or "," in text:
        text = _AFTER_NO_DIGIT.sub(r"\1 \2 ", text)
        text = _BEFORE_NO_DIGIT.sub(r" \1 \2", text)
    if "-" in text:
        text = _DIGIT_DASH.sub(r"\1 \2 ", text)
    return " ".join(text.split())


TOKENIZERS = {"13a": tokenize_13a, "zh": tokenize_zh}
"""By the names that sacrebleu gives them."""
