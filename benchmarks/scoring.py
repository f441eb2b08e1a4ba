"""CPU time of transcript scoring, in microseconds a pair, for each profile: `python -m benchmarks.scoring [--json]`.

Inputs are synthetic: sentences of words (about 20) or Chinese characters (about 15) drawn from a small
vocabulary with about a fifth of the units edited in the hypothesis. A tenth of the English sentences
holds numbers, contractions or British spellings. No sentence is repeated, so that nothing comes from a
cache but the vocabulary.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import time
from typing import NamedTuple

from tasks.scoring.error_rate import PROFILES, ErrorCounts, Language, score_pair

EN_TEXT = (
    "the keeper of old lighthouse watched grey waves until she carried basket apples from village orchard "
    "he read letter twice and put it back into drawer without word narrow road led between hills towards "
    "abandoned railway station young scientist measured temperature water every morning"
)
EN_WORDS = EN_TEXT.split()
EN_MARKED = ["twenty", "five", "hundred", "it's", "don't", "colour", "neighbour's", "$5", "1984", "21st", "Mr."]
ZH_CHARACTERS = "这座城市的地铁系统每天运送数百万名乘客春天来了公园里樱花都开游绎不绝会议决定将在下个月举行新一轮谈判"
ZH_MARKED = ["2024年", "50%", "12个", "APP", "，", "3.5元"]


class Timing(NamedTuple):
    profile: str
    language: Language
    pairs: int
    us_per_pair: float
    error_rate: float
    extra_rss_mib: float


def sentences(language: Language, count: int, seed: int = 0) -> list[tuple[str, str]]:
    """(reference, hypothesis) pairs."""
    rng = random.Random(seed)
    units, marked, length = (EN_WORDS, EN_MARKED, 20) if language == "en" else (ZH_CHARACTERS, ZH_MARKED, 15)
    joint = " " if language == "en" else ""
    pairs = []
    for _ in range(count):
        reference = rng.choices(units, k=length + rng.randint(-4, 4))
        if rng.random() < 0.1:
            reference[rng.randrange(len(reference))] = rng.choice(marked)
        hypothesis = [rng.choice(units) if rng.random() < 0.2 else unit for unit in reference]
        pairs.append((joint.join(reference), joint.join(hypothesis)))
    return pairs


def measure(profile: str, language: Language, pairs: list[tuple[str, str]]) -> Timing:
    score_pair(profile, language, *pairs[0])  # imports and tables
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.process_time()
    total = ErrorCounts()
    for reference, hypothesis in pairs:
        total += score_pair(profile, language, reference, hypothesis).counts
    elapsed = time.process_time() - started
    extra = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    return Timing(profile, language, len(pairs), elapsed / len(pairs) * 1e6, total.rate, extra)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--pairs", type=int, default=10_000, help="pairs for each profile and language")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    timings = []
    # A seed for each profile: no run finds its sentences in a cache that an earlier one filled.
    for seed, profile in enumerate(PROFILES):
        for language in ("en", "zh"):
            timings.append(measure(profile, language, sentences(language, args.pairs, seed)))
    if args.json:
        print(json.dumps([timing._asdict() for timing in timings], indent=1))
        return
    print(f"{'profile':10} {'language':8} {'us/pair':>8} {'error rate':>10} {'extra MiB':>9}")
    for t in timings:
        print(f"{t.profile:10} {t.language:8} {t.us_per_pair:8.1f} {t.error_rate:10.3f} {t.extra_rss_mib:9.1f}")


if __name__ == "__main__":
    main()
