"""The named conventions of public evaluations of transcripts: how a text is normalised and cut into units.

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
- `open_asr`: the Open ASR leaderboard's English normaliser, words; English only.
- `seedtts`: seed-tts-eval, for what a recogniser heard in synthesised speech: punctuation deleted; English: lower case,
  words; Chinese: every character a unit, case counts, the hypothesis in simplified characters.
- `libritts`: VITA-Audio's LibriTTS evaluation: numbers and signs read out by WeTextProcessing, punctuation as blanks,
  the tokens of `compute-wer`; English only.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from tasks.scoring.normalizers import (
    chinese_textnorm,
    jiwer_words,
    open_asr,
    sacrebleu_tokens,
    seed_tts,
    wenet,
    wetext_english,
    whisper_basic,
    whisper_english,
)

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = ("en", "zh")


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
    convert: Callable[[str, Language], str] | None = None
    """What is done to the hypothesis alone, before both sides are normalised."""
    languages: tuple[Language, ...] = LANGUAGES
    left_out: frozenset[str] = frozenset()
    """Normalised references that are no part of the test: such rows are not scored."""


_MODEL_TAG = re.compile(r"<\|.*?\|>")
_SPACE_BEFORE_MARK = re.compile(r" ?([!,.?;:])")
_FULLWIDTH_LATIN = re.compile(r"（[a-zA-Z]+）")


def drop_tags(text: str, language: Language) -> str:
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
    return not token.isalnum() and all(unicodedata.category(character)[0] == "P" for character in token)


def spoken_text(text: str) -> str:
    """Blank-separated tokens in lower case, without those that are punctuation only."""
    return " ".join([token for token in text.split(" ") if not _is_punctuation(token)]).lower()


def _whisper_normalize(text: str, language: Language) -> str:
    if language == "zh":
        return whisper_basic.normalize_split_letters(text)
    return whisper_english.normalize(text)


def _qwen2_normalize(text: str, language: Language) -> str:
    text = drop_tags(text, language)
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
    tokens = spoken_text(text).split()
    return list("".join(tokens)) if language == "zh" else tokens


def _kimi_tokens(text: str, language: Language) -> list[str]:
    return spoken_text(sacrebleu_tokens.tokenize_zh(text)).split()


def _ultraeval_tokens(text: str, language: Language) -> list[str]:
    return sacrebleu_tokens.TOKENIZERS["zh" if language == "zh" else "13a"](text).lower().split()


def _wer_tokens(text: str, language: Language) -> list[str]:
    return wenet.word_tokens(text)


def _cer_tokens(text: str, language: Language) -> list[str]:
    return wenet.character_tokens(text)


def _open_asr_normalize(text: str, language: Language) -> str:
    return open_asr.normalize(text)


def _seed_tts_normalize(text: str, language: Language) -> str:
    return seed_tts.clean_chinese(text) if language == "zh" else seed_tts.clean_english(text)


def _libritts_normalize(text: str, language: Language) -> str:
    return wetext_english.normalize(text)


def _jiwer_words(text: str, language: Language) -> list[str]:
    return jiwer_words.words(text)


def _simplified(text: str, language: Language) -> str:
    return to_simplified(text) if language == "zh" else text


def to_simplified(text: str) -> str:
    """Traditional Chinese in mainland simplified characters and words (zhconv `zh-cn`)."""
    import zhconv

    simplified: str = zhconv.convert(text, "zh-cn")
    return simplified


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
        Profile("open_asr", _open_asr_normalize, _words, languages=("en",), left_out=frozenset({open_asr.LEFT_OUT})),
        Profile("seedtts", _seed_tts_normalize, _jiwer_words, convert=_simplified),
        Profile("libritts", _libritts_normalize, _wer_tokens, languages=("en",)),
    )
}
