"""A small tokenizer for a closed world, in the pipeline of the released one.

Each word of the world is one token and each Hanzi is one; whatever else is written falls to bytes, so every text
can be said. The long system prompts and the benchmarks' standing instructions are single tokens too: at a word a
token they would be three quarters of each prompt.
"""

from __future__ import annotations

from collections.abc import Iterable

from tokenizers import AddedToken, pre_tokenizers

from models.text.tokenizer import QwenTokenizer, byte_level
from models.vita15.prompts import STATE_MARKS


def closed_tokenizer(texts: Iterable[str], phrases: Iterable[str] = ()) -> QwenTokenizer:
    """The tokenizer of all words in `texts`, whose order does not matter.

    `phrases` become single tokens wherever they stand, as do VITA's three state marks.
    """
    as_bytes = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    vocab = _bytes()
    parts = words(texts)
    hanzi = [part for part in parts if _is_hanzi(part)]
    for word in parts:
        if word in hanzi:
            continue
        vocab.setdefault(as_bytes.pre_tokenize_str(word)[0][0], len(vocab))
    merges: dict[tuple[str, str], None] = {}
    for character in hanzi:
        first, second, third = as_bytes.pre_tokenize_str(character)[0][0]
        for left, right in ((first, second), (first + second, third)):
            merges[left, right] = None
            vocab.setdefault(left + right, len(vocab))
    backend = byte_level(vocab, list(merges), whole_words=True)
    backend.add_tokens([AddedToken(text, normalized=False) for text in (*STATE_MARKS, *phrases)])
    return QwenTokenizer(backend)


def words(texts: Iterable[str]) -> list[str]:
    """What a tokenizer cuts texts into: words, with the space before them, and single Hanzi; sorted."""
    cut = byte_level(_bytes(), []).pre_tokenizer.pre_tokenize_str
    written = {text[start:stop] for text in texts for _, (start, stop) in cut(text)}
    whole = {word for word in written if not any(map(_is_hanzi, word))}
    return sorted(whole | {character for word in written - whole for character in word if _is_hanzi(character)})


def _bytes() -> dict[str, int]:
    return {symbol: index for index, symbol in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}


def _is_hanzi(character: str) -> bool:
    """Or the comma, which is cut together with what follows it."""
    return "\u4e00" <= character <= "\u9fff" or character == "，"
