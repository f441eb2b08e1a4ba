"""How often a paired comparison finds a difference where there is none, and what one costs.

Two runs of equal quality answer the same clustered questions: recognition (words of utterances, five a speaker, shared
difficulty), accuracy (five questions a video) and MME points (two questions a picture, a sum over ten categories). At
alpha = 0.05 about 5 % of the comparisons should find something.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from benchmarks.machine import described
from harness.stats import Floats, paired_bootstrap

SIZES = (100, 400, 1000)
Compute = Callable[[Floats], Floats]


class Pair(NamedTuple):
    """Units of two runs [units, columns] and the value of sums."""

    one: Floats
    other: Floats
    compute: Compute


class Rejections(NamedTuple):
    design: str
    answers: int
    comparisons: int
    rejected: float
    """Share of the comparisons whose interval excludes zero."""


def words(n: int, rng: np.random.Generator) -> Pair:
    """Word errors of n utterances of about 15 words; how hard a speaker and an utterance are is the same for both."""
    speakers = n // 5
    runs = [np.zeros((speakers, 2)), np.zeros((speakers, 2))]
    hard = rng.gamma(2, 1, speakers)
    for _ in range(5):
        spoken, own = rng.poisson(15, speakers) + 1, rng.gamma(1, 1, speakers)
        for run in runs:
            run[:, 0] += rng.binomial(spoken, np.minimum(0.9, 0.03 * hard * own))
            run[:, 1] += spoken
    return Pair(runs[0], runs[1], _rate)


def questions(n: int, rng: np.random.Generator) -> Pair:
    """Right answers to n questions on n / 5 videos."""
    videos = n // 5
    easy = rng.beta(2, 1, videos)
    own = [rng.beta(5 * easy + 0.5, 5 * (1 - easy) + 0.5) for _ in range(5)]
    runs = [np.stack([sum(rng.random(videos) < p for p in own), np.full(videos, 5.0)], axis=1) for _ in range(2)]
    return Pair(runs[0].astype(np.float64), runs[1].astype(np.float64), _rate)


def points(n: int, rng: np.random.Generator) -> Pair:
    """MME points of n questions on n / 2 pictures of ten categories: 50 for a right answer, 100 more for both."""
    pictures = n // 2
    category, easy = np.arange(pictures) % 10, rng.beta(3, 1, pictures)
    runs = []
    for _ in range(2):
        right = rng.random((pictures, 2)) < easy[:, None]
        run = np.zeros((pictures, 20))
        run[np.arange(pictures), 2 * category] = 50 * right.sum(axis=1) + 100 * right.all(axis=1)
        run[np.arange(pictures), 2 * category + 1] = 1
        runs.append(run)
    return Pair(runs[0], runs[1], lambda sums: np.asarray((sums[..., 0::2] / sums[..., 1::2]).sum(axis=-1)))


def _rate(sums: Floats) -> Floats:
    return np.asarray(100 * sums[..., 0] / sums[..., 1])


DESIGNS: dict[str, Callable[[int, np.random.Generator], Pair]] = {
    "WER": words,
    "accuracy": questions,
    "MME points": points,
}


def simulate(design: str, n: int, comparisons: int, resamples: int = 1000) -> Rejections:
    rng = np.random.default_rng([n, sorted(DESIGNS).index(design)])
    rejected = 0
    for seed in range(comparisons):
        pair = DESIGNS[design](n, rng)
        with np.errstate(all="ignore"):  # a small resample may miss a category
            found = paired_bootstrap(pair.one, pair.other, pair.compute, resamples=resamples, seed=seed)
        rejected += found is not None and found.significant
    return Rejections(design, n, comparisons, rejected / comparisons)


def cost(units: int = 10_000, resamples: int = 10_000) -> float:
    """CPU seconds of one comparison."""
    pair = words(5 * units, np.random.default_rng(0))
    started = time.process_time()
    paired_bootstrap(pair.one, pair.other, pair.compute, resamples=resamples)
    return time.process_time() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--comparisons", type=int, default=1000)
    args = parser.parse_args()
    found = [simulate(design, n, args.comparisons) for design in DESIGNS for n in SIZES]
    seconds = cost()
    if args.json:
        rows = [one._asdict() for one in found]
        print(json.dumps({**described(), "rejections": rows, "cpu_s_10k_units_10k_resamples": seconds}, indent=1))
        return
    print(f"{'design':12} {'answers':>8} {'rejected':>9}")
    for one in found:
        print(f"{one.design:12} {one.answers:>8} {one.rejected:>9.1%}")
    print(f"10,000 units x 10,000 resamples: {seconds:.2f} CPU s")


if __name__ == "__main__":
    main()
