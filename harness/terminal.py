"""What is printed: nothing that a terminal would obey, and nothing that it cannot show."""

from __future__ import annotations

import sys
from typing import Any

from harness.texts import printable, redacted


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
