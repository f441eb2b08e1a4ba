"""Texts from elsewhere as they can be shown: nothing that a terminal would obey, no credentials."""

from __future__ import annotations

import re
import unicodedata

_CREDENTIALS = re.compile(r"(\w+://)[^\s/@]+@")


def printable(text: str) -> str:
    """What a model, a data set or a file name wrote, without control characters, marks of direction and surrogates."""

    def harmless(c: str) -> bool:
        return c.isprintable() or c in "\n\t" or unicodedata.category(c) == "Zs"  # e.g. the ideographic space

    return "".join(c if harmless(c) else "\ufffd" for c in text)


def wide(text: str) -> int:
    """Columns that a text takes: two for each Chinese character, none for what is set above another.

    >>> wide("ab"), wide("数字"), wide("e\u0301")
    (2, 4, 1)
    """
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def redacted(text: str) -> str:
    """The text without the credentials in its URLs.

    >>> redacted("cannot reach https://user:secret@hub.example/x")
    'cannot reach https://***@hub.example/x'
    """
    return _CREDENTIALS.sub(r"\1***@", text)


def unread(error: Exception) -> str:
    """Why a reader of tensors refused a file, on one line; torch's advice to run code that a file holds is left out.

    >>> unread(RuntimeError("Re-running `torch.load` with `weights_only` set to `False` will likely succeed"))
    'it holds more than tensors'
    """
    told = str(error) or type(error).__name__
    return "it holds more than tensors" if "weights_only" in told else told.partition("\n")[0]
