"""Parity of transcript scoring with recorded public scorers.

Scorers that no profile of ours follows (jiwer on raw text, the mixed error rate of lmms-eval's WenetSpeech) are made
here of the same pieces.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from tasks.scoring.error_rate import ErrorCounts, PairScore, score_pair, to_simplified
from tasks.scoring.normalizers import chinese_textnorm, jiwer_words, whisper_basic, whisper_english
from tests.parity.check import Check
from tests.parity.speech_pairs import NOT_COMPARED, Score, compare_all, compare_texts, load, tell_unknown


def _characters(text: str) -> list[str]:
    return list(text.strip())


def _after(normalize: Callable[[str], str], cut: Callable[[str], list[str]]) -> Score:
    def score(reference: str, hypothesis: str) -> PairScore:
        norms = normalize(reference), normalize(hypothesis)
        tokens = cut(norms[0]), cut(norms[1])
        return PairScore(*tokens, *norms, ErrorCounts.of(*tokens))

    return score


def _without_blanks(normalize: Callable[[str], str]) -> Callable[[str], str]:
    return lambda text: normalize(text).replace(" ", "")


EN_SCORERS: Mapping[str, Score] = {
    "whisper_english+jiwer4_words": partial(score_pair, "whisper", "en"),
    "whisper_basic+jiwer4_words": _after(whisper_basic.normalize, jiwer_words.words),
    "raw+jiwer4_words": _after(str, jiwer_words.words),
    "lower+jiwer4_words": _after(str.lower, jiwer_words.words),
    "whisper_english_no_space+jiwer4_chars": _after(_without_blanks(whisper_english.normalize), _characters),
    "lmms_librispeech_en": partial(score_pair, "qwen2", "en"),
    "lmms_fleurs_en": partial(score_pair, "qwen2", "en"),
    "kimi_evalkit_en": partial(score_pair, "kimi", "en"),
    "ultraeval_13a": partial(score_pair, "ultraeval", "en"),
}
ZH_SCORERS: Mapping[str, Score] = {
    "raw+jiwer4_chars": _after(str, _characters),
    "whisper_basic_nospace+jiwer4_chars": _after(_without_blanks(whisper_basic.normalize), _characters),
    "whisper_basic_split_letters+jiwer4_words": partial(score_pair, "whisper", "zh"),
    "lmms_librispeech_zh": partial(score_pair, "qwen2", "zh"),
    "lmms_fleurs_cmn_hans": partial(score_pair, "qwen2", "zh"),
    "kimi_evalkit_zh": partial(score_pair, "kimi", "zh"),
    "ultraeval_zh": partial(score_pair, "ultraeval", "zh"),
}
_ZH_OTHERS = ("textnorm", "lmms_wenet_mer")
_MIXED_TOKEN = re.compile(r"[\u4e00-\u9fff]|[a-zA-Z']+\w*")


def en_wer(goldens: Path) -> Check:
    golden = load(goldens, "en_wer")
    tell_unknown("en_wer", golden["results"], EN_SCORERS)
    return compare_all("en_wer", golden, EN_SCORERS)


def zh_cer(goldens: Path) -> Check:
    golden = load(goldens, "zh_cer")
    tell_unknown("zh_cer", golden["results"], (*ZH_SCORERS, *_ZH_OTHERS))
    check = compare_all("zh_cer", golden, ZH_SCORERS)
    if "textnorm" in golden["results"]:
        _textnorm(check, golden)
    if "lmms_wenet_mer" in golden["results"]:
        _mixed_rate(check, golden)
    return check


def _textnorm(check: Check, golden: Mapping[str, Any]) -> None:
    pairs = {pair["id"]: pair for pair in golden["pairs"]}
    for recorded in golden["results"]["textnorm"]["per_utt"]:
        for side in ("ref", "hyp"):
            name, text = f"textnorm {recorded['id']} {side}", pairs[recorded["id"]][side]
            check.equal(name, chinese_textnorm.normalize(text), recorded[f"{side}_norm"])
            check.equal(f"{name} simplified", to_simplified(text), recorded[f"{side}_zhcn"])
        tell_unknown("textnorm", recorded, ("id", "ref_norm", "hyp_norm", "ref_zhcn", "hyp_zhcn"))


def _mixed_rate(check: Check, golden: Mapping[str, Any]) -> None:
    """Distance over the longer side, mean over utterances; digits are no tokens."""
    pairs = {pair["id"]: pair for pair in golden["pairs"]}
    result, rates = golden["results"]["lmms_wenet_mer"], []
    for recorded in result["per_utt"]:
        name, pair = f"lmms_wenet_mer {recorded['id']}", pairs[recorded["id"]]
        got = _after(str, _MIXED_TOKEN.findall)(pair["ref"], pair["hyp"])
        longer = max(len(got.reference_tokens), len(got.hypothesis_tokens))
        rates.append(got.counts.errors / longer if longer else 0.0)
        compare_texts(check, name, got, recorded)
        check.equal(f"{name} errors", got.counts.errors, recorded["errors"])
        check.close(f"{name} rate", rates[-1], recorded["mer"])
        tell_unknown("lmms_wenet_mer", recorded, ("id", "ref_tokens", "hyp_tokens", "errors", "mer"))
    check.close("lmms_wenet_mer mean", sum(rates) / len(rates), result["corpus"]["mean_mer"])
    tell_unknown("lmms_wenet_mer corpus", result["corpus"], ("mean_mer", *NOT_COMPARED))


def _english(component: str, scorer: str, profile: str, goldens: Path) -> Check:
    golden = load(goldens, component)
    tell_unknown(component, golden["results"], (scorer,))
    return compare_all(component, golden, {scorer: partial(score_pair, profile, "en")})


def _vita(component: str, goldens: Path) -> Check:
    golden = load(goldens, component)
    language = "en" if component.endswith("en") else "zh"
    scorers: Mapping[str, Score] = {
        "vita_audio_compute_wer_char1": partial(score_pair, "vita_wer", language),
        "vita_audio_compute_cer_char1": partial(score_pair, "vita_cer", language),
    }
    tell_unknown(component, golden["results"], scorers)
    return compare_all(component, golden, scorers)


COMPONENTS: dict[str, Callable[[Path], Check]] = {
    "en_wer": en_wer,
    "zh_cer": zh_cer,
    "vita_audio_en": partial(_vita, "vita_audio_en"),
    "vita_audio_zh": partial(_vita, "vita_audio_zh"),
    "libritts_en": partial(_english, "libritts_en", "vita_audio_libritts", "libritts"),
    "open_asr_en": partial(_english, "open_asr_en", "open_asr", "open_asr"),
}
