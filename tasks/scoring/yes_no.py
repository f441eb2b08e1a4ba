"""Yes-or-no answers as the public scorers read them, and as people do.

Public scorers read an answer differently, hence the profiles:

- `vlmevalkit_vita`, `vlmevalkit`: VLMEvalKit with exact matching, in the copy that VITA-1.5 was
  evaluated with and in the current one (equal for MME): punctuation is stripped, then exactly one of
  the words "yes" and "no" must occur.
- `lmms_eval`: lmms-eval 0.7.3: the first four characters decide, so "Nothing" reads as no and
  "The answer is yes" as neither.
- `robust`: what a reader takes from it (docs/robust.md): what the answer declares, else how it begins. An answer that
  says both, or neither, is none.

State tokens that a model puts before its answer are the model adapter's to remove.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from tasks.scoring.marks import mark_free
from tasks.scoring.plain import bare, boxed, plain

PROFILES = ("vlmevalkit_vita", "vlmevalkit", "lmms_eval", "robust")

_YES, _NO = "yes", "no"
_SAID = dict.fromkeys(("yes", "yeah", "yep", "是的", "是"), _YES) | dict.fromkeys(
    ("no", "nope", "否", "不是的", "不是"), _NO
)
"""Words that an answer may begin with."""
_JUDGED = dict.fromkeys(("true", "correct", "对", "对的", "正确", "正确的", "有", "有的"), _YES)
_JUDGED |= dict.fromkeys(("false", "incorrect", "不", "不对", "错", "错误", "没有", "不正确"), _NO)
"""Words that must stand for themselves: "true" is an answer, "true colours" are none."""
_MEANINGS = _SAID | _JUDGED | {"y": _YES, "n": _NO}
"""All of them, where they are all that is said."""
_NO_NOUN = r"(?:it|there|this|that|these|those|he|she|they|the|we|i|you|because|since|as|not)\b"
_OF_A_NOUN = rf"(?:(?<=\bno)(?: +(?!{_NO_NOUN})[a-z]|[.:]? *\d)|\?| +(?:if|when|unless|or)\b)"
"""Behind what is no answer: "no dog", "no. 5", "yes?", "yes if it moves"."""
_END = r"(?=\s*(?:$|[.,;:!\n]))"


def _either(words: Mapping[str, str]) -> str:
    return "|".join(sorted(map(re.escape, words), key=len, reverse=True))


_WORD = rf"(?:({_either(_SAID)})(?![A-Za-z'\u4e00-\u9fff])(?!{_OF_A_NOUN})|({_either(_JUDGED)}){_END})"
_DECLARED = re.compile(
    r"(?:\b(?:answer|verdict|conclusion|statement)\b(?: to (?:the|this) question)?"
    r"(?: (?:is|would be|should be|must be))*"
    rf"|答案(?:应该)?(?:是|为)?)\s*[:=]?\s*(?:(?:a|a definite|clearly|definitely) )?(?:{_WORD}|([yn])(?=[ .!]*$))",
    re.MULTILINE,
)
_LED = re.compile(rf"(?:(?:well|sure|ok|okay|certainly|of course|absolutely|definitely)[,.!]?\s+)?{_WORD}")
_LAST = re.compile(r"(?:[,:]|(?<!\bnot )\b(?:so|therefore|thus|hence|think|say|be)) +(yes|no)[ .!]*$", re.MULTILINE)
"""A sentence that ends in the word: "so, no.", "I think yes"."""
_ASCII = "yes|no|yeah|yep|nope|true|false|y|n"
_CLAUSE = re.compile(
    rf"(?:^|[.,;:!?/\n]|\b(?:and|or|but|actually|wait|so)\b|或|还是)\s*({_ASCII}|是的?|否|不是|对|不对)\s*"
    r"(?=$|[.,;:!?/\n]|\b(?:and|or|but)\b|或|还是)"
)
_OBJECTED = re.compile(rf"\b(?:but(?: also)?|yes|no),? +(yes|no)\b(?!{_OF_A_NOUN})")


def extract(response: str, profile: str) -> str:
    """The answer that a response gives, as the profile's scorer spells it.

    `vlmevalkit*`: "Yes", "No" or "Unknown"; `lmms_eval`, `robust`: "yes", "no" or "other".
    Raises ValueError for an unknown profile.

    >>> extract("The answer is yes.", "vlmevalkit_vita"), extract("The answer is yes.", "lmms_eval")
    ('Yes', 'other')
    """
    if profile not in PROFILES:
        raise ValueError(f"no yes/no profile {profile!r}; there are {', '.join(PROFILES)}")
    if profile == "robust":
        return stated(response) or "other"
    return _extract_by_prefix(response) if profile == "lmms_eval" else _extract_by_word(response)


def is_correct(extracted: str, answer: str, profile: str) -> bool:
    """Whether an extracted answer is the gold one ("Yes" or "No", in any case).

    Raises ValueError for another gold answer or an unknown profile.
    """
    if profile not in PROFILES:
        raise ValueError(f"no yes/no profile {profile!r}; there are {', '.join(PROFILES)}")
    gold = answer.strip().rstrip(".").lower()
    if gold not in ("yes", "no"):
        raise ValueError(f"a yes/no question has the answer {answer!r}; it must be Yes or No")
    return extracted.lower() == gold


def _extract_by_word(response: str) -> str:
    words = mark_free(response.lower()).split()
    yes, no = "yes" in words, "no" in words
    if yes == no:
        return "Unknown"
    return "Yes" if yes else "No"


def _extract_by_prefix(response: str) -> str:
    text = response.lower().strip().replace(".", "")
    if len(text) == 1:
        return {"y": "yes", "n": "no"}.get(text, "other")
    beginning = text[:4]
    return next((answer for answer in ("yes", "no") if answer in beginning), "other")


def stated(answer: str) -> str | None:
    r"""What an answer states to a reader: "yes", "no", or None where it states both or neither.

    The first of these that is there decides, and all of it must agree: `\boxed{}`, "the answer is ...", a last line or
    a whole answer that is only the word, the word at its beginning. A "no" that belongs to a noun is no answer.

    >>> stated("**Yes**, there is no doubt."), stated("yes and no"), stated("是")
    ('yes', None, 'yes')
    """
    inside = boxed(answer)
    return _agreed([_stated(text) for text in inside]) if inside else _stated(plain(answer))


def _stated(plain_text: str) -> str | None:
    text = plain_text.casefold()
    if declared := [_meaning(match) for match in _DECLARED.finditer(text)]:
        return _agreed(declared + _clauses(text))
    found = [_MEANINGS[word] for line in text.split("\n") if (word := bare(line)) in _MEANINGS]
    found += [_meaning(match) for match in (_LED.match(text), *_LAST.finditer(text)) if match]
    return _agreed(found + _clauses(text)) if found else None


def _meaning(match: re.Match[str]) -> str:
    return _MEANINGS[next(word for word in match.groups() if word)]


def _clauses(text: str) -> list[str]:
    """The words yes and no that stand as clauses of their own: "yes, or no", "Yes. Actually, no.", "no, but yes"."""
    return [_MEANINGS[match[1]] for form in (_CLAUSE, _OBJECTED) for match in form.finditer(text)]


def _agreed(said: Sequence[str | None]) -> str | None:
    return said[0] if said and len(set(said)) == 1 else None
