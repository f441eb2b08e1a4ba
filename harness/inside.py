"""Which files the rows of a data set may name.

A data file is not the user's own word: a transcript, a table or the links of an unpacked archive could name any file of
the machine, which a report would then publish. So what a row names must really lie (after `..` and links) below one of
some roots: the data folder, and the folders in the environment variable HARNESS_MEDIA_ROOTS, separated as in PATH.
"""

from __future__ import annotations

import os
from pathlib import Path

ROOTS_VARIABLE = "HARNESS_MEDIA_ROOTS"


class Roots:
    """Folders that files may lie below, whatever links lead to the folders themselves."""

    def __init__(self, *roots: Path) -> None:
        extra = (Path(root) for root in os.environ.get(ROOTS_VARIABLE, "").split(os.pathsep) if root)
        self._roots = tuple(dict.fromkeys(os.path.realpath(root) for root in (*roots, *extra)))

    def check(self, path: Path, real: str | None = None) -> None:
        """Raises ValueError for a path that leads out; `real` is where it leads, where that is known already."""
        real = os.path.realpath(path) if real is None else real
        if not any(real == root or real.startswith(root.rstrip(os.sep) + os.sep) for root in self._roots):
            leads = "" if real == str(path) else f" (it leads to {real})"
            raise ValueError(
                f"path outside of the data folder: {path}{leads}; put the file below {self._roots[0]}, "
                f"or name its folder in {ROOTS_VARIABLE}"
            )
