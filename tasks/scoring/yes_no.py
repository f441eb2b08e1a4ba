"""Yes-or-no answers, and the scores of MME that are built on them.

MME asks two questions about each image, one whose answer is yes and one whose answer is no. A
category's score is accuracy plus accuracy+ (the share of images with both right), each in percent;
perception sums ten categories (0 to 2000), cognition four (0 to 800).

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
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

PROFILES = ("vlmevalkit_vita", "vlmevalkit", "lmms_eval")

PERCEPTION = (
    "existence",
    "count",
    "position",
    "color",
    "posters",
    "celebrity",
    "scene",
    "landmark",
    "artwork",
    "OCR",
)
COGNITION = ("commonsense_reasoning", "numerical_calculation", "text_translation", "code_reasoning")

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


def mme_parts(category: str, correct: bool) -> dict[str, float]:
    """Additive parts of one question.

    Raises ValueError for a category that MME does not have.

    >>> mme_parts("posters", True)
    {'posters.questions': 1.0, 'posters.correct': 1.0}
    """
    if category not in PERCEPTION and category not in COGNITION:
        raise ValueError(f"MME has no category {category!r}; it has {', '.join(PERCEPTION + COGNITION)}")
    return {f"{category}.questions": 1.0, f"{category}.correct": float(correct)}


def combine_image(questions: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Additive parts of one image from those of its questions.

    >>> combine_image([mme_parts("scene", True), mme_parts("scene", False)])
    {'scene.questions': 2.0, 'scene.correct': 1.0, 'scene.images': 1.0, 'scene.both': 0.0}
    """
    total: dict[str, float] = {}
    for parts in questions:
        for name, value in parts.items():
            total[name] = total.get(name, 0.0) + value
    categories = [name.removesuffix(".questions") for name in total if name.endswith(".questions")]
    for category in categories:
        total[f"{category}.images"] = 1.0
        total[f"{category}.both"] = float(total[f"{category}.correct"] == total[f"{category}.questions"])
    return total


def mme_scores(sums: Mapping[str, Any]) -> dict[str, Any]:
    """MME's scores from summed image parts.

    `sums` holds floats, or arrays [resamples] of equal shape; the values returned are alike. For each
    category `<category>.acc` and `.acc_plus` (percent) and `.score` (0..200), then `perception`
    (0..2000), `cognition` (0..800) and `total`. A category without questions scores 0.
    """
    scores: dict[str, Any] = {}
    for category in PERCEPTION + COGNITION:
        acc = _percent(sums, f"{category}.correct", f"{category}.questions")
        acc_plus = _percent(sums, f"{category}.both", f"{category}.images")
        scores |= {
            f"{category}.acc": acc,
            f"{category}.acc_plus": acc_plus,
            f"{category}.score": acc + acc_plus,
        }
    scores["perception"] = sum(scores[f"{category}.score"] for category in PERCEPTION)
    scores["cognition"] = sum(scores[f"{category}.score"] for category in COGNITION)
    scores["total"] = scores["perception"] + scores["cognition"]
    return scores


def _percent(sums: Mapping[str, Any], right: str, asked: str) -> Any:
    """100 * right / asked, 0 where nothing was asked; a float, or an array like the sums."""
    n_right = np.asarray(sums.get(right, 0.0), dtype=np.float64)
    n_asked = np.asarray(sums.get(asked, 0.0), dtype=np.float64)
    percent = 100.0 * n_right / np.where(n_asked > 0, n_asked, 1.0)
    return float(percent) if percent.ndim == 0 else percent
