"""Options that one model alone has, `--option NAME=VALUE`: which there are, and a clear word about any other."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

from harness.failures import UsageError


def check_own(model: str, given: Mapping[str, str], known: Mapping[str, str] | None = None) -> None:
    """Raise UsageError for an option that the model has not; `known` maps those that it has to what they take."""
    known = known or {}
    for name in given:
        if name in known:
            continue
        if not known:
            raise UsageError(f"--option {name}={given[name]}: model {model} has no options of its own; leave it out")
        near = difflib.get_close_matches(name, known, n=1)
        guess = f" Did you mean {near[0]}?" if near else ""
        listed = "\n".join(f"  {one}: {what}" for one, what in known.items())
        raise UsageError(f"--option {name}: model {model} has no such option.{guess} It has\n{listed}")
