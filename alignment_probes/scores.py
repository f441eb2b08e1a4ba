"""Scores of stored features: every value with its interval, its chance level and the reason where it has none.

Side A is vision, audio or vision+audio, side B the text: `cycle_knn` walks there with the text's neighbours and
back with A's. Features are read one layer at a time, except that clamping needs all layers of a side at once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor

from alignment_probes.features import Features
from alignment_probes.layers import BestPair, best_pair, clamp_outliers, truncate
from alignment_probes.metrics import Prepared, compare, prepare
from alignment_probes.names import METRICS
from alignment_probes.neighbours import first_occurrence, l2_normalize
from alignment_probes.profiles import Profile, Variant
from alignment_probes.statistics import Pair, confidence_intervals, paired_tests, shuffled_chance
from harness.contracts import ProbeStage
from harness.stats import holm

PERMUTATIONS = 20
COMPARED: Mapping[str, tuple[str, ...]] = {
    "unembedding": ("vision", "audio", "vision+audio"),
    "embedding": ("vision", "vision+audio"),
}
"""What is compared with the text, by stage; without speech, vision alone."""


def compared(stage: ProbeStage, audio: bool) -> tuple[str, ...]:
    """The sides that are compared with the text."""
    return tuple(side for side in COMPARED[stage] if audio or "audio" not in side)


Metrics = Sequence[str]


class Side(NamedTuple):
    """A prepared side with the metrics that are defined on it, and why the others are not."""

    prepared: Prepared
    reasons: dict[str, str]


@dataclass(frozen=True)
class Scorer:
    """Reads sides by the conventions of a profile and scores them."""

    features: Features
    profile: Profile
    k: int
    metrics: tuple[str, ...]
    fuse: Literal["concat", "tokens"] = "concat"
    seed: int = 0
    device: str = "cpu"

    @property
    def sides(self) -> tuple[str, ...]:
        return compared(self.features.stage, self.features.has_audio)

    def layers(self, asked: Sequence[int] | None) -> list[int | None]:
        """States to score; one None where there are no layers."""
        if self.features.stage == "unembedding":
            return [None]
        return list(asked) if asked is not None else list(range(self.features.n_layers))

    def read(self, side: str, layers: Sequence[int | None], variant: Variant) -> Iterator[Tensor]:
        """A side [n, d] at each of the layers, clamped and scaled as asked."""
        if self.profile.clamp is None:
            found: Iterator[Tensor] = (self._raw(side, layer) for layer in layers)
        else:  # one threshold for all layers
            whole = self._raw(side, None)
            whole = clamp_outliers(whole if whole.ndim == 3 else whole.unsqueeze(1), self.profile.clamp)
            found = (whole[:, layer or 0] for layer in layers)
        for x in found:
            x = x.to(self.device)
            yield l2_normalize(x) if variant == "l2" else x

    def _raw(self, side: str, layer: int | None) -> Tensor:
        if self.features.stage == "embedding":
            return self.features.read(side, layer)
        if side == "vision+audio":
            seen, heard = self.features.read("image"), self.features.read("audio")
            if self.fuse == "concat":
                return torch.cat([seen, heard], dim=1)  # [n, 2 d]
            images, clips = (self.features.read(f"tokens.{kind}").unsqueeze(1) for kind in ("image", "audio"))
            return (seen * images + heard * clips) / (images + clips)  # mean of all tokens
        return self.features.read("image" if side == "vision" else side)

    def entries(self, variant: Variant, asked: Sequence[int] | None) -> Iterator[dict[str, Any]]:
        """One scored comparison a layer and side, the same layer on both sides."""
        layers = self.layers(asked)
        for side in self.sides:
            pairs = zip(layers, self.read(side, layers, variant), self.read("text", layers, variant), strict=True)
            for layer, a, b in pairs:
                yield {
                    "comparison": f"{side}-text",
                    "layer": layer,
                    "variant": variant,
                    "headline": variant == self.profile.variant,
                    "n": len(a),
                    "k": self.k,
                    "distinct_rows": [_distinct(a), _distinct(b)],
                    **self.score(a, b, side),
                }

    def score(self, a: Tensor, b: Tensor, name: str) -> dict[str, Any]:
        """Values, intervals and chance levels of features a [n, d], named `name`, and the text's b [n, d]."""
        sides = [prepared_side(x, self.k, self.metrics, of) for x, of in ((a, name), (b, "text"))]
        reasons = sides[1].reasons | sides[0].reasons
        defined = [metric for metric in self.metrics if metric not in reasons]
        values = compare(sides[0].prepared, sides[1].prepared, defined) if defined else {}
        chance = (
            shuffled_chance(sides[0].prepared, sides[1].prepared, defined, permutations=PERMUTATIONS, seed=self.seed)
            if defined
            else {}
        )
        intervals, untold = _where_defined(
            lambda metrics: confidence_intervals(a, b, self.k, metrics, seed=self.seed), defined
        )
        found: dict[str, Any] = {}
        for metric in self.metrics:
            value = _finite(values.get(metric))
            interval = intervals.get(metric)
            found[metric] = {
                "value": value,
                "printed": self.printed(value),
                "ci": [interval.low, interval.high] if interval and value is not None else None,
                "chance": {"mean": chance[metric].mean, "sd": chance[metric].sd} if metric in chance else None,
                "reason": reasons.get(metric) or untold.get(metric),
            }
        return {
            "metrics": found,
            "average": {
                "value": self.average({metric: entry["value"] for metric, entry in found.items()}),
                "chance": self.average({metric: level.mean for metric, level in chance.items()}),
            },
        }

    def printed(self, value: float | None) -> str | None:
        """The value as a table shows it: cut or rounded after 5 decimals, as the profile says."""
        if value is None:
            return None
        return f"{value if self.profile.digits is None else truncate(value, self.profile.digits):.5f}"

    def average(self, values: Mapping[str, float | None]) -> float | None:
        """Mean of the seven metrics, LCS divided by k; None if one of them is missing."""
        scaled = [(values.get(metric), self.k if metric == "lcs_knn" else 1) for metric in METRICS]
        known = [value / scale for value, scale in scaled if value is not None and math.isfinite(value)]
        return sum(known) / len(METRICS) if len(known) == len(METRICS) else None

    def grids(self, variant: Variant, asked: Sequence[int] | None) -> Iterator[dict[str, Any]]:
        """Every layer of A against every layer of the text, the best pair, and its chance level.

        The best of many pairs is above a single pair's chance level, so that of the best is told: the mean
        best pair over shuffles of the samples.
        """
        layers = self.layers(asked)
        texts = [prepared_side(x, self.k, self.metrics, "text") for x in self.read("text", layers, variant)]
        for side in self.sides:
            ours = [prepared_side(x, self.k, self.metrics, side) for x in self.read(side, layers, variant)]
            grid = self._grid(ours, texts)
            generator = torch.Generator().manual_seed(self.seed)
            shuffled = []
            for _ in range(PERMUTATIONS):
                order = torch.randperm(len(self.features.ids), generator=generator).to(self.device)
                permuted = [Side(text.prepared.permuted(order), text.reasons) for text in texts]
                shuffled.append(self._grid(ours, permuted))
            yield {
                "comparison": f"{side}-text",
                "variant": variant,
                "headline": variant == self.profile.variant,
                "n": len(self.features.ids),
                "k": self.k,
                "layers": layers,
                "metrics": {
                    metric: {
                        "grid": [[_finite(cell) for cell in row] for row in grid[metric].tolist()],
                        "best": self._best(best_pair(grid[metric]), layers),
                        "best_chance": _mean_best([found[metric] for found in shuffled]),
                    }
                    for metric in self.metrics
                },
            }

    def _grid(self, ours: Sequence[Side], texts: Sequence[Side]) -> dict[str, Tensor]:
        grid = {metric: torch.full((len(ours), len(texts)), math.nan, dtype=torch.float64) for metric in self.metrics}
        for i, a in enumerate(ours):
            for j, b in enumerate(texts):
                defined = [metric for metric in self.metrics if metric not in a.reasons and metric not in b.reasons]
                for metric, value in (compare(a.prepared, b.prepared, defined) if defined else {}).items():
                    grid[metric][i, j] = value
        return grid

    def _best(self, best: BestPair | None, layers: Sequence[int | None]) -> dict[str, Any] | None:
        if best is None:
            return None
        return {
            "value": best.value,
            "printed": self.printed(best.value),
            "layer": layers[best.x_layer],
            "text_layer": layers[best.y_layer],
        }


def prepared_side(x: Tensor, k: int, metrics: Metrics, name: str) -> Side:
    """Prepare a side for the metrics that are defined on it."""
    try:
        return Side(prepare(x, k, metrics, name=name), {})
    except ValueError:
        reasons: dict[str, str] = {}
        for metric in metrics:
            try:
                prepare(x, k, [metric], name=name)
            except ValueError as error:
                reasons[metric] = str(error)
        defined = [metric for metric in metrics if metric not in reasons]
        return Side(prepare(x, k, defined, name=name) if defined else Prepared(), reasons)


def paired(first: Scorer, second: Scorer, side: str, other: str, asked: Sequence[int] | None) -> list[dict[str, Any]]:
    """Is `side`-text of the first better aligned than `other`-text of the second, layer by layer?

    Both hold the same samples; layers that only one of them has are left out. The headline variant of the
    first scorer's profile is tested. Two-sided p-values, not yet corrected (see `holm`).
    """
    variant = first.profile.variant
    layers = [layer for layer in first.layers(asked) if layer is None or layer < second.features.n_layers]
    sides = (
        first.read(side, layers, variant),
        first.read("text", layers, variant),
        second.read(other, layers, variant),
        second.read("text", layers, variant),
    )
    found: list[dict[str, Any]] = []
    for layer, a, text_a, b, text_b in zip(layers, *sides, strict=True):
        reasons: dict[str, str] = {}
        for x, name in ((a, side), (text_a, "text"), (b, other), (text_b, "text")):
            reasons |= prepared_side(x, first.k, first.metrics, name).reasons
        one, two = Pair(a, text_a), Pair(b, text_b)
        defined = [metric for metric in first.metrics if metric not in reasons]
        tests, _ = _where_defined(_tester(one, two, first), defined)
        found += [
            {
                "comparison": f"{side}-text",
                "against": f"{other}-text",
                "layer": layer,
                "variant": variant,
                "metric": metric,
                "difference": test.difference,
                "standard_error": test.standard_error,
                "p": test.p_value,
            }
            for metric, test in tests.items()
        ]
    corrected = holm([float(test["p"]) for test in found])
    return [test | {"p_holm": p} for test, p in zip(found, corrected, strict=True)]


def _tester(one: Pair, two: Pair, scorer: Scorer) -> Callable[[Metrics], Mapping[str, Any]]:
    return lambda metrics: paired_tests(one, two, scorer.k, metrics, seed=scorer.seed)


class _Partial(NamedTuple):
    found: Mapping[str, Any]
    reasons: Mapping[str, str]


def _where_defined(compute: Callable[[Metrics], Mapping[str, Any]], metrics: Metrics) -> _Partial:
    """Compute for all metrics; where subsets of the samples are too small for one of them, for the others."""
    if not metrics:
        return _Partial({}, {})
    try:
        return _Partial(compute(metrics), {})
    except ValueError:
        found: dict[str, Any] = {}
        reasons: dict[str, str] = {}
        for metric in metrics:
            try:
                found |= compute([metric])
            except ValueError as error:
                reasons[metric] = f"no interval: {error}"
        return _Partial(found, reasons)


def _distinct(x: Tensor) -> int:
    """Rows that differ from all rows before them. Equal rows tie, and ties are broken by index."""
    first = first_occurrence(x)
    return len(x) if first is None else int((first == torch.arange(len(x), device=x.device)).sum())


def _mean_best(grids: Sequence[Tensor]) -> float | None:
    best = [pair.value for grid in grids if (pair := best_pair(grid)) is not None]
    return sum(best) / len(grids) if best else None


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
