"""What VITA-Audio learns to answer: text and speech in turns (spec sections 3 and 9).

A ratio is a list of pairs (tokens of text, tokens of speech); those of speech count the two marks around a chunk, so
that 10 are 8 codes. The last pair goes on for ever.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from models.vita_audio.schedule import BALANCE, BOOST
from models.vita_audio.tokens import MARKS

BOOST_RATIO, BALANCE_RATIO = tuple(BOOST.numbers), tuple(BALANCE.numbers)
IGNORED = -100


class Example(NamedTuple):
    """Token ids, and the label of each: itself in the answer, IGNORED in what comes before it."""

    ids: list[int]
    labels: list[int]


def interleave(content: Sequence[int], begin: int, end: int, ratio: Sequence[int] = BOOST_RATIO) -> list[int]:
    """An answer's text and speech in turns; one that is text or speech alone stays as it is.

    `content` has its speech in one piece between `begin` and `end`; text behind it counts as text before it. There are
    as many turns as the modality with fewer chunks has, and what is left of the other one goes into the last turn.
    Speech without a code takes the first chunk of text and drops the rest, as the reference implementation does.
    Raises ValueError on a ratio without pairs and on content with other than one piece of speech.
    """
    text_sizes, speech_sizes = _sizes(ratio)
    if begin not in content and end not in content:
        return list(content)
    first, last = _borders(content, begin, end)
    text, codes = [*content[:first], *content[last + 1 :]], list(content[first + 1 : last])
    if not text:
        return list(content)
    texts, speech = _chunks(text, text_sizes), _chunks(codes, speech_sizes)
    if not speech:
        return [*texts[0], begin, end]
    turns = min(len(texts), len(speech))
    pairs = zip(_merged(texts, turns), _merged(speech, turns), strict=True)
    return [token for words, sound in pairs for token in (*words, begin, *sound, end)]


def example(prompt: Sequence[int], answer: Sequence[int], closing: Sequence[int]) -> Example:
    """A prompt and the answer to it; the end of its turn (`<|im_end|>` and a newline) is learnt too."""
    learnt = [*answer, *closing]
    return Example([*prompt, *learnt], [IGNORED] * len(prompt) + learnt)


def _sizes(ratio: Sequence[int]) -> tuple[list[int], list[int]]:
    """Of the chunks of text, and of those of speech in codes."""
    texts, speech = list(ratio[::2]), [size - MARKS for size in ratio[1::2]]
    if not ratio or len(ratio) % 2 or min(texts) < 1 or min(speech) < 1:
        raise ValueError(
            f"a ratio of {list(ratio)}: expected pairs of at least 1 token of text and {MARKS + 1} of speech, "
            "such as 1 10 4 10"
        )
    return texts, speech


def _borders(content: Sequence[int], begin: int, end: int) -> tuple[int, int]:
    begins = [place for place, token in enumerate(content) if token == begin]
    ends = [place for place, token in enumerate(content) if token == end]
    if len(begins) != 1 or len(ends) != 1 or begins[0] > ends[0]:
        raise ValueError(
            f"speech begins at {begins} and ends at {ends}: expected one piece of speech in the answer to interleave"
        )
    return begins[0], ends[0]


def _chunks(tokens: list[int], sizes: Sequence[int]) -> list[list[int]]:
    chunks: list[list[int]] = []
    start = 0
    while start < len(tokens):
        size = sizes[min(len(chunks), len(sizes) - 1)]
        chunks.append(tokens[start : start + size])
        start += size
    return chunks


def _merged(chunks: list[list[int]], count: int) -> list[list[int]]:
    """The first `count` chunks, what follows in the last of them."""
    return [*chunks[: count - 1], [token for chunk in chunks[count - 1 :] for token in chunk]]
