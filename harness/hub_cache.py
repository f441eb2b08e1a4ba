"""The hub's cache as huggingface_hub lays it out, read without that library.

    <cache>/<models or datasets>--<owner>--<name>/{refs/<revision>, snapshots/<commit>/..., blobs/<etag>}

Files of a snapshot are links into `blobs`. Newer versions of the library call a snapshot absent unless it has every
file of the repository; a reader that needs some of them looks here, and says itself what is missing.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

RepoType = Literal["model", "dataset"]
_COMMIT = re.compile(r"[0-9a-f]{40}")


def hub_cache() -> Path:
    """Where the cache is in this process: $HF_HUB_CACHE, else below $HF_HOME."""
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE)


def repository(cache: Path, kind: RepoType, id: str) -> Path:
    """The folder of a repository.

    >>> repository(Path("hub"), "dataset", "owner/name").as_posix()
    'hub/datasets--owner--name'
    """
    return cache / "--".join([f"{kind}s", *id.split("/")])


def snapshot(kind: RepoType, id: str, revision: str | None = None, cache: Path | None = None) -> Path | None:
    """The folder of a revision (default: main), None where the cache has none of it. It may lack files."""
    base = repository(cache or hub_cache(), kind, id)
    commit = revision or "main"
    try:
        if not _COMMIT.fullmatch(commit):
            commit = (base / "refs" / commit).read_text("utf-8").strip()
    except OSError:
        return None
    folder = base / "snapshots" / commit
    return folder if commit and folder.is_dir() else None
