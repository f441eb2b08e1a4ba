"""Text as the speech decoders get it: marks removed, formulas spoken out, cut into segments.

The tables and their order are those of the released demo and server. `server_text` keeps their oddities for
parity: a function name is read inside any word ("using" -> "u sine g"), every hyphen is a minus, `!=` is
`!等于`, and `^` takes the whole following word (`3^4>=81` -> `3的4大于等于81次方`). The harness speaks
`speech_text`, which leaves plain words alone.
"""

from __future__ import annotations

import re

MARKS = ("☞", "☟", "☜", "<unk>", "<|im_end|>")

# Each table is applied in its order. ">=" and "!=" need no entries: ">", "<" and "=" are read one by one.
FUNCTIONS = {
    "sin": " sine ", "cos": " cosine ", "tan": " tangent ", "cot": " cotangent ", "sec": " secant ",
    "csc": " cosecant ", "log": " logarithm ", "exp": "e^", "sqrt": "根号 ", "abs": "绝对值 ",
}  # fmt: skip
SIGNS = {
    "+": "加", "-": "减", "*": "乘", "/": "除", "=": "等于", ">": "大于", "<": "小于",
    "α": "alpha ", "β": "beta ", "γ": "gamma ", "δ": "delta ", "ε": "epsilon ", "ζ": "zeta ", "η": "eta ",
    "θ": "theta ", "ι": "iota ", "κ": "kappa ", "λ": "lambda ", "μ": "mu ", "ν": "nu ", "ξ": "xi ",
    "ο": "omicron ", "π": "派 ", "ρ": "rho ", "σ": "sigma ", "τ": "tau ", "υ": "upsilon ", "φ": "phi ",
    "χ": "chi ", "ψ": "psi ", "ω": "omega ",
}  # fmt: skip

# A function before its argument: a bracket, a number, a Greek letter, or a single letter in a formula.
APPLIED_FUNCTION = re.compile(rf"(?<![a-zA-Z])({'|'.join(FUNCTIONS)})(?=\s*[(\dα-ω]|\s+[a-z]\s*(?:[-+*/=<>^)]|$))")
WORD_JOINT = re.compile(r"(?<=[a-z]{2})[-/](?=[a-z])|(?<=[a-z])[-/](?=[a-z]{2})", re.IGNORECASE)
NEGATIVE_NUMBER = re.compile(r"(?<![\d)])-(\d+)")
PRODUCT = re.compile(r"\(?(\d+)\)?\((\d+)\)")  # (3)(4)
POWER = re.compile(r"\(?(\w+)\)?\^\(?(\w+)\)?")  # a^b, (a)^(b)

SEGMENT_ENDS = frozenset(",，.。?\n？!！、")
INSIDE_NUMBER = re.compile(r"\d[.,]\d")
DEMO_ENDS = re.compile(r"[，。？\n！？、,?.!]")
MIN_SEGMENT = 5
MAX_SEGMENT = 100


def remove_marks(text: str) -> str:
    """Drop the state characters and the special tokens."""
    for mark in MARKS:
        text = text.replace(mark, "")
    return text


def spoken_form(text: str) -> str:
    """Read out signs, functions, Greek letters, products and powers, as the released code does.

    >>> spoken_form("x^2 = -5")
    'x的2次方 等于 负5'
    """
    text = _read_negatives(text)
    for name, spoken in FUNCTIONS.items():
        text = text.replace(name, spoken)
    return _read_signs(text)


def server_text(segment: str) -> str:
    """One segment as the web server gives it to the tokeniser: marks removed, spoken form, lower case."""
    return spoken_form(remove_marks(segment)).lower()


def speech_text(segment: str) -> str:
    """As `server_text`, but a function is read only before an argument, and a hyphen or slash joins words.

    >>> speech_text("Using a well-known e-mail; sin(x)")
    'using a well known e mail;  sine (x)'
    """
    text = _read_negatives(WORD_JOINT.sub(" ", remove_marks(segment)))
    return _read_signs(APPLIED_FUNCTION.sub(lambda match: FUNCTIONS[match[1]], text)).lower()


def _read_negatives(text: str) -> str:
    return NEGATIVE_NUMBER.sub(r"负\1", text.replace("**", " "))


def _read_signs(text: str) -> str:
    for sign, spoken in SIGNS.items():
        text = text.replace(sign, spoken)
    return POWER.sub(r"\1的\2次方", PRODUCT.sub(r"\1乘\2", text))


def is_speakable(text: str) -> bool:
    """Whether a letter, a digit or an ideograph is left to say."""
    return any(character.isalnum() for character in text)


def server_segments(text: str) -> list[str]:
    """Cut after each punctuation mark once 5 characters have come together (the web server's rule).

    Nothing is lost: the segments joined are the text. A decimal point cuts too.
    """
    return _cut(text, [end for end, character in enumerate(text, start=1) if character in SEGMENT_ENDS])


def demo_sentences(text: str) -> list[str]:
    """The spoken form of the whole text, split at punctuation, which is dropped (the Gradio demo's rule)."""
    pieces = DEMO_ENDS.split(spoken_form(remove_marks(text)))
    return [piece.strip() for piece in pieces if piece.strip()]


def segments(text: str, max_characters: int = MAX_SEGMENT) -> list[str]:
    """The server's rule, made safe for long and numeric text; the segments joined are the text.

    A point or comma between digits does not cut, and a stretch without punctuation is cut at a space (or
    hard, if it has none) so that no segment outgrows the decoder's 1000 codes, 25 s of speech.
    """
    return [part for stretch in _stretches(text) for part in _limited(stretch, max_characters)]


class SegmentBuffer:
    """`segments` of a text that arrives in pieces: each segment as soon as nothing that follows can change it."""

    def __init__(self) -> None:
        self._stretch, self._given = "", 0
        """What has come since the last mark that cut, and how many segments of it are given."""

    def add(self, piece: str) -> list[str]:
        *done, rest = _stretches(self._stretch + piece) or [""]
        *begun, _ = _limited(rest, MAX_SEGMENT)
        ready = [part for stretch in done for part in _limited(stretch, MAX_SEGMENT)] + begun
        ready = ready[self._given :]
        self._stretch, self._given = rest, len(begun)
        return ready

    def finish(self) -> list[str]:
        ready = segments(self._stretch)[self._given :]
        self._stretch, self._given = "", 0
        return ready


def _stretches(text: str) -> list[str]:
    """A text cut at its marks, however long the parts are."""
    ends = [end for end, character in enumerate(text, start=1) if character in SEGMENT_ENDS]
    return _cut(text, [end for end in ends if not INSIDE_NUMBER.match(text, end - 2)])


def _cut(text: str, ends: list[int]) -> list[str]:
    parts, start = [], 0
    for end in ends:
        if end - start >= MIN_SEGMENT:
            parts.append(text[start:end])
            start = end
    return parts + [text[start:]] * (start < len(text))


def _limited(segment: str, limit: int) -> list[str]:
    parts = []
    while len(segment) > limit:
        cut = segment.rfind(" ", 1, limit) + 1 or limit
        parts.append(segment[:cut])
        segment = segment[cut:]
    return [*parts, segment]
