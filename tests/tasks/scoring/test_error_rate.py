"""Error counts and the named profiles of transcript scoring."""

from __future__ import annotations

import math

import jiwer
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.scoring.error_rate import PROFILES, ErrorCounts, Language, score_pair

tokens = st.lists(st.sampled_from("abcd"), max_size=12)
languages = st.sampled_from(["en", "zh"])
profiles = st.sampled_from(sorted(PROFILES))


def edit_distance(a: list[str], b: list[str]) -> int:
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, start=1):
        diagonal, row[0] = row[0], i
        for j, y in enumerate(b, start=1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (x != y))
    return row[-1]


@given(tokens, tokens)
def test_counts_are_those_of_an_optimal_alignment(ref: list[str], hyp: list[str]) -> None:
    counts = ErrorCounts.of(ref, hyp)
    assert counts.errors == edit_distance(ref, hyp) == counts.sub + counts.del_ + counts.ins
    assert counts.ref_len == len(ref) == counts.hits + counts.sub + counts.del_
    assert len(hyp) == counts.hits + counts.sub + counts.ins


@given(tokens.filter(bool), tokens)
def test_substitutions_deletions_and_insertions_are_those_of_jiwer(ref: list[str], hyp: list[str]) -> None:
    counts, theirs = ErrorCounts.of(ref, hyp), jiwer.process_words(" ".join(ref), " ".join(hyp))
    assert (counts.sub, counts.del_, counts.ins) == (theirs.substitutions, theirs.deletions, theirs.insertions)
    assert counts.rate == theirs.wer


@given(tokens, tokens, tokens, tokens)
def test_counts_add_up(a: list[str], b: list[str], c: list[str], d: list[str]) -> None:
    total = ErrorCounts.of(a, b) + ErrorCounts.of(c, d)
    assert total.errors == edit_distance(a, b) + edit_distance(c, d)
    assert total.ref_len == len(a) + len(c)
    assert total.errors == total.sub + total.del_ + total.ins


def test_rate_of_an_empty_reference_is_undefined() -> None:
    counts = ErrorCounts.of([], ["a", "b"])
    assert counts == ErrorCounts(errors=2, ref_len=0, sub=0, del_=0, ins=2, hits=0)
    assert math.isnan(counts.rate)
    assert ErrorCounts.of(["a"], ["b", "c"]).rate == 2.0


@settings(max_examples=60)
@given(profiles, languages, st.text(max_size=40))
def test_a_text_has_no_errors_against_itself(profile: str, language: Language, text: str) -> None:
    counts = score_pair(profile, language, text, text).counts
    assert counts.errors == 0
    assert counts.hits == counts.ref_len


@settings(max_examples=60)
@given(profiles, languages, st.text(max_size=40), st.text(max_size=40))
def test_errors_are_bounded_by_the_longer_side(profile: str, language: Language, ref: str, hyp: str) -> None:
    score = score_pair(profile, language, ref, hyp)
    assert score.counts.errors <= max(len(score.reference_tokens), len(score.hypothesis_tokens))
    assert score.counts.ref_len == len(score.reference_tokens)


@pytest.mark.parametrize(
    ("profile", "language", "text", "expected"),
    [
        ("whisper", "en", "It's £300, 50%!", ["it", "is", "£300", "50%"]),
        ("qwen2", "en", "It's £300, 50%!", ["it", "is", "300", "50"]),
        ("kimi", "en", "open 微信 now", ["open", "微", "信", "now"]),
        ("ultraeval", "en", "50% off", ["50", "%", "off"]),
        ("whisper", "zh", "你好 AB。", ["你", "好", "a", "b"]),
        ("qwen2", "zh", "<|zh|>用 APP，50%", list("用app百分之五十")),
        ("kimi", "zh", "用 APP，50%", ["用", "app", *"百分之五十"]),
        ("ultraeval", "zh", "（abc）ＡＰＰ 好的", ["app", "好", "的"]),
        ("vita", "en", "it's on.", ["IT'S", "ON."]),
        ("vita", "zh", "用app。", list("用APP")),
        ("vita_wer", "zh", "用app。", ["用", "APP"]),
        ("vita_cer", "en", "ab it's", ["A", "B", "IT'S"]),
    ],
)
def test_units_of_each_profile(profile: str, language: Language, text: str, expected: list[str]) -> None:
    assert score_pair(profile, language, text, "").reference_tokens == expected


def test_traditional_characters_are_errors_unless_converted() -> None:
    assert score_pair("qwen2", "zh", "广州市", "廣州市").counts.errors == 1
    assert score_pair("qwen2", "zh", "广州市", "廣州市", t2s=True).counts.errors == 0


def test_an_empty_reference_counts_insertions_only() -> None:
    counts = score_pair("qwen2", "en", "...", "two words").counts
    assert (counts.ref_len, counts.ins, counts.errors) == (0, 2, 2)


def test_unknown_names_are_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="qwen2"):
        score_pair("qwen3", "en", "a", "a")
    with pytest.raises(ValueError, match="'fr'"):
        score_pair("qwen2", "fr", "a", "a")  # type: ignore[arg-type]
