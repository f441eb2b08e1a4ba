"""Word and character error rates of transcripts, under the named conventions of public evaluations.

The same hypothesis scores differently under each convention, so a rate is meaningful only together with
the name of its profile:

- `whisper`: Whisper's English normalisation, words; Chinese: Whisper's basic one, grapheme clusters.
- `qwen2`: Qwen2-Audio `evaluate_asr`: tags and loose blanks removed; English: Whisper English, then basic; Chinese:
  TextNorm, every character a unit.
- `lmms_eval`: lmms-eval LibriSpeech and FLEURS: the same, and words invented on an empty reference count.
- `kimi`: Kimi-Audio-Evalkit: normalised as `qwen2`, cut by sacrebleu's `zh` tokeniser, which keeps a run
  of Latin letters or digits as one unit.
- `ultraeval`: UltraEval-Audio: the answer's JSON `content` where there is one; lower case, Whisper English for both
  languages, for Chinese then TextNorm; sacrebleu's `13a` (English) or `zh` tokeniser; punctuation counts.
- `vita_wer`, `vita_cer`: WeNet `compute-wer` and `compute-cer` as VITA-Audio runs them, without any
  normalisation; `vita` is the first for English and the second for Chinese.

Counts are sufficient statistics: rates of a corpus, merges and bootstraps follow from their sums.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Literal, NamedTuple, Protocol

from rapidfuzz.distance import Levenshtein

from tasks.scoring.normalizers import chinese_textnorm, wenet, whisper_basic, whisper_english

Language = Literal["en", "zh"]


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


class PairScore(NamedTuple):
    """What was compared and the counts. `counts.ref_len == 0` marks a reference without content."""

    reference_tokens: list[str]
    hypothesis_tokens: list[str]
    reference_norm: str
    hypothesis_norm: str
    counts: ErrorCounts


@dataclass(frozen=True, slots=True)
class Profile:
    """A convention: how a text is normalised and cut into the units that are compared."""

    name: str
    normalize: Callable[[str, Language], str]
    tokenize: Callable[[str, Language], list[str]]
    counts_empty: bool = False
    """Words that are invented where the reference is empty are errors, as with this convention's public scorer."""
    read: Callable[[str], str] = str
    """Takes the answer out of the form that the convention's prompt asks for."""


class _Tokenizer(Protocol):
    def __call__(self, line: str) -> str: ...


@cache
def _sacrebleu(name: Literal["13a", "zh"]) -> _Tokenizer:
    from sacrebleu.tokenizers.tokenizer_13a import Tokenizer13a
    from sacrebleu.tokenizers.tokenizer_zh import TokenizerZh

    tokenizers: dict[str, Callable[[], _Tokenizer]] = {"13a": Tokenizer13a, "zh": TokenizerZh}
    return tokenizers[name]()


_MODEL_TAG = re.compile(r"<\|.*?\|>")
_SPACE_BEFORE_MARK = re.compile(r" ?([!,.?;:])")
_FULLWIDTH_LATIN = re.compile(r"（[a-zA-Z]+）")


def _drop_tags(text: str, language: Language) -> str:
    """Remove `<|...|>` tags, the blank before a mark, and for Chinese all white space."""
    text = whisper_basic.collapse_spaces(_MODEL_TAG.sub(" ", text))
    text = _SPACE_BEFORE_MARK.sub(r"\1", text).lstrip(" ")
    return "".join(text.split()) if language == "zh" else text


def content_of(answer: str) -> str:
    """The `content` of an answer in the form {"content": "..."}; any other answer as it is.

    >>> content_of('{"content": "a cat"}')
    'a cat'
    """
    try:
        form = json.loads(answer)
    except (ValueError, RecursionError):
        return answer
    content = form.get("content") if isinstance(form, dict) else None
    return content if isinstance(content, str) else answer


def _is_punctuation(token: str) -> bool:
    return all(unicodedata.category(character)[0] == "P" for character in token)


def _spoken_tokens(text: str) -> list[str]:
    """Blank-separated tokens in lower case, without those that are punctuation only."""
    kept = [token for token in text.split(" ") if not _is_punctuation(token)]
    return " ".join(kept).lower().split()


def _whisper_normalize(text: str, language: Language) -> str:
    if language == "zh":
        return whisper_basic.normalize_split_letters(text)
    return whisper_english.normalize(text)


def _qwen2_normalize(text: str, language: Language) -> str:
    text = _drop_tags(text, language)
    if language == "zh":
        return chinese_textnorm.normalize(text)
    return whisper_basic.normalize(whisper_english.normalize(text))


def _ultraeval_normalize(text: str, language: Language) -> str:
    text = _FULLWIDTH_LATIN.sub("", whisper_basic.drop_bracketed(text.lower()))
    text = whisper_english.normalize(text)
    return chinese_textnorm.normalize(text) if language == "zh" else text


def _as_it_is(text: str, language: Language) -> str:
    return text


def _words(text: str, language: Language) -> list[str]:
    return text.split()


def _qwen2_tokens(text: str, language: Language) -> list[str]:
    tokens = _spoken_tokens(text)
    return list("".join(tokens)) if language == "zh" else tokens


def _kimi_tokens(text: str, language: Language) -> list[str]:
    return _spoken_tokens(_sacrebleu("zh")(text))


def _ultraeval_tokens(text: str, language: Language) -> list[str]:
    return _sacrebleu("zh" if language == "zh" else "13a")(text).lower().split()


def _wer_tokens(text: str, language: Language) -> list[str]:
    return wenet.word_tokens(text)


def _cer_tokens(text: str, language: Language) -> list[str]:
    return wenet.character_tokens(text)


def _vita_tokens(text: str, language: Language) -> list[str]:
    return wenet.character_tokens(text) if language == "zh" else wenet.word_tokens(text)


PROFILES: dict[str, Profile] = {
    profile.name: profile
    for profile in (
        Profile("whisper", _whisper_normalize, _words, counts_empty=True),
        Profile("qwen2", _qwen2_normalize, _qwen2_tokens),
        Profile("lmms_eval", _qwen2_normalize, _qwen2_tokens, counts_empty=True),
        Profile("kimi", _qwen2_normalize, _kimi_tokens),
        Profile("ultraeval", _ultraeval_normalize, _ultraeval_tokens, counts_empty=True, read=content_of),
        Profile("vita", _as_it_is, _vita_tokens),
        Profile("vita_wer", _as_it_is, _wer_tokens),
        Profile("vita_cer", _as_it_is, _cer_tokens),
    )
}


def to_simplified(text: str) -> str:
    """Traditional Chinese in mainland simplified characters and words (zhconv `zh-cn`)."""
    import zhconv

    simplified: str = zhconv.convert(text, "zh-cn")
    return simplified


def score_pair(profile: str, language: Language, reference: str, hypothesis: str, *, t2s: bool = False) -> PairScore:
    """Compare a hypothesis with its reference under a profile.

    `t2s` first converts both sides to simplified Chinese, which no public profile does: without it a
    model that answers in traditional characters is charged for each that differs.
    An empty reference is not an error here: the hypothesis counts as insertions, and the caller sees
    `counts.ref_len == 0`.

    Raises ValueError for an unknown profile or language.

    >>> score_pair("qwen2", "en", "It costs £300.", "it cost 300").counts.errors
    1
    """
    if profile not in PROFILES:
        raise ValueError(f"no error-rate profile {profile!r}; there are {', '.join(PROFILES)}")
    if language not in ("en", "zh"):
        raise ValueError(f"error rates are defined for the languages en and zh, not for {language!r}")
    if t2s:
        reference, hypothesis = to_simplified(reference), to_simplified(hypothesis)
    rules = PROFILES[profile]
    norms = rules.normalize(reference, language), rules.normalize(hypothesis, language)
    reference_tokens, hypothesis_tokens = (rules.tokenize(norm, language) for norm in norms)
    counts = ErrorCounts.of(reference_tokens, hypothesis_tokens)
    return PairScore(reference_tokens, hypothesis_tokens, *norms, counts)
