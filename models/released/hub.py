"""Where a checkpoint's folder is: a local folder, the hub's cache on this machine, or the hub itself."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from harness.contracts import ModelOptions
from harness.failures import UsageError
from harness.files import at_home, is_there
from harness.needs import Need
from models.checkpoint_error import CheckpointError

PROBE_TIMEOUT_S = 1.5  # an unreachable hub is to be noticed in seconds; the library tries twice

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")


@dataclass(frozen=True)
class Release:
    """Weights as they were published, and what a user can do who has none of them."""

    id: str
    """On the hub."""
    files: tuple[str, ...]
    """Patterns of what is needed; the rest is not fetched."""
    check: Callable[[Path], object]
    """Raises CheckpointError on a folder that lacks weight files."""
    ships: str = "vita15-mini"
    """A model that needs no download."""
    folder: str = "name a folder in the released layout: --weights DIR"
    """How to give the weights as a folder."""


def needed(release: Release, weights: str | None = None, optional: str = "") -> Need:
    """A release, or the folder or hub id that was named in its place, as a value; `optional` says what is lost without
    it."""

    def lacks(folder: Path) -> str:
        try:
            release.check(folder)
        except CheckpointError as error:
            return str(error).partition("\n")[0]
        return ""

    name = weights or release.id
    if is_there(at_home(name)):
        return Need("weights", "folder", name, "", (), lacks, optional, release.folder)
    if not _HUB_ID.fullmatch(name):
        raise UsageError(f"--weights {_shown(name)}: no such folder, and no hub id of the form owner/name")
    return Need("weights", "model", name, "main", release.files, lacks, optional, release.folder)


Needs = Callable[[ModelOptions], Sequence[Need]]


def needing(release: Release, *parts: Release, speaks_by: Release | None = None) -> Needs:
    """What a factory of such a model says that it needs: the release, other releases that are parts of it, and one that
    it is silent without. A part that lies in the model's own folder is not looked for elsewhere."""

    def needs(options: ModelOptions) -> Sequence[Need]:
        main = needed(release, options.weights)
        inside = at_home(main.name) if main.place == "folder" else None
        wanted = [(part, "") for part in parts] + [(part, "its speech") for part in (speaks_by,) if part]
        there = [part for part, _ in wanted if inside and (inside / part.id.rpartition("/")[2]).is_dir()]
        return [main, *(needed(part, optional=lost) for part, lost in wanted if part not in there)]

    return needs


class Source(NamedTuple):
    """A checkpoint's folder; `name` and `revision` are the hub's, the latter None for a plain folder."""

    folder: Path
    name: str
    revision: str | None


def locate(weights: str, release: Release, revision: str | None = None) -> Source:
    """The folder of `weights`, a local folder or a hub id; downloads of `release.files` only what the cache lacks.

    Raises UsageError that says what is missing and how else the weights can be given.
    """
    folder = at_home(weights)
    if is_there(folder) and folder.is_dir():
        return Source(folder, str(folder), None)
    if not _HUB_ID.fullmatch(weights) or is_there(folder):
        what = f"--weights {_shown(weights)}: no such folder, and no hub id of the form owner/name."
        raise UsageError(f"{what}\n{_ways(release.id, release)}")
    cached, incomplete = _cached(weights, release, revision)
    found = cached or _download(weights, release, revision, incomplete)
    return Source(found, weights, found.name)


class _Cached(NamedTuple):
    folder: Path | None
    incomplete: str = ""


def _cached(hub_id: str, release: Release, revision: str | None) -> _Cached:
    """The snapshot in the hub's cache, if it holds all weight files; else what it lacks."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    wanted = list(release.files)  # without them newer versions call a download of these files incomplete
    try:
        folder = Path(snapshot_download(hub_id, revision=revision, allow_patterns=wanted, local_files_only=True))
        release.check(folder)
    except LocalEntryNotFoundError:
        return _Cached(None)
    except CheckpointError as error:
        return _Cached(None, str(error).partition("\n")[0])
    return _Cached(folder)


def _download(hub_id: str, release: Release, revision: str | None, incomplete: str) -> Path:
    from huggingface_hub import HfApi, snapshot_download

    try:
        # Asked first, because the download's own question has no time limit and is repeated for minutes.
        HfApi().repo_info(hub_id, revision=revision, timeout=PROBE_TIMEOUT_S)
        found = snapshot_download(hub_id, revision=revision, allow_patterns=list(release.files))  # shows its progress
    except Exception as error:  # the library's HTTP client, and so its errors, change with its version
        reason = _shown(str(error).strip().partition("\n")[0] or type(error).__name__)
        if incomplete:
            message = f"of the weights {hub_id} the hub's cache lacks files ({incomplete}), which could not be fetched"
        else:
            message = f"the weights {hub_id} are not in the hub's cache and could not be fetched"
        raise UsageError(f"{message} ({reason}).\n{_ways(hub_id, release)}") from error
    return Path(str(found))


def _shown(text: str) -> str:
    """A text without the user and password of a URL in it."""
    return re.sub(r"//[^/\s@]*@", "//", text)


def _ways(hub_id: str, release: Release) -> str:
    return (
        "Three ways to go on:\n"
        f"  1. fill the cache where there is a network: hf download {hub_id}\n"
        f"  2. {release.folder}\n"
        f"  3. run a model and data that ship with the harness: --model {release.ships} --data mini"
    )
