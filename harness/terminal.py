"""What is printed: nothing that a terminal would obey, and nothing that it cannot show."""

from __future__ import annotations

import re
import sys
import unicodedata
from typing import Any

_CREDENTIALS = re.compile(r"(\w+://)[^\s/@]+@")


def printable(text: str) -> str:
    """What a model, a data set or a file name wrote, without control characters, marks of direction and surrogates."""

    def harmless(c: str) -> bool:
        return c.isprintable() or c in "\n\t" or unicodedata.category(c) == "Zs"  # e.g. the ideographic space

    return "".join(c if harmless(c) else "\ufffd" for c in text)


def redacted(text: str) -> str:
    """The text without the credentials in its URLs.

    >>> redacted("cannot reach https://user:secret@hub.example/x")
    'cannot reach https://***@hub.example/x'
    """
    return _CREDENTIALS.sub(r"\1***@", text)


def tolerant() -> None:
    """Let output that the terminal's encoding lacks be replaced, not end the program."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


def print_json(content: Any) -> None:
    import msgspec

    from harness.files import encoded

    print(msgspec.json.format(encoded(content), indent=2).decode())


def complain(message: str) -> None:
    print(printable(redacted(message)), file=sys.stderr, flush=True)
