"""An answer's tokens told apart: text, codes of speech, and the marks at which a segment of speech ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from harness.failures import SampleError
from models.text.feed import TextFeed
from models.text.tokenizer import QwenTokenizer
from models.vita_audio.tokens import SpecialTokens

SEGMENT_END = None
"""Stands among codes for the end of a segment."""


@dataclass
class Reply:
    """One answer while it is decoded: its text, and its codes with the ends of their segments."""

    feed: TextFeed
    tokens: SpecialTokens
    spoken: bool = False
    """Whether the answer is to be heard: one in text alone leaves out what is no text, as the reference does."""
    codes: list[int] = field(default_factory=list)
    n_tokens: int = 0

    @classmethod
    def begin(cls, tokenizer: QwenTokenizer, tokens: SpecialTokens, stop: Sequence[str], spoken: bool) -> Reply:
        return cls(TextFeed(tokenizer, stop), tokens, spoken)

    def add(self, ids: Sequence[int], final: bool) -> tuple[str, list[int | None]]:
        """What tokens add: text as soon as nothing can change it, and codes with SEGMENT_END where a segment ends.

        Tokens behind the one that ends a stop string do not count, however many come at once. In an answer
        that is spoken a token that is neither text nor a code, such as a row that pads the vocabulary, raises
        SampleError; one in text alone leaves it out.
        """
        text: list[str] = []
        speech: list[int | None] = []
        for token in ids:
            if self.feed.stopped:
                break
            self.n_tokens += 1
            if self.tokens.is_code(token):
                speech.append(self.tokens.code_of(token))
            elif not self.tokens.is_text(token):
                if not self.spoken:
                    continue
                raise SampleError(f"the model made token {token}, which is no text and no code of speech")
            elif token == self.tokens.end_of_audio:
                speech.append(SEGMENT_END)
            else:
                text.append(self.feed.add([token]))
        if final:
            text.append(self.feed.add((), final=True))
        self.codes += [code for code in speech if code is not None]
        return "".join(text), speech
