"""The gates file: what may get worse by how much. `docs/gates.md` tells each field."""

from __future__ import annotations

import math
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal

import msgspec

from harness.failures import UsageError
from harness.types import Channel
from harness.yaml_files import read_yaml

VERSION = 1
Test = Literal["paired_bootstrap", "mcnemar"]


class Gate(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """One number and its limits, in the metric's own unit. Worse than `abs_tol` + `rel_tol` * |baseline| fails, with a
    `test` only if the difference is significant at `alpha`; worse than `hard_tol` always does."""

    task: str
    metric: str
    channel: Channel | None = None
    direction: Literal["lower", "higher"] | None = None
    abs_tol: float | None = None
    rel_tol: float | None = None
    hard_tol: float | None = None
    floor: float | None = None
    ceiling: float | None = None
    min_samples: int = 0
    max_error_rate: float | None = None
    test: Test | None = None
    alpha: float = 0.05
    cluster: str | None = None
    same_device: bool = False
    level: Literal["fail", "warn"] = "fail"

    @property
    def name(self) -> str:
        """ "mme.total", "llama_questions.accuracy.speech"."""
        return f"{self.task}.{self.metric}" + (f".{self.channel}" if self.channel else "")

    @property
    def compares(self) -> bool:
        """Whether it needs a baseline; a floor or ceiling alone does not."""
        relative = (self.abs_tol, self.rel_tol, self.hard_tol, self.test)
        return (self.floor is None and self.ceiling is None) or any(limit is not None for limit in relative)

    def allowed(self, baseline: float) -> float:
        return (self.abs_tol or 0.0) + (self.rel_tol or 0.0) * abs(baseline)


class Gates(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    version: int
    gates: list[Gate]
    missing_baseline: Literal["fail", "warn"] = "fail"


def load(path: Path) -> Gates:
    """Raises UsageError naming the file, the gate and the field at fault, with what may be meant."""
    content = read_yaml(path, "gates file")
    _check_names(content, Gates, f"{path}")
    listed = content.get("gates")
    if not isinstance(listed, list) or not listed:
        raise UsageError(f"{path}: gates must be a list of at least one gate; `harness gate init RUN` writes a first")
    for number, entry in enumerate(listed, start=1):
        if not isinstance(entry, Mapping):
            raise UsageError(f"{path}, gate {number}: a gate is a mapping with task and metric, not {entry!r:.80}")
        _check_names(entry, Gate, f"{path}, gate {number} ({entry.get('task')}.{entry.get('metric')})")
    found = _converted(content, path)
    if found.version != VERSION:
        raise UsageError(f"{path}: version {found.version} is not known; this harness reads version {VERSION}")
    names: set[str] = set()
    for number, gate in enumerate(found.gates, start=1):
        _check(gate, f"{path}, gate {number} ({gate.name})", names)
    return found


def _converted(content: Mapping[str, Any], path: Path) -> Gates:
    try:
        return msgspec.convert(content, Gates)
    except msgspec.ValidationError as error:
        raise UsageError(f"{path}: {error}") from error


def _check_names(given: Mapping[Any, Any], kind: type[msgspec.Struct], where: str) -> None:
    known = kind.__struct_fields__
    for name in given:
        if name not in known:
            meant = get_close_matches(str(name), known, 1, 0.6)
            hint = f"is {meant[0]} meant?" if meant else f"there are {', '.join(known)}"
            raise UsageError(f"{where}: unknown field {name!r}; {hint}")


def _check(gate: Gate, where: str, names: set[str]) -> None:
    if gate.name in names:
        raise UsageError(f"{where}: there is a gate {gate.name} already; keep one")
    names.add(gate.name)
    positive = ("abs_tol", "rel_tol", "hard_tol", "min_samples", "max_error_rate")
    for name in positive:
        value = getattr(gate, name)
        if value is not None and not 0 <= value < float("inf"):
            raise UsageError(f"{where}: {name} must not be negative or infinite, and is {value}")
    for name in ("floor", "ceiling"):
        value = getattr(gate, name)
        if value is not None and not math.isfinite(value):
            raise UsageError(f"{where}: {name} must be a number, and is {value}")
    if (gate.rel_tol or 0.0) > 1:
        raise UsageError(f"{where}: rel_tol is a share of the baseline (0.1 is 10 %), and is {gate.rel_tol}")
    if not 0 < gate.alpha < 1:
        raise UsageError(f"{where}: alpha must be between 0 and 1, and is {gate.alpha}")
    if gate.max_error_rate is not None and gate.max_error_rate > 1:
        raise UsageError(f"{where}: max_error_rate is a share from 0 to 1, and is {gate.max_error_rate}")
