"""English text normalisation by WeTextProcessing, which reads numbers, dates and signs out as words.

The library and the grammars inside it decide the result: figures here were compared with those of 1.2.0. It needs
neither the network nor a cache of its own; its pynini takes 0.7 GB and has wheels for Linux on x86-64 only, so that
it is in the extra `judges`.
"""

from __future__ import annotations

import logging
import re
from contextlib import suppress
from functools import cache, lru_cache
from importlib.util import find_spec
from typing import Protocol

from harness.failures import UsageError

_NO_WORD = re.compile(r"\W+")


class _Normalizer(Protocol):
    def normalize(self, input: str) -> str: ...


def installed() -> bool:
    """Without importing it, which takes half a second."""
    return find_spec("tn") is not None and find_spec("pynini") is not None


@cache
def _normalizer() -> _Normalizer:
    """Takes a second and 70 MB."""
    logging.getLogger("wetext").addFilter(lambda record: record.levelno > logging.INFO)
    try:
        from tn.english.normalizer import Normalizer
    except ImportError as error:
        raise UsageError(
            "the profile libritts reads numbers out with WeTextProcessing, which is not installed: "
            f"pip install 'omni-harness[judges]' (on Linux, x86-64; {error})"
        ) from error
    made: _Normalizer = Normalizer()
    return made


@lru_cache(maxsize=8192)  # a sentence takes 0.1 s of CPU, and references repeat
def normalize(text: str) -> str:
    """Words without punctuation; case stays, and a blank may be left at the ends.

    A text that its grammars cannot read, such as one of line breaks alone, stays as it is.

    >>> normalize("It costs $5.20.")  # doctest: +SKIP
    'It costs five point two dollars '
    """
    reader = _normalizer()
    with suppress(Exception):  # pynini's, its token parser's and UTF-8's errors have no common class
        text = reader.normalize(text)
    return _NO_WORD.sub(" ", text)
