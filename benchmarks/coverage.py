"""How often the intervals hold the true value, by simulation: `python -m benchmarks.coverage [--json] [--studies N]`.

Each study draws answers of a known error rate and asks for the 95 % interval. Designs: `binary` (independent right or
wrong answers; Clopper-Pearson beside it), `words` (error rate over utterances of 3 to 30 words, whose difficulty
differs), `clusters` (binary answers in clusters of five that share their difficulty, intra-class correlation 0.1),
`pairs` (points of a picture with two questions) and `sum` (ten such categories added up).
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.stats import beta

from benchmarks.machine import described
from harness.stats import Interval, Stratum, ratio_interval

RATES = (0.005, 0.02, 0.1, 0.5)
SIZES = (20, 100, 1000)
DIFFICULTY = 20.0
"""Sum of the beta parameters of an utterance's error rate: a rate of 2 % varies with a deviation of 3 %."""

Rng = np.random.Generator
Floats = npt.NDArray[np.float64]


class Study(NamedTuple):
    interval: Interval | None
    truth: float
    exact_width: float | None = None


class Coverage(NamedTuple):
    design: str
    n: int
    rate: float
    covered: float
    """Share of the studies whose interval holds the truth."""
    mean_width: float
    width_ratio: float | None
    """Largest width over that of Clopper-Pearson for the same answers."""


def binary(n: int, rate: float, rng: Rng) -> Study:
    wrong = (rng.random(n) < rate).astype(float)
    count = int(wrong.sum())
    low = beta.ppf(0.025, count, n - count + 1) if count else 0.0
    high = beta.ppf(0.975, count + 1, n - count) if count < n else 1.0
    return Study(ratio_interval([Stratum(wrong, np.ones(n))], 1.0), rate, float(high - low))


def words(n: int, rate: float, rng: Rng) -> Study:
    size = rng.integers(3, 31, n)
    chance = rng.beta(rate * DIFFICULTY, (1 - rate) * DIFFICULTY, n)
    errors = Stratum(rng.binomial(size, chance).astype(float), size.astype(float))
    return Study(ratio_interval([errors], None), rate)


def clusters(n: int, rate: float, rng: Rng) -> Study:
    chance = rng.beta(rate * 9, (1 - rate) * 9, n // 5)
    wrong = Stratum(rng.binomial(5, chance).astype(float), np.full(n // 5, 5.0))
    return Study(ratio_interval([wrong], 1.0), rate)


def pairs(n: int, rate: float, rng: Rng) -> Study:
    return Study(ratio_interval([_points(n // 2, rate, rng)], 200.0), _expected(rate))


def added(n: int, rate: float, rng: Rng) -> Study:
    categories = [_points(max(2, n // 20), rate, rng) for _ in range(10)]
    return Study(ratio_interval(categories, 200.0), 10 * _expected(rate))


def _points(pictures: int, rate: float, rng: Rng) -> Stratum:
    """Points a picture: 50 for each right answer, 100 more for both."""
    right = rng.binomial(2, 1 - rate, pictures)
    return Stratum(50.0 * right + 100 * (right == 2), np.ones(pictures))


def _expected(rate: float) -> float:
    return 100 * (1 - rate) + 100 * (1 - rate) ** 2


DESIGNS: dict[str, Callable[[int, float, Rng], Study]] = {
    "binary": binary,
    "words": words,
    "clusters": clusters,
    "pairs": pairs,
    "sum": added,
}


def simulate(design: str, n: int, rate: float, studies: int, seed: int = 0) -> Coverage:
    """Coverage and width over many studies of `n` answers with the error rate `rate`."""
    rng = np.random.default_rng([seed, n, int(rate * 1e4), sorted(DESIGNS).index(design)])
    held, widths, ratios = 0, [], []
    for _ in range(studies):
        study = DESIGNS[design](n, rate, rng)
        if study.interval is None:
            continue
        held += study.interval.low <= study.truth + 1e-12 and study.truth - 1e-12 <= study.interval.high
        widths.append(study.interval.high - study.interval.low)
        if study.exact_width:
            ratios.append(widths[-1] / study.exact_width)
    ratio = float(max(ratios)) if ratios else None
    return Coverage(design, n, rate, held / studies, float(np.mean(widths)), ratio)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--studies", type=int, default=4000)
    args = parser.parse_args()
    found = [simulate(design, n, rate, args.studies) for design in DESIGNS for n in SIZES for rate in RATES]
    if args.json:
        rows = [one._asdict() for one in found]
        print(json.dumps({**described(), "studies": args.studies, "coverage": rows}, indent=1))
        return
    print(f"{'design':10} {'n':>5} {'rate':>7} {'covered':>9} {'width':>9} {'x exact':>8}")
    for one in found:
        ratio = "" if one.width_ratio is None else f"{one.width_ratio:.2f}"
        print(f"{one.design:10} {one.n:>5} {one.rate:>7.1%} {one.covered:>9.1%} {one.mean_width:>9.4f} {ratio:>8}")


if __name__ == "__main__":
    main()
