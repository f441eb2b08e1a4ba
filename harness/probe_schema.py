"""The files of a probe run as types. They are read as mappings; these hold them to what was written.

A field that is missing or of another type is named with its file, so that an edited file is one message.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import msgspec

from harness.failures import UsageError
from harness.files import read_json
from harness.schema import converted
from harness.types import Failure

Variant = Literal["raw", "l2"]


class Chance(msgspec.Struct):
    mean: float
    sd: float


class Value(msgspec.Struct):
    """A metric of one comparison; without a value there is a reason."""

    value: float | None
    printed: str | None
    ci: tuple[float, float] | None
    chance: Chance | None
    reason: str | None


class Average(msgspec.Struct):
    value: float | None
    chance: float | None


class Entry(msgspec.Struct):
    comparison: str
    layer: int | None
    variant: Variant
    headline: bool
    n: int
    k: int
    distinct_rows: tuple[int, int]
    metrics: dict[str, Value]
    average: Average


class Best(msgspec.Struct):
    value: float
    printed: str
    layer: int
    text_layer: int


class GridValues(msgspec.Struct):
    grid: list[list[float | None]]
    best: Best | None
    best_chance: float | None


class Grid(msgspec.Struct):
    comparison: str
    variant: Variant
    headline: bool
    n: int
    k: int
    layers: list[int]
    metrics: dict[str, GridValues]


class Test(msgspec.Struct):
    """A paired test; differences are first minus second."""

    comparison: str
    against: str
    layer: int | None
    variant: Variant
    metric: str
    difference: float
    standard_error: float
    p: float
    p_holm: float


class Against(msgspec.Struct):
    run: str
    model: str
    note: str
    tests: list[Test]


class LeftOut(msgspec.Struct):
    id: str
    failure: Failure


class Named(msgspec.Struct):
    name: str
    note: str


class ProbeResults(msgspec.Struct):
    """`results.json` of a probe run."""

    format: int
    kind: Literal["probe"]
    model: Named
    data: str
    stage: Literal["unembedding", "embedding"]
    profile: str
    k: int
    k_of_profile: int
    variant: Variant
    clamp: float | None
    fuse: str | None
    metrics: list[str]
    n: int
    n_expected: int
    n_failed: int
    valid: bool
    left_out: list[LeftOut]
    scores: list[Entry]
    grids: list[Grid]
    audio_gain: list[Test]
    against_baseline: Against | None

    def __post_init__(self) -> None:
        parts: list[Entry | Grid] = [*self.scores, *self.grids]
        for part in parts:
            if absent := set(self.metrics) - part.metrics.keys():
                raise ValueError(f"{part.comparison} lacks {', '.join(sorted(absent))}, which `metrics` names")


class ProbeManifest(msgspec.Struct):
    """`manifest.json` of a probe run, as far as it is read."""

    format: int
    kind: Literal["probe"]
    config: dict[str, Any]
    model: dict[str, Any]
    data: dict[str, Any]


class Shard(msgspec.Struct):
    file: str
    rows: int
    sha256: str


class FeatureIndex(msgspec.Struct):
    """`features/index.json` of a probe run."""

    format: int
    stage: Literal["unembedding", "embedding"]
    ids: list[str]
    shapes: dict[str, list[int]]
    shards: list[Shard]


def read_results(run: Path) -> dict[str, Any]:
    """The results of a probe run. Raises UsageError where there are none, or naming file and field at fault."""
    path = run / "results.json"
    if not path.is_file():
        raise UsageError(f"{run} has no results; `harness probe` was stopped, run it again")
    return _held(path, ProbeResults)


def read_manifest(run: Path) -> dict[str, Any]:
    """The manifest of a probe run. Raises UsageError naming file and field at fault."""
    return _held(run / "manifest.json", ProbeManifest)


def read_index(features: Path) -> dict[str, Any]:
    """The index of stored features. Raises UsageError naming file and field at fault."""
    return _held(features / "index.json", FeatureIndex)


def _held(path: Path, kind: type[msgspec.Struct]) -> dict[str, Any]:
    content = read_json(path)
    converted(content, kind, str(path))
    return content
