"""One component of a parity run: what was compared, what differed and by how much."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

MAX_EXAMPLES = 5


@dataclass
class Check:
    """Counts the comparisons of one component against its golden values.

    `tolerance` is the absolute bound of `close` where a comparison has none of its own; `widest` is the widest bound
    that was used, `of_allowed` the largest share of its own bound that an error took. `equal` comparisons are exact.
    """

    component: str
    tolerance: float = 0.0
    checked: int = 0
    failed: int = 0
    max_abs_err: float = 0.0
    of_allowed: float = 0.0
    widest: float = 0.0
    examples: list[str] = field(default_factory=list)

    def close(self, name: str, got: Any, want: Any, tolerance: float | None = None) -> None:
        """Compare arrays (or scalars) of equal shape within the tolerance; NaN equals NaN only."""
        bound = self.tolerance if tolerance is None else tolerance
        a, b = _array(got), _array(want)
        self.checked += 1
        if a.shape != b.shape:
            self._fail(f"{name}: shape {a.shape} instead of {b.shape}")
            return
        if not np.array_equal(np.isnan(a), np.isnan(b)):
            self._fail(f"{name}: NaN in different places")
            return
        same = (a == b) | np.isnan(a)
        with np.errstate(invalid="ignore"):
            difference = np.where(same, 0.0, np.abs(a - b))
        error = float(difference.max()) if difference.size else 0.0
        self.max_abs_err = max(self.max_abs_err, error)
        self.widest = max(self.widest, bound)
        self.of_allowed = max(self.of_allowed, error / bound if bound else math.inf if error else 0.0)
        if error > bound or math.isnan(error):
            self._fail(f"{name}: differs by {error:.3g}, allowed {bound:.3g}")

    def equal(self, name: str, got: Any, want: Any) -> None:
        """Compare two values exactly (arrays element by element)."""
        self.checked += 1
        if isinstance(want, np.ndarray) or hasattr(want, "numpy"):
            a, b = _array(got), _array(want)
            same = a.shape == b.shape and bool(np.array_equal(a, b))
        else:
            same = bool(got == want)
        if not same:
            self._fail(f"{name}: {_short(got)} instead of {_short(want)}")

    def _fail(self, example: str) -> None:
        self.failed += 1
        if len(self.examples) < MAX_EXAMPLES:
            self.examples.append(example)

    def as_dict(self) -> dict[str, Any]:
        row: dict[str, Any] = {
            "component": self.component,
            "checked": self.checked,
            "failed": self.failed,
            "max_abs_err": self.max_abs_err,
            "tolerance": self.tolerance,
            "widest_tolerance": self.widest,
            "max_share_of_tolerance": self.of_allowed if math.isfinite(self.of_allowed) else None,
        }
        return row | ({"examples": self.examples} if self.examples else {})


def _array(value: Any) -> np.ndarray:
    if hasattr(value, "detach"):
        value = value.detach().cpu().double().numpy()
    return np.asarray(value, dtype=np.float64)


def _short(value: Any, limit: int = 120) -> str:
    text = repr(value)
    return text if len(text) <= limit else text[:limit] + "…"
