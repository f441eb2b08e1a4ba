"""Models that leave a part to another's release, such as a codec: where it is, and what all of it is identified by.

A model's folder may hold a part in a folder of the part's name; else it is looked for in the hub's cache and on the
hub.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from models.released import hub, identity
from models.released.identity import Identity
from models.released.settings import Stated


@dataclass(frozen=True)
class Part:
    """`id` is the hub's, `patterns` say what is needed of it, and `files` which files make it: it raises
    CheckpointError where one is missing."""

    id: str
    patterns: tuple[str, ...]
    files: Callable[[Path], list[Path]]

    @property
    def name(self) -> str:
        """Of its folder."""
        return self.id.rpartition("/")[2]

    @property
    def release(self) -> hub.Release:
        way = f"put it into the model's folder, as {self.name}/ in --weights DIR"
        return hub.Release(self.id, self.patterns, self.files, folder=way)


class Found(NamedTuple):
    """Where a part, or the model itself, is, and the files whose contents are it."""

    source: hub.Source
    files: list[Path]


def find(model: Path, part: Part) -> Found:
    """A part of the model in a folder. Raises UsageError that says how else it can be given, and CheckpointError."""
    inside = model / part.name
    at_hand = inside.is_dir()
    source = hub.Source(inside, str(inside), None) if at_hand else hub.locate(part.release.id, part.release)
    return Found(source, part.files(source.folder))


def identified(
    released_as: str,
    found: Sequence[Found],
    settings: Mapping[str, Stated],
    told: Sequence[str],
    unknown: Sequence[str],
    speaks: bool,
) -> Identity:
    """What identifies a model of several parts, the model itself first; the digest is over the contents of all.

    Weights are a release's where the model came from its hub id and every part from the hub at a revision.
    """
    source = found[0].source
    digests = [identity.digest(part.source.folder, part.files) for part in found]
    return Identity(
        source=source.name,
        digest=hashlib.sha256("\n".join(digests).encode()).hexdigest(),
        revision=source.revision,
        released=source.name == released_as and all(part.source.revision is not None for part in found),
        note=identity.read_card(source.folder).note,
        told=tuple(told),
        settings={name: {"value": _plain(stated.value), "from": stated.source} for name, stated in settings.items()},
        more={
            "parts": [{"source": part.source.name, "revision": part.source.revision} for part in found[1:]],
            "bytes": sum(path.stat().st_size for part in found for path in part.files),
            "unknown_tensors": list(unknown),
            "speech": speaks,
        },
    )


def _plain(value: object) -> object:
    """As JSON: what is no value of it as its text."""
    return value if value is None or isinstance(value, str | int | float | bool | list | tuple | dict) else str(value)
