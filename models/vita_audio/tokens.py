"""The tokens that VITA-Audio adds to Qwen2.5's: marks of media and one token a code of speech (spec section 1.3).

Where they are differs between releases (Plus has one mark more), so that ids are found by name and never written here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from tokenizers import AddedToken, Tokenizer

from models.text.tokenizer import QwenTokenizer, byte_tokenizer

BEGIN, END, CONTEXT, TAG = "<|begin_of_audio|>", "<|end_of_audio|>", "<|context_of_audio|>", "<|audio|>"
CODES = 16384
MARKS = 2
"""Tokens around speech: its begin and its end."""
REMEDY = "Take tokenizer.json of a VITA-Audio release, or vocab.json, merges.txt and tokenizer_config.json."

_CODE = re.compile(r"<\|audio_(0|[1-9][0-9]*)\|>")


def marks(plus: bool) -> list[str]:
    """The marks in the order of their ids; only Plus has one for the place of audio that it hears."""
    media = [f"<|{part}_of_{kind}|>" for kind in ("image", "video", "patch") for part in ("begin", "end", "context")]
    boxes = [f"<|{part}_of_{kind}|>" for kind in ("quad", "ref", "box") for part in ("begin", "end")]
    return [*media, BEGIN, END, *([CONTEXT] if plus else []), *boxes, "<|image|>", "<|video|>", TAG]


def code_name(code: int) -> str:
    return f"<|audio_{code}|>"


@dataclass(frozen=True)
class SpecialTokens:
    """Where the tokens of speech are in a vocabulary; `context_of_audio` is None but in Plus.

    The codes have the ids from `first_code` on, `codes` of them.
    """

    begin_of_audio: int
    end_of_audio: int
    context_of_audio: int | None
    audio_tag: int
    first_code: int
    codes: int

    @classmethod
    def of(cls, tokenizer: QwenTokenizer) -> SpecialTokens:
        """Raises ValueError naming tokens that are missing or not where they are expected."""
        backend = tokenizer.backend
        found = {name: backend.token_to_id(name) for name in (BEGIN, END, CONTEXT, TAG)}
        if missing := [name for name in (BEGIN, END, TAG) if found[name] is None]:
            raise ValueError(f"the tokenizer has no token {', '.join(missing)}. {REMEDY}")
        first, codes = _codes(backend)
        return cls(found[BEGIN], found[END], found[CONTEXT], found[TAG], first, codes)

    @property
    def plus(self) -> bool:
        return self.context_of_audio is not None

    def is_code(self, token: int) -> bool:
        return self.first_code <= token < self.first_code + self.codes

    def is_text(self, token: int) -> bool:
        """Whether a token is written: all ids before the first code are, marks too, which are shown as nothing."""
        return token < self.first_code

    def code_of(self, token: int) -> int:
        """The code of speech that a token is. Raises ValueError where it is none, as the rows that pad a vocabulary."""
        if not self.is_code(token):
            raise ValueError(f"token {token} is no code of speech: those are {self.first_code} to {self._last}")
        return token - self.first_code

    def token_of(self, code: int) -> int:
        """Raises ValueError on a code that has no token."""
        if not 0 <= code < self.codes:
            raise ValueError(f"code {code} has no token: there are codes 0 to {self.codes - 1}")
        return self.first_code + code

    @property
    def _last(self) -> int:
        return self.first_code + self.codes - 1


def _codes(backend: Tokenizer) -> tuple[int, int]:
    """The id of code 0 and the number of codes, which must be 0, 1, 2, … with ids in a row."""
    ids: dict[int, int] = {}
    for index, token in backend.get_added_tokens_decoder().items():
        if match := _CODE.fullmatch(token.content):
            ids[int(match[1])] = index
    if not ids:
        raise ValueError(f"the tokenizer has no tokens for codes of speech, {code_name(0)} and so on. {REMEDY}")
    for place, code in enumerate(sorted(ids)):
        if code != place:
            raise ValueError(f"the tokenizer has {code_name(code)} but no token {code_name(place)}. {REMEDY}")
        if ids[code] != ids[0] + code:
            raise ValueError(
                f"the codes of speech have no ids in a row: {code_name(code)} is {ids[code]}, expected "
                f"{ids[0] + code} as {code_name(0)} is {ids[0]}. {REMEDY}"
            )
    return ids[0], len(ids)


def with_speech(tokenizer: QwenTokenizer, plus: bool = False, codes: int = CODES) -> QwenTokenizer:
    """A tokenizer with VITA-Audio's tokens behind its own, as in the releases; the given one stays as it is."""
    backend = Tokenizer.from_str(tokenizer.backend.to_str())
    backend.add_special_tokens([AddedToken(name, normalized=False) for name in marks(plus)])
    backend.add_tokens([AddedToken(code_name(code), normalized=False) for code in range(codes)])
    return QwenTokenizer(backend)


def tiny_tokenizer(plus: bool = False, codes: int = 64) -> QwenTokenizer:
    """Bytes, Qwen2.5's added tokens and VITA-Audio's, with few codes: for models at the size of tests."""
    return with_speech(byte_tokenizer(), plus, codes)
