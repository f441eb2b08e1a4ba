"""MME's rules: yes or no, and the points of a picture with both its questions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.failures import lacking
from harness.task import Member
from harness.types import Answer, Doc, Score
from tasks.scoring import yes_no

PERCEPTION = (
    "existence", "count", "position", "color", "posters", "celebrity", "scene", "landmark", "artwork", "OCR",
)  # fmt: skip
COGNITION = ("commonsense_reasoning", "numerical_calculation", "text_translation", "code_reasoning")


def picture_of(doc: Doc) -> str | None:
    """What both questions on a picture share. A saved row may have lost the picture's content."""
    known = (doc.get(name) for name in ("image_key", "image_path", "question_id"))
    name = next((name for name in known if name is not None), None)
    return None if name is None else f"{doc.get('category')}/{name}"


def score(doc: Doc, answer: Answer, profile: str) -> Score:
    """Whether a question is answered rightly. No answer is wrong whatever the gold answer is."""
    extracted = None if answer.text is None else yes_no.extract(answer.text, profile)
    right = extracted is not None and yes_no.is_correct(extracted, _field(doc, "answer"), profile)
    shown = (str(doc.get("answer")), extracted or "no answer")
    parts, tags = {"right": float(right)}, {"category": (category_of(doc),)}
    return Score("correct", float(right), parts, extracted=extracted, tags=tags, wrong=not right, shown=shown)


def points(questions: Sequence[Member], profile: str) -> Mapping[str, float]:
    """A picture's additive parts. A picture that is there under several names counts once for each pair of questions.

    Each right answer is worth 50 points and both together 100 more: averaged, accuracy plus accuracy+.
    """
    by_name: dict[str, list[float]] = {}
    for doc, scored in questions:
        own = str(doc.get("image_path") or doc.get("question_id")) if len(questions) > 2 else ""
        by_name.setdefault(own, []).append(scored.parts["right"])
    pairs = list(by_name.values())
    parts = {"questions": float(len(questions)), "right": sum(map(sum, pairs))}
    if any(len(pair) != 2 for pair in pairs):
        return parts | {"incomplete": 1.0}
    both = float(sum(all(pair) for pair in pairs))
    return parts | {"pictures": float(len(pairs)), "both": both, "points": 50 * parts["right"] + 100 * both}


def _field(doc: Mapping[str, object], name: str) -> str:
    value = doc.get(name)
    if not isinstance(value, str) or not value:
        raise lacking(doc, name)
    return value


def category_of(doc: Doc) -> str:
    category = _field(doc, "category")
    if category not in PERCEPTION + COGNITION:
        raise ValueError(f"MME has no category {category!r}; it has {', '.join(PERCEPTION + COGNITION)}")
    return category
