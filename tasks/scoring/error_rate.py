"""Word and character error rates of transcripts: the counts of a pair under a named convention (conventions.py).

Counts are sufficient statistics: rates of a corpus, merges and bootstraps follow from their sums. Two benchmarks take
the mean of the utterances' rates in place of the rate of all words (`seedtts`): that is the mean of `ErrorCounts.rate`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from rapidfuzz.distance import Levenshtein

from tasks.scoring.conventions import LANGUAGES, PROFILES, Language, Profile, content_of, to_simplified

__all__ = ["PROFILES", "ErrorCounts", "Language", "PairScore", "Profile", "content_of", "score_pair", "to_simplified"]


@dataclass(frozen=True, slots=True)
class ErrorCounts:
    """Edit counts of an optimal alignment; they add up over utterances.

    `errors` and `ref_len` are the same for every optimal alignment, the split into substitutions,
    deletions and insertions is not (optimal alignments tie).
    """

    errors: int = 0
    ref_len: int = 0
    sub: int = 0
    del_: int = 0
    ins: int = 0
    hits: int = 0

    @classmethod
    def of(cls, ref_tokens: list[str], hyp_tokens: list[str]) -> ErrorCounts:
        """Counts of turning the reference into the hypothesis.

        >>> ErrorCounts.of(["a", "b", "c"], ["a", "x"])
        ErrorCounts(errors=2, ref_len=3, sub=1, del_=1, ins=0, hits=1)
        """
        length = len(ref_tokens)
        if ref_tokens == hyp_tokens:
            return cls(0, length, 0, 0, 0, length)
        tags = [edit.tag for edit in Levenshtein.editops(ref_tokens, hyp_tokens)]
        sub, del_ = tags.count("replace"), tags.count("delete")
        return cls(len(tags), length, sub, del_, len(tags) - sub - del_, length - sub - del_)

    def __add__(self, other: ErrorCounts) -> ErrorCounts:
        return ErrorCounts(
            self.errors + other.errors,
            self.ref_len + other.ref_len,
            self.sub + other.sub,
            self.del_ + other.del_,
            self.ins + other.ins,
            self.hits + other.hits,
        )

    @property
    def rate(self) -> float:
        """Errors per reference token (above 1 with many insertions); NaN for an empty reference."""
        return self.errors / self.ref_len if self.ref_len else float("nan")


EMPTY = "the reference is empty after normalisation"


class PairScore(NamedTuple):
    """What was compared and the counts."""

    reference_tokens: list[str]
    hypothesis_tokens: list[str]
    reference_norm: str
    hypothesis_norm: str
    counts: ErrorCounts
    unscored: str | None = None
    """Why the profile has no number for this reference; None where it has one."""


def score_pair(profile: str, language: Language, reference: str, hypothesis: str, *, t2s: bool = False) -> PairScore:
    """Compare a hypothesis with its reference under a profile.

    `t2s` first converts both sides to simplified Chinese, which no public profile does (`seedtts` converts the
    hypothesis alone): without it a model that answers in traditional characters is charged for each that differs.
    A reference that is empty, or that the profile leaves out, is not an error here: the counts are there all the same,
    those of an empty one are insertions, and `unscored` says why the pair has no number.

    Raises ValueError for an unknown profile, or a language that the profile has no rules for; `UsageError` for a
    profile whose library is not installed.

    >>> score_pair("qwen2", "en", "It costs £300.", "it cost 300").counts.errors
    1
    """
    rules = _rules(profile, language)
    if t2s:
        reference, hypothesis = to_simplified(reference), to_simplified(hypothesis)
    if rules.convert is not None:
        hypothesis = rules.convert(hypothesis, language)
    norms = rules.normalize(reference, language), rules.normalize(hypothesis, language)
    reference_tokens, hypothesis_tokens = (rules.tokenize(norm, language) for norm in norms)
    counts = ErrorCounts.of(reference_tokens, hypothesis_tokens)
    return PairScore(reference_tokens, hypothesis_tokens, *norms, counts, _unscored(rules, norms[0], counts))


def _rules(profile: str, language: Language) -> Profile:
    if profile not in PROFILES:
        raise ValueError(f"no error-rate profile {profile!r}; there are {', '.join(PROFILES)}")
    if language not in LANGUAGES:
        raise ValueError(f"error rates are defined for the languages en and zh, not for {language!r}")
    rules = PROFILES[profile]
    if language not in rules.languages:
        raise ValueError(f"the error-rate profile {profile!r} has rules for {', '.join(rules.languages)} only")
    return rules


def _unscored(rules: Profile, reference_norm: str, counts: ErrorCounts) -> str | None:
    if counts.ref_len == 0 and not rules.counts_empty:
        return EMPTY
    if rules.left_out and reference_norm.strip() in rules.left_out:
        return f"the reference reads {reference_norm.strip()!r}, which is no part of the test"
    return None
