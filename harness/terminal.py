"""What is printed: nothing that a terminal would obey, and nothing that it cannot show."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any, TextIO

from harness.texts import printable, redacted


def tolerant() -> None:
    """Let output that the terminal's encoding lacks be replaced, and what nobody takes go nowhere."""
    sys.stdout, sys.stderr = sys.stdout or nowhere(), sys.stderr or nowhere()
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


def print_json(content: Any) -> None:
    import msgspec

    from harness.files import encoded

    print(msgspec.json.format(encoded(content), indent=2).decode())


def complain(message: str) -> None:
    tell(printable(redacted(message)))


def tell(line: str) -> None:
    """A line on stderr. A log that takes no more, as on a full disk, stops nothing: from then on lines go nowhere."""
    try:
        print(line, file=sys.stderr, flush=True)
    except OSError:
        sys.stderr = nowhere()


def nowhere() -> TextIO:
    """A stream that keeps nothing."""
    return Path(os.devnull).open("w", encoding="utf-8")
