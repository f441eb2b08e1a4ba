"""Yes-or-no answers as the public scorers of MME read them.

Public scorers read an answer differently, hence the profiles:

- `vlmevalkit_vita`, `vlmevalkit`: VLMEvalKit with exact matching, in the copy that VITA-1.5 was
  evaluated with and in the current one (equal for MME): punctuation is stripped, then exactly one of
  the words "yes" and "no" must occur.
- `lmms_eval`: lmms-eval 0.7.3: the first four characters decide, so "Nothing" reads as no and
  "The answer is yes" as neither.

State tokens that a model puts before its answer are the model adapter's to remove.
"""

from __future__ import annotations

import re

PROFILES = ("vlmevalkit_vita", "vlmevalkit", "lmms_eval")

_MARKS = ';/[]"{}()=+\\_-><@`,?!'
_COMMA_IN_NUMBER = re.compile(r"\d,\d")
_FULL_STOP = re.compile(r"(?<!\d)\.(?!\d)")
# VLMEvalKit passes a regular-expression flag where the number of replacements belongs.
_MAX_FULL_STOPS = 32


def extract(response: str, profile: str) -> str:
    """The answer that a response gives, as the profile's scorer spells it.

    `vlmevalkit*`: "Yes", "No" or "Unknown"; `lmms_eval`: "yes", "no" or "other".
    Raises ValueError for an unknown profile.

    >>> extract("The answer is yes.", "vlmevalkit_vita"), extract("The answer is yes.", "lmms_eval")
    ('Yes', 'other')
    """
    if profile not in PROFILES:
        raise ValueError(f"no yes/no profile {profile!r}; there are {', '.join(PROFILES)}")
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
    words = _strip_punctuation(response.lower()).split()
    yes, no = "yes" in words, "no" in words
    if yes == no:
        return "Unknown"
    return "Yes" if yes else "No"


def _strip_punctuation(text: str) -> str:
    """Delete a mark that stands beside a blank somewhere in the text, else make a blank of it.

    A comma between digits anywhere deletes all marks. Asterisks, apostrophes and bars stay, so
    "**yes**" is no word "yes".
    """
    delete_all = _COMMA_IN_NUMBER.search(text) is not None
    replacement: dict[str, str | int | None] = {
        mark: "" if delete_all or f"{mark} " in text or f" {mark}" in text else " " for mark in _MARKS
    }
    return _FULL_STOP.sub("", text.translate(str.maketrans(replacement)), count=_MAX_FULL_STOPS)


def _extract_by_prefix(response: str) -> str:
    text = response.lower().strip().replace(".", "")
    if len(text) == 1:
        return {"y": "yes", "n": "no"}.get(text, "other")
    beginning = text[:4]
    return next((answer for answer in ("yes", "no") if answer in beginning), "other")
