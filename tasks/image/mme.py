"""MME: yes/no questions on images, two for each image, in 14 categories (Fu et al., arXiv 2306.13394).

A category's score is accuracy over questions plus accuracy over images with both questions right, 0..200 points:
perception is the sum of ten categories, cognition of four, the total (0..2800) of all. Questions belong together by
the content of their picture; one that lacks its partner is in no category's score.
"""

from __future__ import annotations

from collections.abc import Sequence

from harness.task import Combined, Preset, Ratio, Row, Task
from harness.types import Doc, Generation, Message, Pictures, Text
from tasks.data import Source, media_part
from tasks.prompts import MME_WORDINGS, field
from tasks.readers import mme as reader
from tasks.readers.hub import Hub
from tasks.scoring import yes_no
from tasks.scoring.mme import COGNITION, PERCEPTION, category_of, picture_of, points, score

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
        field(doc, name)
    category_of(doc)
    yes_no.is_correct("", doc["answer"], yes_no.PROFILES[0])
    return doc


def _preset(name: str) -> Preset:
    def messages(row: Row) -> Sequence[Message]:
        text = MME_WORDINGS[name](field(row, "question"))
        return (Message("user", (media_part("image", row.get("image")), Text(text))),)

    return Preset(messages, *SETTINGS[name])


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
