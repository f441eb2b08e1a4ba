"""Where things are kept, and which of what is needed is there. Nothing here asks a network."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Literal, cast

import orjson

from harness.files import at_home, is_there
from harness.hub_cache import hub_cache, repository, snapshot
from harness.media import cache_folder
from harness.needs import Need
from harness.supply.transfer import Sum


@dataclass(frozen=True, slots=True)
class Places:
    """`hub` is the hub's cache, `own` the harness's, `modelscope` ModelScope's. `root` is the folder of --to."""

    hub: Path
    own: Path
    modelscope: Path
    root: Path | None = None

    @classmethod
    def of(cls, to: Path | None = None) -> Places:
        """Those of this process, or those below a folder that is to be carried elsewhere."""
        if to is not None:
            root = at_home(to).absolute()
            return cls(root / "hub", root / "omni-harness", root / "modelscope", root)
        scope = os.environ.get("MODELSCOPE_CACHE") or Path.home() / ".cache" / "modelscope" / "hub"
        return cls(hub_cache(), cache_folder(), Path(scope))

    @property
    def environment(self) -> dict[str, str]:
        """The variables that make a run read from `root`, {} where it does so without."""
        if self.root is None:
            return {}
        return {
            "HF_HOME": str(self.root),
            "HARNESS_CACHE": str(self.own),
            "MODELSCOPE_CACHE": str(self.modelscope),
        }


@dataclass(frozen=True, slots=True)
class Remote:
    """A file as its publisher lists it."""

    size: int
    sum: Sum


@dataclass(frozen=True, slots=True)
class State:
    """Whether a need is met: `where` it is, and what it lacks, "" where nothing. `bytes` are those that are here."""

    where: Path | None
    lacks: str = ""
    bytes: int = 0

    @property
    def have(self) -> bool:
        return self.where is not None and not self.lacks


def state(need: Need, places: Places, verify: bool = False) -> State:
    """What is there of a need. With `verify` every file that a sum is known of is read."""
    match need.place:
        case "model" | "dataset":
            return _of_repository(need, places, verify)
        case "address":
            file = places.own / kept(need)
            if not file.is_file():
                return State(None, "is not there")
            wrong = verify and not Sum("md5", need.revision).holds(file)
            return State(file, "is damaged" if wrong else "", file.stat().st_size)
        case "modelscope":
            found = next((folder for folder in scope_folders(need.name, places.modelscope) if folder.is_dir()), None)
            return State(None, "is not there") if found is None else State(found, need.lacks(found), size_of(found))
        case "folder":
            folder = at_home(need.name)
            return (
                State(folder, need.lacks(folder), size_of(folder)) if is_there(folder) else State(None, "is not there")
            )
        case "nowhere":
            lacks = need.lacks(Path())
            return State(None if lacks else Path(), lacks)


def kept(need: Need) -> str:
    """Where below the harness's cache the table of an address is, as `tasks.readers.download` keeps it."""
    return f"downloads/{need.revision}/{need.name.rpartition('/')[2]}"


def scope_folders(name: str, cache: Path) -> list[Path]:
    """Where ModelScope's library may have put a model."""
    return [cache / "models" / name, cache / name, cache / "hub" / "models" / name, cache / "hub" / name]


def chosen(need: Need, name: str) -> bool:
    """Whether a file of a repository is needed."""
    return not need.files or any(fnmatchcase(name, pattern) for pattern in need.files)


def _of_repository(need: Need, places: Places, verify: bool) -> State:
    kind = cast(Literal["model", "dataset"], need.place)
    folder = snapshot(kind, need.name, need.revision, places.hub)
    if folder is None:
        return State(None, "is not there")
    record = {name: remote for name, remote in read_record(need, places, folder.name).items() if chosen(need, name)}
    if record:
        faults = {name: fault for name, remote in record.items() if (fault := _fault(folder / name, remote, verify))}
        if faults:
            name = next(iter(faults))
            more = f", and {len(faults) - 1} more files" if len(faults) > 1 else ""
            return State(folder, f"{name} {faults[name]}{more}", size_of(folder, need))
    return State(folder, need.lacks(folder), size_of(folder, need))


def _fault(file: Path, remote: Remote, verify: bool) -> str:
    if not file.is_file():
        return "is missing"
    if (size := file.stat().st_size) != remote.size:
        return f"has {size:,} of {remote.size:,} bytes"
    return "is damaged" if verify and not remote.sum.holds(file) else ""


def size_of(folder: Path, need: Need | None = None) -> int:
    """Bytes of the files below a folder that are needed, through links."""
    if folder.is_file():
        return folder.stat().st_size
    files = (file for file in folder.rglob("*") if file.is_file())
    return sum(f.stat().st_size for f in files if need is None or chosen(need, f.relative_to(folder).as_posix()))


def record_file(need: Need, places: Places, commit: str) -> Path:
    """What the hub says of the files that were fetched: it goes with the cache, so that a copy can be checked."""
    base = repository(places.hub, cast(Literal["model", "dataset"], need.place), need.name)
    return base / "prefetched" / f"{commit}.json"


def read_record(need: Need, places: Places, commit: str) -> Mapping[str, Remote]:
    """The record of a commit; {} where there is none that can be read."""
    try:
        stored: Any = orjson.loads(record_file(need, places, commit).read_bytes())
        return {name: Remote(size, Sum(kind, value)) for name, (size, kind, value) in stored.items()}
    except (OSError, ValueError, AttributeError):
        return {}
