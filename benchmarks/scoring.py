"""What scoring costs, 100,000 pairs under each profile: `python -m benchmarks.scoring [--pairs N] [--json]`.

CPU seconds of one thread, and memory: what the process holds before the first pair and at its peak. Pairs come and go
as a run's answers do; nothing is held but the sums. Each case has a process of its own.

Inputs are synthetic: sentences of words (about 20) or Chinese characters (about 15) drawn from a small
vocabulary with about a fifth of the units edited in the hypothesis. A tenth of the English sentences
holds numbers, contractions or British spellings. No sentence is repeated, so that nothing comes from a
cache but the vocabulary.

`jiwer` (one call a pair, words of the raw text) and `sacrebleu` (one call for all) are measured beside. `public` is the
time that the scorer whose rules a profile has took for 100,000 such pairs, recorded with these scorers' own code
(lmms-eval, Kimi-Audio-Evalkit, seed-tts-eval; two shared cores like those here), and is scaled to the pairs asked for.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.machine import described
from tasks.scoring import bleu, containment
from tasks.scoring.conventions import PROFILES, Language
from tasks.scoring.error_rate import ErrorCounts, score_pair

EN_TEXT = (
    "the keeper of old lighthouse watched grey waves until she carried basket apples from village orchard "
    "he read letter twice and put it back into drawer without word narrow road led between hills towards "
    "abandoned railway station young scientist measured temperature water every morning"
)
EN_WORDS = EN_TEXT.split()
EN_MARKED = ["twenty", "five", "hundred", "it's", "don't", "colour", "neighbour's", "$5", "1984", "21st", "Mr."]
ZH_CHARACTERS = "这座城市的地铁系统每天运送数百万名乘客春天来了公园里樱花都开游绎不绝会议决定将在下个月举行新一轮谈判"
ZH_MARKED = ["2024年", "50%", "12个", "APP", "，", "3.5元"]

SLOW = {"libritts": 100}
"""Profile -> most pairs: WeTextProcessing takes up to 0.15 s a sentence."""
PUBLIC_CPU_S = {
    ("qwen2", "en"): 39.43, ("qwen2", "zh"): 4.56, ("lmms_eval", "en"): 39.43, ("lmms_eval", "zh"): 4.56,
    ("kimi", "en"): 51.43, ("kimi", "zh"): 11.55, ("seedtts", "en"): 3.85, ("seedtts", "zh"): 3.33,
    ("bleu sacrebleu", "en"): 13.48, ("bleu sacrebleu", "zh"): 13.46,
}  # fmt: skip
"""CPU seconds of the public scorers for 100,000 pairs."""

Pair = tuple[str, str]


class Timing(NamedTuple):
    profile: str
    language: Language
    pairs: int
    cpu_s: float
    us_per_pair: float
    value: float
    """Error rate, BLEU, or share of contained answers: that something was computed."""
    before_mib: float
    peak_mib: float
    public_cpu_s: float | None


def sentences(language: Language, count: int, seed: int = 0) -> Iterator[Pair]:
    """(reference, hypothesis) pairs."""
    rng = random.Random(seed)
    units, marked, length = (EN_WORDS, EN_MARKED, 20) if language == "en" else (ZH_CHARACTERS, ZH_MARKED, 15)
    joint = " " if language == "en" else ""
    for _ in range(count):
        reference = rng.choices(units, k=length + rng.randint(-4, 4))
        if rng.random() < 0.1:
            reference[rng.randrange(len(reference))] = rng.choice(marked)
        hypothesis = [rng.choice(units) if rng.random() < 0.2 else unit for unit in reference]
        yield joint.join(reference), joint.join(hypothesis)


class Rates:
    """Error counts under a profile."""

    def __init__(self, profile: str, language: Language) -> None:
        self.profile, self.language, self.total = profile, language, ErrorCounts()

    def add(self, reference: str, hypothesis: str) -> None:
        self.total += score_pair(self.profile, self.language, reference, hypothesis).counts

    def value(self) -> float:
        return self.total.rate


class Translations:
    """Corpus BLEU under a profile."""

    def __init__(self, profile: str, language: Language) -> None:
        self.profile, self.language, self.total = profile, language, dict.fromkeys(bleu.PARTS, 0.0)

    def add(self, reference: str, hypothesis: str) -> None:
        for part, count in bleu.statistics(self.profile, self.language, reference, hypothesis).items():
            self.total[part] += count

    def value(self) -> float:
        return float(bleu.bleu(self.total))


class Contained:
    """Whether the end of the reference is in the hypothesis."""

    def __init__(self, rule: str, language: Language) -> None:
        self.decide: Callable[[str, containment.Golds], bool] = getattr(containment, rule)
        self.hits = self.asked = 0

    def add(self, reference: str, hypothesis: str) -> None:
        self.hits += self.decide(hypothesis, [reference[-8:], "twenty one"])
        self.asked += 1

    def value(self) -> float:
        return self.hits / self.asked


class Jiwer:
    """`jiwer.process_words` on the raw text, one call a pair."""

    def __init__(self, profile: str, language: Language) -> None:
        import jiwer

        self.process, self.errors, self.words = jiwer.process_words, 0, 0

    def add(self, reference: str, hypothesis: str) -> None:
        found = self.process(reference, hypothesis)
        self.errors += found.substitutions + found.deletions + found.insertions
        self.words += found.hits + found.substitutions + found.deletions

    def value(self) -> float:
        return self.errors / self.words


class Sacrebleu:
    """`sacrebleu.corpus_bleu`, one call for all."""

    def __init__(self, profile: str, language: Language) -> None:
        self.tokenize, self.pairs = "zh" if language == "zh" else "13a", list[Pair]()

    def add(self, reference: str, hypothesis: str) -> None:
        self.pairs.append((reference, hypothesis))

    def value(self) -> float:
        from sacrebleu import corpus_bleu

        hypotheses, references = [hyp for _, hyp in self.pairs], [ref for ref, _ in self.pairs]
        return corpus_bleu(hypotheses, [references], tokenize=self.tokenize).score


def cases() -> list[tuple[str, Language, Callable[[str, Language], Any], str]]:
    """(name, language, what adds pairs up, its profile)."""
    found: list[tuple[str, Language, Callable[[str, Language], Any], str]] = []
    for name, rules in PROFILES.items():
        found += [(name, language, Rates, name) for language in rules.languages]
    for language in ("en", "zh"):
        found += [(f"bleu {name}", language, Translations, name) for name in bleu.PROFILES]
        found.append(("sacrebleu", language, Sacrebleu, ""))
    found += [(rule, "en", Contained, rule) for rule in ("vita_contain", "token_sequence")]
    return [*found, ("jiwer", "en", Jiwer, "")]


def measure(number: int, pairs: int) -> Timing:
    """One case, in the process that calls it; pairs are made in parts whose making is not timed."""
    name, language, kind, profile = cases()[number]
    pairs = min(pairs, SLOW.get(profile, pairs))
    for warm in range(2):  # imports and tables
        scorer = kind(profile, language)
        scorer.add(*next(sentences(language, 1, seed=-1 - warm)))
        scorer.value()
    scorer, before, cpu = kind(profile, language), memory_mib("VmRSS"), 0.0
    stream = sentences(language, pairs, seed=number)
    while part := [pair for _, pair in zip(range(1000), stream, strict=False)]:
        began = time.process_time()
        for pair in part:
            scorer.add(*pair)
        cpu += time.process_time() - began
    began = time.process_time()
    value = scorer.value()
    cpu += time.process_time() - began
    public = PUBLIC_CPU_S.get((name, language))
    return Timing(
        name, language, pairs, round(cpu, 2), round(cpu / pairs * 1e6, 1), round(value, 4), before,
        memory_mib("VmHWM"), None if public is None else round(public * pairs / 100_000, 2),
    )  # fmt: skip


def memory_mib(field: str) -> float:
    """Of this process: VmRSS is now, VmHWM the most so far."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return round(int(next(line.split()[1] for line in lines if line.startswith(field))) / 1024, 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--pairs", type=int, default=100_000, help="pairs for each profile and language")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    timings = []
    if not args.json:
        heads = ("CPU s", "us/pair", "value", "before MiB", "peak MiB", "public CPU s")
        print(f"{'profile':15} {'language':8} {'pairs':>7}", *(f"{head:>12}" for head in heads))
    for number in range(len(cases())):
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            timing = pool.apply(measure, (number, args.pairs))
        timings.append(timing)
        if not args.json:
            profile, language, pairs, *figures = timing
            shown = ("" if figure is None else figure for figure in figures)
            print(f"{profile:15} {language:8} {pairs:7}", *(f"{figure:>12}" for figure in shown), flush=True)
    if args.json:
        print(json.dumps({**described(), "timings": [timing._asdict() for timing in timings]}, indent=1))


if __name__ == "__main__":
    main()
