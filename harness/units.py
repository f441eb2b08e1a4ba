"""Scores of samples -> the independent units that intervals rest on, each known by its key.

A unit is a cluster (a speaker, a picture) or a sample. Units are in the order of their keys, so that nothing depends
on which sample finished first, and two runs can be compared unit by unit.
"""

from __future__ import annotations

import math
from array import array
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from harness.failures import failure_from
from harness.fitting import misfit_group
from harness.task import Member, Task

MIN_CLUSTERS = 8
"""With fewer clusters than this little is known of their spread; samples are the units then, where parts just add."""

Floats = npt.NDArray[np.float64]
Keys = npt.NDArray[np.uint64]


class Units(NamedTuple):
    """`parts` [units, names] add up over units; `keys` [units] are hashes of their names; `kind` says what one is."""

    keys: Keys
    names: list[str]
    parts: Floats
    kind: str

    def column(self, name: str) -> Floats:
        """A part of every unit; zeros where no sample has it."""
        return self.parts[:, self.names.index(name)] if name in self.names else np.zeros(len(self.parts))

    def having(self, name: str) -> Units:
        """The units that have some of a part."""
        kept = self.column(name) > 0
        return Units(self.keys[kept], self.names, self.parts[kept], self.kind)


def hashed(name: str) -> int:
    """64 bits that stand for a name: eight bytes a sample whatever its length."""
    return int.from_bytes(blake2b(name.encode(errors="surrogatepass"), digest_size=8).digest(), "little")


class PartTable:
    """The parts of many samples, a column a part, eight bytes a value; NaN where a sample lacks the part."""

    def __init__(self) -> None:
        self._columns: dict[str, array[float]] = {}
        self._ids = array("Q")
        self._clusters = array("Q")
        self._tags: dict[str, dict[str, array[int]]] = {}
        self._payloads: dict[str, list[tuple[str, Any]]] = {}

    def __len__(self) -> int:
        return len(self._ids)

    def add(self, key: str, parts: Mapping[str, float], cluster: str | None, tags: Mapping[str, Sequence[str]]) -> None:
        """A sample; without a cluster it is one of its own."""
        own = hashed(key)
        self.add_row(own, own if cluster is None else hashed(f"cluster {cluster}"), parts, tags)

    def add_payload(self, key: str, payload: Mapping[str, Any]) -> None:
        """What a sample gives to metrics that are no sums."""
        for metric, value in payload.items():
            self._payloads.setdefault(metric, []).append((key, value))

    def payloads(self, metric: str) -> list[Any]:
        """Of the samples that have one for this metric, in the order of their ids."""
        return [value for _, value in sorted(self._payloads.get(metric, ()), key=lambda one: one[0])]

    def add_row(self, key: int, cluster: int, parts: Mapping[str, float], tags: Mapping[str, Sequence[str]]) -> None:
        """A sample whose names are hashed already."""
        row = len(self)
        for name, value in parts.items():
            column = self._columns.setdefault(name, array("d"))
            column.extend([math.nan] * (row - len(column)))
            column.append(value)
        for tag, named in tags.items():
            for one in named:
                self._tags.setdefault(tag, {}).setdefault(one, array("q")).append(row)
        self._ids.append(key)
        self._clusters.append(cluster)

    def rows(self) -> Iterator[tuple[int, int, dict[str, float], dict[str, list[str]]]]:
        """What `add_row` was given, sample by sample."""
        tags: dict[int, dict[str, list[str]]] = {}
        for tag, by_value in self._tags.items():
            for value, places in by_value.items():
                for place in places:
                    tags.setdefault(place, {}).setdefault(tag, []).append(value)
        for row, (key, cluster) in enumerate(zip(self._ids, self._clusters, strict=True)):
            held = {name: column[row] for name, column in self._columns.items() if row < len(column)}
            yield key, cluster, {k: v for k, v in held.items() if not math.isnan(v)}, tags.get(row, {})

    @property
    def tags(self) -> Mapping[str, Mapping[str, Sequence[int]]]:
        """Tag -> value -> rows that have it."""
        return self._tags

    @property
    def names(self) -> list[str]:
        return sorted(self._columns)

    def values(self, name: str) -> Floats:
        """One part of the samples that have it."""
        column = np.frombuffer(self._columns.get(name, array("d")), dtype=np.float64)
        return column[~np.isnan(column)]

    def units(self, kind: str | None, rows: Sequence[int] | None = None) -> Units:
        """Sums of clusters of `kind`; the samples themselves where there is no kind or there are too few clusters."""
        picked = slice(None) if rows is None else np.asarray(rows, dtype=np.int64)
        table = np.zeros((len(self), len(self._columns)))
        for j, name in enumerate(self.names):
            column = np.frombuffer(self._columns[name], dtype=np.float64)
            table[: len(column), j] = np.nan_to_num(column)
        table = table[picked]
        keys = np.frombuffer(self._ids, dtype=np.uint64)[picked]
        order = np.argsort(keys, kind="stable")  # a sum of floats depends on the order of its terms
        if kind is not None:
            clusters = np.frombuffer(self._clusters, dtype=np.uint64)[picked]
            names, place = np.unique(clusters[order], return_inverse=True)
            if len(names) >= MIN_CLUSTERS:
                joined = np.zeros((len(names), table.shape[1]))
                np.add.at(joined, place, table[order])
                return Units(names, self.names, joined, kind)
        return Units(keys[order], self.names, table[order], "sample")


class Grouped:
    """The samples of clusters that are scored together, kept until a cluster's parts can be made of them."""

    def __init__(self, task: Task, profile: str) -> None:
        self._task, self._profile = task, profile
        self._groups: dict[str, list[Member]] = {}
        self._alone: set[str] = set()
        self.torn = 0
        """Groups that lack a member and have a failed one: what is lost with it is not known."""
        self.unfit: Counter[str] = Counter()
        """Why groups have no parts that count -> how many samples they have."""

    def add(self, cluster: str | None, key: str, member: Member) -> None:
        """A sample; one of no known cluster is a group by itself, and not torn."""
        name = cluster or f"alone {key}"
        self._groups.setdefault(name, []).append(member)
        if cluster is None:
            self._alone.add(name)

    def table(self) -> PartTable:
        """A row a cluster; it has all tags of its samples."""
        self.torn, self.unfit = 0, Counter()
        table = PartTable()
        for cluster, members in self._groups.items():
            tags: dict[str, dict[str, None]] = {}
            for member in members:
                for tag, values in member.score.tags.items():
                    tags.setdefault(tag, {}).update(dict.fromkeys(values))
            parts, fault = self._parts(members)
            if fault:
                self.unfit[fault] += len(members)
                continue
            failed = cluster not in self._alone and any(m.score.status == "failed" for m in members)
            self.torn += bool(parts.get("incomplete")) and failed
            table.add(f"cluster {cluster}", parts, None, {tag: tuple(values) for tag, values in tags.items()})
        return table

    def _parts(self, members: Sequence[Member]) -> tuple[Mapping[str, float], str]:
        """A cluster's parts, and why they cannot count, or ""."""
        assert self._task.group is not None
        try:
            parts = self._task.group(members, self._profile)
            return parts, misfit_group(self._task, parts)
        except Exception as error:  # a group of one's own may raise anything
            return {}, failure_from(error, "score").message


def averaged(repeats: Sequence[Units]) -> Units:
    """The units of several repeats of the same questions as one: repeats never raise the number of units."""
    if len(repeats) == 1:
        return repeats[0]
    names = sorted({name for units in repeats for name in units.names})
    keys = np.unique(np.concatenate([units.keys for units in repeats]))
    total = np.zeros((len(keys), len(names)))
    counts = np.zeros((len(keys), 1))
    for units in repeats:
        place = np.searchsorted(keys, units.keys)
        columns = [names.index(name) for name in units.names]
        total[place[:, None], columns] += units.parts
        counts[place] += 1
    return Units(keys, names, total / counts, repeats[0].kind)
