"""Corpus BLEU of translations (Papineni et al., 2002) under named conventions, from sums over sentences.

- `sacrebleu`: what Qwen2-Audio and UltraEval-Audio compute for speech translation: raw text, mixed case, one
  reference, exponential smoothing; tokenised by sacrebleu's `zh` into Chinese and `13a` into English.
- `lmms_eval`: lmms-eval's CoVoST2: tags and the blank before a mark removed; into Chinese TextNorm, the `zh` tokeniser
  and no token of punctuation alone; into English Whisper's normalisation; lower case; then tokenised as above.

BLEU is no mean of sentences: a sentence gives counts, and the value follows from their sums. It equals that of
`sacrebleu.corpus_bleu` within rounding. Text without content to compare it with is not scored, as in UltraEval-Audio.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tasks.scoring.conventions import LANGUAGES, Language, drop_tags, spoken_text
from tasks.scoring.normalizers import chinese_textnorm, whisper_english
from tasks.scoring.normalizers.sacrebleu_tokens import TOKENIZERS, VERSION, tokenize_zh

ORDERS = (1, 2, 3, 4)
PARTS = (*(f"correct_{n}" for n in ORDERS), *(f"total_{n}" for n in ORDERS), "hyp_len", "ref_len")
"""Names of a sentence's counts: n-grams of the hypothesis that the reference has, all of them, and both lengths."""

Counts = dict[str, float]


def _as_it_is(text: str, target: Language) -> str:
    return text


def _lmms_eval_text(text: str, target: Language) -> str:
    text = drop_tags(text, "en")  # blanks stay in both languages
    if target == "zh":
        return spoken_text(tokenize_zh(chinese_textnorm.normalize(text)))
    return spoken_text(whisper_english.normalize(text))


PROFILES: dict[str, Callable[[str, Language], str]] = {"sacrebleu": _as_it_is, "lmms_eval": _lmms_eval_text}
"""Profile -> what it makes of a text before it is tokenised."""


def prepared(profile: str, target: Language, text: str) -> str:
    """A text as the profile has it tokenised. Raises ValueError for an unknown profile or language."""
    _check(profile, target)
    return PROFILES[profile](text, target)


def statistics(profile: str, target: Language, reference: str, hypothesis: str) -> Counts:
    """The counts of one sentence, which add up over sentences: `PARTS` -> count.

    `target` is the language translated into. Raises ValueError for an unknown profile or language.

    >>> statistics("sacrebleu", "en", "the cat sat", "The cat sat")["correct_1"]
    2.0
    """
    tokenize = TOKENIZERS[_tokenizer(target)]
    texts = (prepared(profile, target, text) for text in (reference, hypothesis))
    ref_tokens, hyp_tokens = (tokenize(text.rstrip()).split() for text in texts)
    return ngram_counts(ref_tokens, hyp_tokens)


def ngram_counts(ref_tokens: list[str], hyp_tokens: list[str]) -> Counts:
    """`PARTS` of two lists of tokens; an n-gram counts as often as it is in both."""
    counts = dict.fromkeys(PARTS, 0.0)
    counts["hyp_len"], counts["ref_len"] = float(len(hyp_tokens)), float(len(ref_tokens))
    for n in ORDERS:
        wanted, found = (Counter(zip(*(side[i:] for i in range(n)), strict=False)) for side in (ref_tokens, hyp_tokens))
        counts[f"total_{n}"] = float(max(len(hyp_tokens) - n + 1, 0))
        counts[f"correct_{n}"] = float((wanted & found).total())
    return counts


def bleu(sums: Mapping[str, Any]) -> Any:
    """BLEU in 0..100 from summed counts: a float from floats, an array [resamples] from arrays.

    0 where nothing matches or where no hypothesis has four tokens, as in sacrebleu.

    >>> round(bleu(statistics("sacrebleu", "en", "the cat sat on the mat", "the cat sat on a mat")), 2)
    53.73
    """
    shares = precisions(sums)
    with np.errstate(divide="ignore"):
        value = brevity_penalty(sums) * np.exp(np.log(shares).mean(axis=0))
    return float(value) if value.ndim == 0 else value


def precisions(sums: Mapping[str, Any]) -> NDArray[np.float64]:
    """n-gram precisions in percent, [orders] or [orders, resamples], smoothed.

    An order without any match has the precision of half a match, the next such order of a quarter, and so on; an order
    without n-grams has 0, and all have if nothing matches at all.
    """
    correct, total = (np.stack([_array(sums[f"{part}_{n}"]) for n in ORDERS]) for part in ("correct", "total"))
    halved = 0.5 ** np.cumsum(correct == 0, axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = 100 * np.where(correct == 0, halved, correct) / total
    # sacrebleu stops at the first order without n-grams, and longer ones have none either
    return np.where((total == 0) | (correct == 0).all(axis=0), 0.0, shares)


def brevity_penalty(sums: Mapping[str, Any]) -> NDArray[np.float64]:
    """1 if the hypotheses together are as long as the references, else below."""
    hyp, ref = _array(sums["hyp_len"]), _array(sums["ref_len"])
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(hyp < ref, np.exp(1 - ref / hyp), 1.0)


def unscored(reference: str) -> str | None:
    """Why no translation can be scored on this reference; None where one can."""
    return None if reference.strip() else "the reference is empty"


def signature(profile: str, target: Language) -> str:
    """What sacrebleu prints to say how BLEU was computed, and what the profile did to the text before.

    >>> signature("sacrebleu", "zh")
    'nrefs:1|case:mixed|eff:no|tok:zh|smooth:exp|version:2.6.0'
    """
    _check(profile, target)
    text = "" if profile == "sacrebleu" else f"|text:{profile}"
    tokenizer = _tokenizer(target)
    return f"nrefs:1|case:mixed|eff:no|tok:{tokenizer}|smooth:exp|version:{VERSION}{text}"


def _tokenizer(target: Language) -> Literal["13a", "zh"]:
    return "zh" if target == "zh" else "13a"


def _check(profile: str, target: Language) -> None:
    if profile not in PROFILES:
        raise ValueError(f"no BLEU profile {profile!r}; there are {', '.join(PROFILES)}")
    if target not in LANGUAGES:
        raise ValueError(f"BLEU is defined for translations into en and zh, not into {target!r}")


def _array(value: Any) -> NDArray[np.float64]:
    return np.asarray(value, dtype=np.float64)
