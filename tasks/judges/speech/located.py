"""Where a judge's weights are, and what pins them: a local file or folder by its content, the hub by its commit.

A name that is neither there nor on the hub is told at once: libraries that are handed such a name take it for a hub id
and try for a long time. So is a download that is not whole.
"""

from __future__ import annotations

import hashlib
import json
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from harness.failures import UsageError
from harness.files import at_home, is_there
from harness.hub_cache import snapshot
from harness.media import sha256_of
from harness.needs import Need

PATIENCE_S = 2.0
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")


@dataclass(frozen=True, slots=True)
class Located:
    """Weights by `path`, or by hub id and `commit` where there is no path yet. `pin` is what a fingerprint holds."""

    name: str
    path: Path | None
    pin: Mapping[str, str]
    commit: str | None = None
    patterns: tuple[str, ...] = ()
    """Of the hub's files that are read; the rest (the same weights in other forms) is not fetched."""

    def folder(self) -> Path:
        """The local files; those of the hub are fetched. Raises UsageError where that fails."""
        if self.path is not None:
            return self.path
        from huggingface_hub import snapshot_download

        try:
            wanted = list(self.patterns) or None
            return Path(snapshot_download(self.name, revision=self.commit, allow_patterns=wanted))
        except Exception as error:
            raise UsageError(f"the weights {self.name} cannot be fetched from the hub: {error}. {_REMEDY}") from error


_REMEDY = "Name a local copy: --judge NAME:FOLDER"


def located(judge: str, text: str, patterns: tuple[str, ...] = ()) -> Located:
    """Weights out of what stands behind the judge's name: a path, or a hub id.

    Raises UsageError, within `PATIENCE_S` seconds, for a path that is not there and a hub id that is neither in the
    cache nor to be had.
    """
    path = at_home(text)
    if is_there(path):
        return Located(path.name, path, {"content": _digest(path)})
    if not _HUB_ID.fullmatch(text) or path.parent.is_dir():
        raise UsageError(f"--judge {judge}: there is no file or folder {text}")
    commit = _cached_commit(text) or _hub_commit(judge, text)
    return Located(text, None, {"hub": text, "commit": commit}, commit, patterns)


def needed(judge: str, text: str, patterns: tuple[str, ...], files: Sequence[str | tuple[str, ...]]) -> Need:
    """The same weights as a value, without asking for them. Raises UsageError for what is neither path nor hub id."""

    def lacks(place: Path) -> str:
        try:
            need_whole(judge, place) if place.is_file() else need_files(judge, place, files)
        except UsageError as error:
            return str(error)
        return ""

    remedy = f"name a local copy: --judge {judge}:FOLDER"
    if is_there(at_home(text)):
        return Need("judge", "folder", text, "", (), lacks, "", remedy)
    if not _HUB_ID.fullmatch(text):
        raise UsageError(f"--judge {judge}: there is no file or folder {text}")
    return Need("judge", "model", text, "main", patterns, lacks, "", remedy)


def package(name: str, extra: str = "judges") -> Need:
    """A package that a judge needs, as a value."""
    remedy = f"pip install 'omni-harness[{extra}]'"
    return Need("judge", "nowhere", f"package {name}", "", (), lambda _: _absent(name), "", remedy)


def _absent(package: str) -> str:
    return "is not installed" if find_spec(package) is None else ""


def need_package(judge: str, package: str) -> None:
    """Raises UsageError naming the extra, without importing anything."""
    if find_spec(package) is None:
        raise UsageError(
            f"the judge {judge} needs the package {package}, which is not installed: "
            "pip install 'omni-harness[judges]' (from a checkout: make .venv/.full)"
        )


def need_files(judge: str, folder: Path, files: Sequence[str | tuple[str, ...]]) -> None:
    """Raises UsageError naming the files that a folder lacks (of a tuple one is enough) or has in part only."""
    wanted = [(name,) if isinstance(name, str) else name for name in files]
    shards = folder / "model.safetensors.index.json"
    if shards.is_file():
        wanted += [(name,) for name in sorted(set(json.loads(shards.read_text("utf-8"))["weight_map"].values()))]
    lacking = [" or ".join(names) for names in wanted if not any((folder / name).is_file() for name in names)]
    if lacking:
        raise UsageError(f"--judge {judge}:{folder}: the folder lacks {', '.join(lacking)}; download it again")
    for names in wanted:
        for name in names:
            if (folder / name).is_file():
                need_whole(judge, folder / name)


def need_whole(judge: str, file: Path) -> None:
    """Raises UsageError for a weights file that is cut off: it is told by its header, not by reading it all."""
    if file.suffix == ".safetensors" and not _whole_safetensors(file):
        raise UsageError(f"--judge {judge}: {file} is not whole; download it again")
    if file.suffix in (".pt", ".pth") and not zipfile.is_zipfile(file):
        raise UsageError(f"--judge {judge}: {file} is no torch checkpoint, or not whole; download it again")


def _whole_safetensors(file: Path) -> bool:
    size = file.stat().st_size
    with file.open("rb") as opened:
        head = int.from_bytes(opened.read(8), "little")
        if not 2 <= head <= size - 8:
            return False
        try:
            tensors = json.loads(opened.read(head))
        except ValueError:
            return False
    ends = [entry["data_offsets"][1] for name, entry in tensors.items() if name != "__metadata__"]
    return size == 8 + head + max(ends, default=0)


@contextmanager
def opening(judge: str, folder: Path) -> Iterator[None]:
    """Turns whatever a library says of damaged weights into a UsageError that names judge, folder and remedy."""
    try:
        yield
    except UsageError:
        raise
    except Exception as error:
        said = str(error).strip().splitlines()
        why = f"{type(error).__name__}{f': {said[0]:.200}' if said else ''}"
        raise UsageError(
            f"--judge {judge}:{folder}: a file in it is damaged or does not fit ({why}); download it again"
        ) from error


def whole(kind: Any, folder: Path) -> Any:
    """A model of transformers out of a folder that has all of its tensors: the library draws at random what is missing.

    Raises ValueError naming the first that is missing.
    """
    model, told = kind.from_pretrained(folder, local_files_only=True, weights_only=True, output_loading_info=True)
    if missing := sorted(told["missing_keys"]):
        raise ValueError(f"{len(missing)} tensors are missing, e.g. {missing[0]}")
    return model


def _digest(path: Path) -> str:
    """A hash over the names and contents of all files."""
    files = [path] if path.is_file() else sorted(file for file in path.rglob("*") if file.is_file())
    hashed = hashlib.sha256()
    for file in files:
        name = "" if file == path else file.relative_to(path).as_posix()
        hashed.update(f"{name}\0{sha256_of(file)}\n".encode())
    return hashed.hexdigest()


def _cached_commit(id: str) -> str | None:
    """The commit of a download that is in the hub's cache."""
    found = snapshot("model", id)
    return None if found is None else found.name


def _hub_commit(judge: str, id: str) -> str:
    from huggingface_hub import HfApi

    try:
        return str(HfApi().model_info(id, timeout=PATIENCE_S).sha)
    except Exception as error:
        raise UsageError(
            f"--judge {judge}: the weights {id} are no local folder, not in the hub's cache, and the hub cannot be "
            f"asked for them ({type(error).__name__}). Name a local copy: --judge {judge}:FOLDER"
        ) from error
