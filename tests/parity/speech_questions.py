"""Parity of the spoken-question rules, and of VITA-Audio's scoring scripts as recorded in `vita_audio/scoring.json`."""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from tasks.scoring.containment import Golds, as_numbers, clean_gold, flattened, token_sequence, vita_contain
from tasks.scoring.conventions import LANGUAGES
from tasks.scoring.error_rate import PROFILES, ErrorCounts, Language, PairScore, score_pair
from tests.parity.check import Check
from tests.parity.speech_pairs import (
    RATE_TOLERANCE,
    compare_sums,
    compare_texts,
    load,
    printed_percent,
    tell_unknown,
)
from tests.parity.speech_tts import kind_rates

CRASH = "EXC:"
NOT_COMPARED = {
    "id": "the key by which rows are found",
    "tag": "what the row is there for",
    "returncode": "how the script ended",
    "stderr": "what the script complained of",
    "error": "the name of an exception; that there is one is compared",
}
"""Besides these, rows on which the reference ends with an error: nested lists, which ours flattens (deviations.md)."""

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_WITHOUT_MARKS = str.maketrans("", "", string.punctuation)


def _squad(text: str) -> str:
    """As SQuAD's evaluation: lower case, no ASCII punctuation, no articles, single blanks."""
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_WITHOUT_MARKS)).split())


def _exact_match(prediction: str, golds: Golds) -> bool:
    return any(_squad(gold) == _squad(prediction) for gold in flattened(golds))


def _exist_match(prediction: str, golds: Golds) -> bool:
    return any(gold.strip().lower() in prediction.strip().lower() for gold in flattened(golds))


def _plain(prediction: str, golds: Golds) -> bool:
    """A list within a list is looked for as Python prints it."""
    aliases = [golds] if isinstance(golds, str) else golds
    return any(str(gold).lower() in prediction.lower() for gold in aliases)


RULES: Mapping[str, Callable[[str, Golds], bool]] = {
    "vita_audio_contain": vita_contain,
    "ultraeval_qa_exist_match": token_sequence,
    "ultraeval_qa_exact_match": _exact_match,
    "ultraeval_exist_match": _exist_match,
    "plain_lower_substring_any": _plain,
}


def sqa_containment(goldens: Path) -> Check:
    golden = load(goldens, "sqa_containment")
    check = Check("sqa_containment", tolerance=RATE_TOLERANCE)
    tell_unknown("sqa_containment", golden["corpus"], RULES)
    for rule, decide in RULES.items():
        hits = asked = 0
        for row in golden["rows"]:
            if str(row[rule]).startswith(CRASH):
                continue
            hit = decide(row["pred"], row["gt"])
            hits, asked = hits + hit, asked + 1
            check.equal(f"{rule} {row['id']}", int(hit), row[rule])
        corpus = golden["corpus"][rule]
        check.close(f"{rule} accuracy", 100 * hits / asked, corpus["acc_percent"])
        check.equal(f"{rule} n", asked, corpus["n"])
        check.equal(f"{rule} crashes", len(golden["rows"]) - asked, corpus["n_excluded_crash"])
        tell_unknown(f"{rule} corpus", corpus, ("acc_percent", "n", "n_excluded_crash"))
    for row in golden["rows"]:
        tell_unknown("sqa_containment row", row, (*RULES, "pred", "gt", *NOT_COMPARED))
    return check


_BRACKETED = re.compile(r"<[^>]*>?")


def _blank_separated(reference: str, hypothesis: str) -> PairScore:
    """`compute-wer --char=0`: words between blanks, in upper case and without tags."""
    tokens = [
        [word for word in (_BRACKETED.sub("", word.upper()) for word in text.split()) if word]
        for text in (reference, hypothesis)
    ]
    return PairScore(tokens[0], tokens[1], reference, hypothesis, ErrorCounts.of(*tokens))


SCRIPTS: Mapping[str, Callable[[str, str], PairScore]] = {
    "wer_char1": partial(score_pair, "vita_wer", "zh"),
    "wer_char0": _blank_separated,
    "cer_char1": partial(score_pair, "vita_cer", "zh"),
}
_OVERALL = re.compile(r"Overall -> ([\d.]+) % N=(\d+) C=(\d+) S=(\d+) D=(\d+) I=(\d+)")
_ITEM = ("ref", "hyp", "wer_tokens_ref", "wer_tokens_hyp", "seedtts_zh", "seedtts_en", "libritts_ref", "libritts_hyp")


def vita_audio_scoring(goldens: Path) -> Check:
    golden = load(goldens, "scoring", "vita_audio")
    check = Check("vita_audio_scoring", tolerance=RATE_TOLERANCE)
    tell_unknown(check.component, golden, ("items", "scripts", "acc_of_contain", "acc_total", "acc_percent"))
    tell_unknown(f"{check.component} scripts", golden["scripts"], (*SCRIPTS, "libritts_wer_char1"))
    for item in golden["items"]:
        name, pair = f"item {item['id']}", (item["ref"], item["hyp"])
        tokens = score_pair("vita_wer", "zh", *pair)
        check.equal(f"{name} ref tokens", tokens.reference_tokens, item["wer_tokens_ref"])
        check.equal(f"{name} hyp tokens", tokens.hypothesis_tokens, item["wer_tokens_hyp"])
        for language in LANGUAGES:
            _seed_rates(check, f"{name} {language}", _seed_tts(language, *pair), item[f"seedtts_{language}"])
        tell_unknown("item", item, (*_ITEM, *NOT_COMPARED))
    for script, score in SCRIPTS.items():
        _script(check, script, golden, score)
    hits = 0
    for number, row in enumerate(golden["acc_of_contain"]):
        name, cleaned = f"contain {number}", [clean_gold(gold) for gold in flattened(row["gt"])]
        hit = vita_contain(row["pred"], row["gt"])
        hits += hit
        check.equal(name, hit, row["correct"])
        check.equal(f"{name} prediction", row["pred"].lower(), row["pred_lower"])
        check.equal(f"{name} gold", cleaned, row["gt_clean"])
        check.equal(f"{name} numbers", as_numbers(cleaned), row["gt_number"])
        tell_unknown("contain", row, ("pred", "gt", "pred_lower", "gt_clean", "gt_number", "correct"))
    check.equal("contain hits", hits, golden["acc_total"])
    check.close("contain accuracy", 100 * hits / len(golden["acc_of_contain"]), golden["acc_percent"])
    return check


def vita_audio_libritts(goldens: Path) -> Check:
    """What needs WeTextProcessing."""
    golden = load(goldens, "scoring", "vita_audio")
    check = Check("vita_audio_libritts", tolerance=RATE_TOLERANCE)
    for item in golden["items"]:
        got = score_pair("libritts", "en", item["ref"], item["hyp"])
        recorded = {"ref_norm": item["libritts_ref"], "hyp_norm": item["libritts_hyp"]}
        compare_texts(check, f"item {item['id']} libritts", got, recorded)
    _script(check, "libritts_wer_char1", golden, partial(score_pair, "libritts", "en"))
    return check


def _seed_tts(language: Language, reference: str, hypothesis: str) -> PairScore:
    """The profile's rules after its conversion to simplified characters, which these records do not have."""
    rules = PROFILES["seedtts"]
    norms = rules.normalize(reference, language), rules.normalize(hypothesis, language)
    tokens = [rules.tokenize(norm, language) for norm in norms]
    counts = ErrorCounts.of(*tokens)
    return PairScore(tokens[0], tokens[1], *norms, counts, None if counts.ref_len else "empty")


def _seed_rates(check: Check, name: str, got: PairScore, recorded: Mapping[str, Any]) -> None:
    check.equal(f"{name} fails", got.unscored is not None, "error" in recorded)
    if "wer" in recorded:
        check.close(f"{name} wer", got.counts.rate, recorded["wer"])
        kinds = kind_rates(got)
        for ours, key in (("subs", "subs"), ("dele", "dele"), ("inse", "ins")):
            check.close(f"{name} {key}", kinds[ours], recorded[key])
    tell_unknown("seedtts", recorded, ("wer", "subs", "dele", "ins", *NOT_COMPARED))


def _script(check: Check, script: str, golden: Mapping[str, Any], score: Callable[[str, str], PairScore]) -> None:
    result = golden["scripts"][script]
    pairs = {str(item["id"]): (item["ref"], item["hyp"]) for item in golden["items"]}
    total = ErrorCounts()
    for identity, row in result["per_utt"].items():
        name, counts = f"{script} {identity}", score(*pairs[identity]).counts
        total += counts
        check.equal(f"{name} printed", float(printed_percent(counts)), row["wer"])
        check.equal(f"{name} N", counts.ref_len, row["N"])
        compare_sums(check, name, counts, row["S"], row["D"], row["I"], row["C"])
        tell_unknown(script, row, ("wer", "N", "C", "S", "D", "I"))
    found = _OVERALL.fullmatch(result["overall"].strip())
    check.equal(f"{script} overall line", found is not None, True)
    if found is not None:
        hits, sub, del_, ins = map(int, found.groups()[2:])
        check.equal(f"{script} overall printed", printed_percent(total), found[1])
        check.equal(f"{script} overall N", total.ref_len, int(found[2]))
        compare_sums(check, f"{script} overall", total, sub, del_, ins, hits)
    tell_unknown(script, result, ("per_utt", "overall", *NOT_COMPARED))


COMPONENTS: dict[str, Callable[[Path], Check]] = {
    "sqa_containment": sqa_containment,
    "vita_audio_scoring": vita_audio_scoring,
    "vita_audio_libritts": vita_audio_libritts,
}
