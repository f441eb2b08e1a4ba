"""What identifies weights on disk: a hash of their contents, whose they are, and what has to be said about them.

A folder of weights may hold `weights.json` {"name", "note", "digest"}: who they call themselves, what is printed
beside their numbers, and the hash for which that was written. The note travels with the folder.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from harness.media import cache_folder

CARD = "weights.json"
REMEMBERED_BYTES = 64_000_000
"""Files of this size and more are hashed once: their hash is remembered by path, size and time of change."""
SETTLED_S = 2.0
"""A file changed less than so long ago could change again within the same tick of its clock."""

_BLOB = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Card:
    """What a folder says of its weights."""

    name: str = ""
    note: str = ""
    digest: str = ""


@dataclass(frozen=True)
class Identity:
    """Opened weights. `own` marks those that belong to the model's name without being a release."""

    source: str
    digest: str
    revision: str | None = None
    released: bool = False
    own: bool = False
    note: str = ""
    told: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Setting -> {"value", "from"}: the file or default that it came from."""
    more: Mapping[str, Any] = field(default_factory=dict)

    def label(self, name: str) -> str:
        """The model's name; with the start of the digest where the weights are not known to be what it says."""
        return name if self.released or self.own else f"{name} ({self.digest[:8]})"

    def fingerprint(self) -> dict[str, Any]:
        """As JSON, for a run's manifest."""
        return {
            "source": self.source,
            "revision": self.revision,
            "digest": self.digest,
            "released": self.released,
            "told": list(self.told),
            "settings": dict(self.settings),
            **self.more,
        }


def read_card(folder: Path) -> Card:
    """The folder's `weights.json`; an empty card where there is none or it cannot be read."""
    try:
        content = json.loads((folder / CARD).read_text(encoding="utf-8"))
        return Card(*(str(content.get(name, "")) for name in ("name", "note", "digest")))
    except (OSError, ValueError, AttributeError, RecursionError):
        return Card()


def write_card(folder: Path, name: str, note: str, files: Iterable[Path]) -> None:
    """Say of the weights in `files` who they are, as long as they are what they are now."""
    content = {"name": name, "note": note, "digest": digest(folder, files)}
    (folder / CARD).write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def digest(folder: Path, files: Iterable[Path]) -> str:
    """SHA-256 over the names and contents of a folder's files, whatever their order."""
    lines = sorted(f"{path.relative_to(folder).as_posix()} {content_hash(path)}" for path in files)
    return hashlib.sha256("\n".join(lines).encode(errors="surrogatepass")).hexdigest()


def tensor_digest(tensors: Mapping[str, torch.Tensor]) -> str:
    """SHA-256 over the names, types, shapes and values of tensors that are in no file."""
    whole = hashlib.sha256()
    for name, tensor in sorted(tensors.items()):
        whole.update(f"{name} {tensor.dtype} {list(tensor.shape)}\n".encode())
        whole.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return whole.hexdigest()


def content_hash(path: Path) -> str:
    """SHA-256 of a file's content.

    A large file in the hub's cache is a link to a blob named by this hash; another large one is hashed once.
    """
    blob = Path(os.path.realpath(path))
    if path.is_symlink() and blob.parent.name == "blobs" and _BLOB.fullmatch(blob.name):
        return blob.name
    state = blob.stat()
    if state.st_size < REMEMBERED_BYTES:
        return _hash(blob)
    key, stamp = str(blob), [state.st_size, state.st_mtime_ns]
    memory = cache_folder() / "weights.json"
    known = _remembered(memory).get(key)
    if isinstance(known, list) and known[:2] == stamp:
        return str(known[2])
    found = _hash(blob)
    if time.time() - state.st_mtime > SETTLED_S:
        _remember(memory, key, [*stamp, found])
    return found


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _remembered(memory: Path) -> dict[str, Any]:
    try:
        content = json.loads(memory.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _remember(memory: Path, key: str, entry: list[Any]) -> None:
    """Losing an entry to another process, or to a cache that cannot be written, costs another hashing at most."""
    try:
        memory.parent.mkdir(parents=True, exist_ok=True)
        partial = memory.with_name(f"{memory.name}.{os.getpid()}.part")
        partial.write_text(json.dumps(_remembered(memory) | {key: entry}), encoding="utf-8")
        partial.replace(memory)
    except OSError:
        pass
