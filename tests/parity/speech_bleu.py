"""Parity of BLEU with sacrebleu, of two versions and with each of its tokenisers, and with lmms-eval's CoVoST2."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from sacrebleu.metrics.bleu import _get_tokenizer

from tasks.scoring import bleu
from tasks.scoring.conventions import Language
from tasks.scoring.normalizers.sacrebleu_tokens import TOKENIZERS
from tests.parity.check import Check
from tests.parity.speech_pairs import RATE_TOLERANCE, load, tell_unknown

ROUNDED = 5.001e-6
"""lmms-eval rounds to five decimals."""
_CORPUS = re.compile(r"corpus_bleu_(\w+?)(_lc)?")
_SENTENCE = re.compile(r"sentence_bleu_(\w+)")
_TOKENISED = re.compile(r"tokenised_(\w+)")
_LMMS: Mapping[str, Language] = {"lmms_covost2_bleu(zh)": "zh", "lmms_covost2_bleu_en": "en"}


def _statistics(tokenizer: str, pair: Mapping[str, str], lower: bool = False) -> bleu.Counts:
    """Of the profile where it has this tokeniser, else of the same counts over the tokens of one of sacrebleu's."""
    if tokenizer in TOKENIZERS and not lower:
        target: Language = "zh" if tokenizer == "zh" else "en"
        return bleu.statistics("sacrebleu", target, pair["ref"], pair["hyp"])
    return bleu.ngram_counts(*(_tokens(tokenizer, pair[side], lower) for side in ("ref", "hyp")))


def _tokens(tokenizer: str, text: str, lower: bool = False) -> list[str]:
    cut: Callable[[str], str] = TOKENIZERS.get(tokenizer) or _get_tokenizer(tokenizer)()
    return cut((text.lower() if lower else text).rstrip()).split()


def _sentence_bleu(row: Mapping[str, float]) -> float:
    """Of one sentence sacrebleu takes the mean of the orders that its hypothesis has; no profile has such a number."""
    shares = bleu.precisions(row)[: sum(row[f"total_{n}"] > 0 for n in bleu.ORDERS)]
    return float(bleu.brevity_penalty(row) * np.exp(np.log(shares).mean())) if shares.any() else 0.0


def _summed(rows: Sequence[bleu.Counts]) -> bleu.Counts:
    return {part: sum(row[part] for row in rows) for part in bleu.PARTS}


def translation(component: str, target: Language, goldens: Path) -> Check:
    golden = load(goldens, component)
    check = Check(component, tolerance=RATE_TOLERANCE)
    pairs = golden["pairs"]
    for version, result in golden["results"].items():
        for key, want in result.items():
            name = f"{version} {key}"
            if found := _CORPUS.fullmatch(key):
                _corpus(check, name, _summed([_statistics(found[1], p, bool(found[2])) for p in pairs]), want)
            elif found := _SENTENCE.fullmatch(key):
                rows = [_statistics(found[1], pair) for pair in pairs]
                for number, (row, value) in enumerate(zip(rows, want, strict=True)):
                    check.close(f"{name} {number}", _sentence_bleu(row), value)
            elif found := _TOKENISED.fullmatch(key):
                for number, (pair, texts) in enumerate(zip(pairs, want, strict=True)):
                    for side, text in texts.items():
                        check.equal(f"{name} {number} {side}", _tokens(found[1], pair[side]), text.split())
            elif key in _LMMS:
                rows = [bleu.statistics("lmms_eval", _LMMS[key], p["ref"], p["hyp"]) for p in pairs]
                check.close(name, bleu.bleu(_summed(rows)), want, ROUNDED)
            elif key == "lmms_normalised":
                for number, (pair, texts) in enumerate(zip(pairs, want, strict=True)):
                    for side, text in texts.items():
                        check.equal(f"{name} {number} {side}", bleu.prepared("lmms_eval", target, pair[side]), text)
            elif key == "signature":
                check.equal(name, bleu.signature("sacrebleu", target), want)
            else:
                tell_unknown(component, (key,), ())
    return check


def _corpus(check: Check, name: str, sums: Mapping[str, float], want: Mapping[str, Any]) -> None:
    check.close(f"{name} score", bleu.bleu(sums), want["score"])
    check.close(f"{name} bp", bleu.brevity_penalty(sums), want["bp"])
    check.close(f"{name} precisions", bleu.precisions(sums), want["precisions"])
    check.equal(f"{name} sys_len", sums["hyp_len"], want["sys_len"])
    check.equal(f"{name} ref_len", sums["ref_len"], want["ref_len"])
    for part, key in (("correct", "counts"), ("total", "totals")):
        check.equal(f"{name} {key}", [sums[f"{part}_{n}"] for n in bleu.ORDERS], want[key])
    tell_unknown(name, want, ("score", "bp", "precisions", "sys_len", "ref_len", "counts", "totals"))


COMPONENTS: dict[str, Callable[[Path], Check]] = {
    "bleu_en_zh": partial(translation, "bleu_en_zh", "zh"),
    "bleu_zh_en": partial(translation, "bleu_zh_en", "en"),
}
