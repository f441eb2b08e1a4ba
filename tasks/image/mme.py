"""MME: yes/no questions on images, two for each image, in 14 categories (Fu et al., arXiv 2306.13394).

A category's score is accuracy over questions plus accuracy over images with both questions right, 0..200 points:
perception is the sum of ten categories, cognition of four, the total (0..2800) of all.

Generation stops after 64 tokens. VITA-1.5's own evaluation allows 2048 and lmms-eval 16; 64 differs from 2048 only
for answers that have not come to yes or no by then.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from harness.contracts import PromptFn, Row, Sums
from harness.types import Doc, Generation, Message, Sample, Score, Text
from tasks.data import Source, media_part
from tasks.image.prompts import MME_PROMPTS, VITA_MAX_TILES
from tasks.readers import mme as reader
from tasks.readers.hub import Hub
from tasks.scoring import yes_no
from tasks.task import Metric, Task, on_text

COLUMNS = ("question_id", "image_path", "category", "question", "answer")


def _sample(row: Row, prompt: PromptFn) -> Sample:
    """Raises ValueError naming the field that is missing or unknown."""
    doc = {name: row[name] for name in COLUMNS if row.get(name) is not None}
    for name in ("category", "question", "answer"):
        _field(doc, name)
    _score(doc, None, yes_no.PROFILES[0])  # an unknown category or answer shows before the model runs
    parts = (media_part("image", row.get("image")), Text(prompt(doc)))
    return Sample(row["sample_id"], (Message("user", parts),), doc)


def _image_of(doc: Doc) -> str | None:
    name = doc.get("image_path") or doc.get("question_id")
    return None if name is None else str(name)


def _score(doc: Doc, response: str | None, profile: str) -> Score:
    extracted = None if response is None else yes_no.extract(response, profile)
    correct = yes_no.is_correct(extracted or "", _field(doc, "answer"), profile)
    parts = yes_no.mme_parts(_field(doc, "category"), correct)
    return Score("correct", float(correct), parts, extracted=extracted)


def _combine(questions: Sequence[Mapping[str, float]], profile: str) -> Mapping[str, float]:
    return yes_no.combine_image(questions)


def _field(doc: Doc, name: str) -> str:
    value = doc.get(name)
    if not isinstance(value, str) or not value:
        raise ValueError(f"the row has no {name}; its fields are {', '.join(doc)}")
    return value


def _points(name: str) -> Callable[[Sums], Any]:
    return lambda sums: yes_no.mme_scores(sums)[name]


def _category_points(category: str) -> Callable[[Sums], Any]:
    """A category that was not asked has no score; in the sums over categories it counts as 0."""

    def value(sums: Sums) -> Any:
        asked = np.asarray(sums.get(f"{category}.questions", 0.0)) > 0
        return np.where(asked, yes_no.mme_scores(sums)[f"{category}.score"], np.nan)[()]

    return value


MME = Task(
    name="mme",
    version="1",
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
    ),
    sample=_sample,
    scorer=on_text(_score),
    combiner=_combine,
    metrics=(
        *(Metric(name, "points", True, _points(name), headline=True) for name in ("perception", "cognition", "total")),
        *(Metric(name, "points", True, _category_points(name)) for name in yes_no.PERCEPTION + yes_no.COGNITION),
    ),
    prompts=MME_PROMPTS,
    default_prompt="vita",
    profiles=yes_no.PROFILES,
    default_profile="vlmevalkit_vita",
    generation=Generation(max_new_tokens=64),
    image_tiles=VITA_MAX_TILES,
    cluster_name="image",
    cluster=_image_of,
    citation="Fu et al., MME: a comprehensive evaluation benchmark for multimodal large language models, 2023",
    licence="research use only; the images keep the licences of their sources",
)
