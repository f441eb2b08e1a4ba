"""How many parameters the parts of a model have, printed beside what was published of them."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

from torch import nn


@dataclass(frozen=True)
class Size:
    part: str
    parameters: int
    published: str = ""


def count(*modules: nn.Module) -> int:
    return sum(parameter.numel() for module in modules for parameter in module.parameters())


def command(description: str | None, sizes: Callable[[], Sequence[Size]]) -> None:
    """The command line of a model's `sizes.py`: a table, or JSON with `--json`."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--json", action="store_true")
    as_json = parser.parse_args().json
    found = sizes()
    try:
        _print(found, as_json)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader, such as `head`, has enough; what is left must not fail at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _print(found: Sequence[Size], as_json: bool) -> None:
    if as_json:
        print(json.dumps([asdict(size) for size in found], indent=1))
        return
    width = max(len(size.part) for size in found) + 2
    print(f"{'part':{width}}{'parameters':>15}  published")
    for size in found:
        print(f"{size.part:{width}}{size.parameters:>15,}  {size.published}".rstrip())
