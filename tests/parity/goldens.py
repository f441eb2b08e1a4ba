"""Where the files of a goldens folder are."""

from __future__ import annotations

from pathlib import Path


def locate(root: Path, folder: str, name: str) -> Path:
    """`root/folder/name`, or `root/name` where `root` is that folder itself.

    Raises FileNotFoundError naming the first of the two if neither is there.
    """
    nested = root / folder / name
    flat = root / name
    if not nested.is_file() and not (root / folder).is_dir() and flat.is_file():
        return flat
    if not nested.is_file():
        raise FileNotFoundError(2, "no golden file", str(nested))
    return nested
