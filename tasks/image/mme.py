"""MME: yes/no questions on images, two for each image, in 14 categories (Fu et al., arXiv 2306.13394).

A category's score is accuracy over questions plus accuracy over images with both questions right, 0..200 points:
perception is the sum of ten categories, cognition of four, the total (0..2800) of all. Questions belong together by
the content of their picture; one that lacks its partner is in no category's score.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.task import Combined, Member, Preset, Ratio, Row, Task
from harness.types import Answer, Doc, Generation, Message, Pictures, Score, Text
from tasks.data import Source, media_part
from tasks.prompts import MME_WORDINGS
from tasks.readers import mme as reader
from tasks.readers.hub import Hub
from tasks.scoring import yes_no

PERCEPTION = (
    "existence", "count", "position", "color", "posters", "celebrity", "scene", "landmark", "artwork", "OCR",
)  # fmt: skip
COGNITION = ("commonsense_reasoning", "numerical_calculation", "text_translation", "code_reasoning")
COLUMNS = ("question_id", "image_path", "image_key", "category", "question", "answer")
SETTINGS = {
    "vita": (Generation(max_new_tokens=2048), Pictures(max_tiles=6)),
    "lmms_eval": (Generation(max_new_tokens=16), Pictures()),
    "vlmevalkit": (Generation(max_new_tokens=2048), Pictures()),
}


def doc_of(row: Row) -> Doc:
    """Raises ValueError naming the field that is missing or unknown."""
    doc = {name: row[name] for name in COLUMNS if row.get(name) is not None}
    for name in ("question", "answer"):
        _field(doc, name)
    _category(doc)
    yes_no.is_correct("", doc["answer"], yes_no.PROFILES[0])
    return doc


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
    parts, tags = {"right": float(right)}, {"category": (_category(doc),)}
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


def _preset(name: str) -> Preset:
    def messages(row: Row) -> Sequence[Message]:
        text = MME_WORDINGS[name](_field(row, "question"))
        return (Message("user", (media_part("image", row.get("image")), Text(text))),)

    return Preset(messages, *SETTINGS[name])


def _field(doc: Mapping[str, object], name: str) -> str:
    value = doc.get(name)
    if not isinstance(value, str) or not value:
        raise ValueError(f"the row has no {name}; its fields are {', '.join(doc)}")
    return value


def _category(doc: Doc) -> str:
    category = _field(doc, "category")
    if category not in PERCEPTION + COGNITION:
        raise ValueError(f"MME has no category {category!r}; it has {', '.join(PERCEPTION + COGNITION)}")
    return category


def _sum(name: str, categories: Sequence[str]) -> Combined:
    return Combined(name, "points", True, "score", "category", dict.fromkeys(categories, 1.0), headline=True)


MME = Task(
    name="mme",
    version="2",
    inputs=frozenset({"text", "image"}),
    source=Source(
        reader.read,
        ("MME", "MME.tsv"),
        "MME/<category>/{images/*.jpg, questions_answers_YN/*.txt} or both side by side in MME/<category>, or MME.tsv",
        Hub(
            id="lmms-lab-encoder/MME",
            revision="d6c9023f017b564f7b3ccccf5348166bce8fdbcd",
            split="test",
            columns=("question_id", "image", "question", "answer", "category"),
            adapt=reader.numbered,
        ),
        published=2374,
    ),
    doc=doc_of,
    presets={name: _preset(name) for name in MME_WORDINGS},
    default_preset="vlmevalkit",
    scorer=score,
    metrics=(
        _sum("perception", PERCEPTION),
        _sum("cognition", COGNITION),
        _sum("total", PERCEPTION + COGNITION),
        Ratio("score", "points", True, "points", "pictures", scale=1.0, upper=200.0, by=("category",), overall=False),
        Ratio("acc", "%", True, "right", "questions", by=("category",)),
        Ratio("acc_plus", "%", True, "both", "pictures", by=("category",)),
    ),
    profiles=yes_no.PROFILES,
    default_profile="vlmevalkit_vita",
    benchmark="MME",
    split="all",
    published_metrics={"total": "score /2800 (perception+cognition)"},
    cluster_name="image",
    cluster=picture_of,
    group=points,
    citation="Fu et al., MME: a comprehensive evaluation benchmark for multimodal large language models, 2023",
    licence="research use only; the images keep the licences of their sources",
)
