"""Text as the speech decoders get it: marks removed, formulas spoken out, cut into segments.

The tables and their order are those of the released demo and server; their oddities are kept, because the
published decoders are driven with them: every hyphen is read as minus, `!=` as `!等于`, and `^` takes the
whole following word (`3^4>=81` -> `3的4大于等于81次方`).
"""

from __future__ import annotations

import re

MARKS = ("☞", "☟", "☜", "<unk>", "<|im_end|>")

# Applied in this order. A key that contains an earlier one is never met: ">=" is read as ">" and "=".
SPOKEN = {
    "sin": " sine ", "cos": " cosine ", "tan": " tangent ", "cot": " cotangent ", "sec": " secant ",
    "csc": " cosecant ", "log": " logarithm ", "exp": "e^", "sqrt": "根号 ", "abs": "绝对值 ",
    "+": "加", "-": "减", "*": "乘", "/": "除", "=": "等于", ">": "大于", "<": "小于",
    "α": "alpha ", "β": "beta ", "γ": "gamma ", "δ": "delta ", "ε": "epsilon ", "ζ": "zeta ", "η": "eta ",
    "θ": "theta ", "ι": "iota ", "κ": "kappa ", "λ": "lambda ", "μ": "mu ", "ν": "nu ", "ξ": "xi ",
    "ο": "omicron ", "π": "派 ", "ρ": "rho ", "σ": "sigma ", "τ": "tau ", "υ": "upsilon ", "φ": "phi ",
    "χ": "chi ", "ψ": "psi ", "ω": "omega ",
}  # fmt: skip

NEGATIVE_NUMBER = re.compile(r"(?<![\d)])-(\d+)")
PRODUCT = re.compile(r"\(?(\d+)\)?\((\d+)\)")  # (3)(4)
POWER = re.compile(r"\(?(\w+)\)?\^\(?(\w+)\)?")  # a^b, (a)^(b)

SEGMENT_ENDS = frozenset(",，.。?\n？!！、")
DEMO_ENDS = re.compile(r"[，。？\n！？、,?.!]")
MIN_SEGMENT = 5
MAX_SEGMENT = 100


def remove_marks(text: str) -> str:
    """Drop the state characters and the special tokens."""
    for mark in MARKS:
        text = text.replace(mark, "")
    return text


def spoken_form(text: str) -> str:
    """Read out signs, functions, Greek letters, products and powers.

    >>> spoken_form("x^2 = -5")
    'x的2次方 等于 负5'
    """
    text = NEGATIVE_NUMBER.sub(r"负\1", text.replace("**", " "))
    for written, spoken in SPOKEN.items():
        text = text.replace(written, spoken)
    return POWER.sub(r"\1的\2次方", PRODUCT.sub(r"\1乘\2", text))


def server_text(segment: str) -> str:
    """One segment as the web server gives it to the tokeniser: marks removed, spoken form, lower case."""
    return spoken_form(remove_marks(segment)).lower()


def is_speakable(text: str) -> bool:
    """Whether a letter, a digit or an ideograph is left to say."""
    return any(character.isalnum() for character in text)


def server_segments(text: str, min_characters: int = MIN_SEGMENT) -> list[str]:
    """Cut after each punctuation mark once `min_characters` have come together (the web server's rule).

    Nothing is lost: the segments joined are the text. A decimal point cuts too.
    """
    segments, start = [], 0
    for end, character in enumerate(text, start=1):
        if character in SEGMENT_ENDS and end - start >= min_characters:
            segments.append(text[start:end])
            start = end
    return segments + [text[start:]] * (start < len(text))


def demo_sentences(text: str) -> list[str]:
    """The spoken form of the whole text, split at punctuation, which is dropped (the Gradio demo's rule)."""
    pieces = DEMO_ENDS.split(spoken_form(remove_marks(text)))
    return [piece.strip() for piece in pieces if piece.strip()]


def segments(text: str, max_characters: int = MAX_SEGMENT) -> list[str]:
    """The server's rule, made safe for long and numeric text; the segments joined are the text.

    A point or comma between digits does not cut, and a stretch without punctuation is cut at a space (or
    hard, if it has none) so that no segment outgrows the decoder's 1000 codes, 25 s of speech.
    """
    merged: list[str] = []
    for piece in server_segments(text):
        inside_number = merged and merged[-1][-1] in ",." and merged[-1][-2:-1].isdigit() and piece[0].isdigit()
        if inside_number:
            merged[-1] += piece
        else:
            merged.append(piece)
    return [part for segment in merged for part in _limited(segment, max_characters)]


def _limited(segment: str, limit: int) -> list[str]:
    parts = []
    while len(segment) > limit:
        cut = segment.rfind(" ", 1, limit) + 1 or limit
        parts.append(segment[:cut])
        segment = segment[cut:]
    return [*parts, segment]
