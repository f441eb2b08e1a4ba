"""Repositories of the hub: what they list, and their files into the hub's cache."""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from harness.files import write_atomically
from harness.hub_cache import repository
from harness.needs import Need
from harness.supply.places import Places, Remote, chosen, read_record, record_file
from harness.supply.transfer import Sum, Tell, TransferError, fetch

PATIENCE_S = 10.0
AT_ONCE = 4


class Listing(NamedTuple):
    """A revision's commit, and the files of it that are needed."""

    commit: str
    files: Mapping[str, Remote]

    @property
    def bytes(self) -> int:
        return sum(remote.size for remote in self.files.values())


def listed(need: Need) -> Listing:
    """What the hub has. Raises TransferError naming the repository where it does not say, or has nothing of it."""
    api, kind = _api(), need.place
    try:
        commit = str(api.repo_info(need.name, repo_type=kind, revision=need.revision, timeout=PATIENCE_S).sha)
        tree: list[Any] = list(api.list_repo_tree(need.name, repo_type=kind, revision=commit, recursive=True))
    except Exception as error:  # the library's HTTP client, and so its errors, change with its version
        why = str(error).strip().partition("\n")[0] or type(error).__name__
        raise TransferError(f"the hub does not say what is in {need.name} (revision {need.revision}): {why}") from error
    files = {entry.path: _remote(entry) for entry in tree if hasattr(entry, "blob_id") and chosen(need, entry.path)}
    if outside := [name for name in files if name.startswith("/") or ".." in name.split("/")]:
        raise TransferError(f"{need.name} lists a file outside of itself: {outside[0]}")
    if not files:
        raise TransferError(f"{need.name} (revision {need.revision}) has no file of {', '.join(need.files)}")
    return Listing(commit, files)


def _api() -> Any:
    from huggingface_hub import HfApi

    return HfApi()


def _remote(entry: Any) -> Remote:
    if entry.lfs is not None:
        return Remote(int(entry.lfs.size), Sum("sha256", str(entry.lfs.sha256)))
    return Remote(int(entry.size), Sum("git", str(entry.blob_id)))


def lacking(need: Need, listing: Listing, places: Places) -> dict[str, Remote]:
    """The files that are not in the cache, or are there but damaged: each that is there is read."""
    folder = _base(need, places) / "snapshots" / listing.commit
    return {name: remote for name, remote in listing.files.items() if not _is_whole(folder / name, remote)}


def _is_whole(file: Path, remote: Remote) -> bool:
    return file.is_file() and file.stat().st_size == remote.size and remote.sum.holds(file)


def get(need: Need, listing: Listing, wanted: Mapping[str, Remote], places: Places, tell: Tell) -> Path:
    """Fetch the wanted files, several at once, and gives the snapshot's folder. Raises TransferError."""
    from huggingface_hub import get_token, hf_hub_url

    base, token = _base(need, places), get_token()
    folder = base / "snapshots" / listing.commit

    def one(name: str) -> None:
        remote = wanted[name]
        blob = base / "blobs" / remote.sum.hex
        if not _is_whole(blob, remote):
            blob.unlink(missing_ok=True)
            url = hf_hub_url(need.name, name, repo_type=need.place, revision=listing.commit)
            fetch(url, blob, remote.sum, remote.size, token, tell)
        else:
            tell(remote.size)
        _link(folder / name, blob)

    by_content = {remote.sum.hex: name for name, remote in wanted.items()}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        try:
            list(pool.map(one, by_content.values()))  # files of the same content share a blob, and come once
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    for name, remote in wanted.items():
        _link(folder / name, base / "blobs" / remote.sum.hex)
    if need.revision != listing.commit:
        write_atomically(base / "refs" / need.revision, listing.commit.encode())
    known = {**read_record(need, places, listing.commit), **listing.files}
    content = {name: (remote.size, remote.sum.kind, remote.sum.hex) for name, remote in sorted(known.items())}
    write_atomically(record_file(need, places, listing.commit), orjson.dumps(content))
    return folder


def _base(need: Need, places: Places) -> Path:
    return repository(places.hub, "model" if need.place == "model" else "dataset", need.name)


def _link(file: Path, blob: Path) -> None:
    """A relative link, which stays right when the cache is copied; a file of its own where there are no links."""
    file.parent.mkdir(parents=True, exist_ok=True)
    if file.exists() and file.samefile(blob):
        return
    file.unlink(missing_ok=True)
    try:
        file.symlink_to(os.path.relpath(blob, file.parent))
    except OSError:
        os.link(blob, file)
