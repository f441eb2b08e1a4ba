"""MME as a task: rows, samples, scores over images and the points that come of them."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from harness.types import Media, Response, Text
from tasks.image.mme import MME
from tasks.scoring import yes_no
from tasks.task import add_parts
from tests.tasks import archives


def row(folder: Path, **changed: object) -> dict:
    archives.write(folder / "1.png", archives.image_bytes())
    return {
        "sample_id": "OCR/1/0",
        "image": folder / "1.png",
        "question_id": "OCR/1.png",
        "image_path": "OCR/1.png",
        "category": "OCR",
        "question": "Is it red? Please answer yes or no.",
        "answer": "Yes",
    } | changed


def doc(category: str, image: int, answer: str) -> dict:
    name = f"{category}/{image}.png"
    return {"question_id": name, "image_path": name, "category": category, "question": "?", "answer": answer}


def points(answers: dict[tuple[str, int], tuple[str | None, str | None]]) -> dict[str, float]:
    """Metrics when each image's two questions (Yes, then No) are answered as given."""
    images = []
    for (category, image), replies in answers.items():
        scores = [
            MME.score(doc(category, image, answer), Response(reply), MME.default_profile)
            for answer, reply in zip(("Yes", "No"), replies, strict=True)
        ]
        images.append(MME.combine([score.parts for score in scores], MME.default_profile))
    return {metric.name: float(metric.value(add_parts(images))) for metric in MME.metrics}


def test_the_image_comes_before_the_question(tmp_path: Path) -> None:
    sample = MME.to_sample(row(tmp_path), MME.prompts["vita"])
    image, text = sample.messages[0].parts
    assert isinstance(image, Media) and image.kind == "image"
    expected = "Is it red? Please answer yes or no. Answer the question using a single word or phrase."
    assert text == Text(expected)
    assert (sample.id, sample.cluster, MME.image_tiles) == ("OCR/1/0", "OCR/1.png", 6)
    assert set(sample.doc) == {"question_id", "image_path", "category", "question", "answer"}


def test_rows_without_an_image_path_are_grouped_by_their_question_id(tmp_path: Path) -> None:
    sample = MME.to_sample(row(tmp_path, image_path=None), MME.prompts["vita"])
    assert sample.cluster == "OCR/1.png"
    assert MME.cluster_of({"category": "OCR"}) is None


def test_points_are_accuracy_plus_accuracy_over_images() -> None:
    found = points(
        {
            ("OCR", 0): ("Yes", "No"),
            ("OCR", 1): ("Yes.", "yes"),
            ("scene", 0): ("Yes", None),
            ("code_reasoning", 0): ("yes", "no"),
        }
    )
    assert found["OCR"] == pytest.approx(75 + 50)
    assert found["scene"] == pytest.approx(50 + 0)
    assert found["perception"] == pytest.approx(175)
    assert found["cognition"] == found["code_reasoning"] == pytest.approx(200)
    assert found["total"] == pytest.approx(375)
    assert math.isnan(found["posters"])


def test_all_categories_right_give_the_full_2800_points() -> None:
    every = yes_no.PERCEPTION + yes_no.COGNITION
    found = points({(category, i): ("Yes", "No") for category in every for i in range(2)})
    assert (found["perception"], found["cognition"], found["total"]) == (2000, 800, 2800)
    assert all(found[category] == 200 for category in every)


def test_points_are_vectorised_over_resamples() -> None:
    one = MME.combine([yes_no.mme_parts("OCR", True), yes_no.mme_parts("OCR", False)], MME.default_profile)
    sums = {name: np.array([value, 0.0, 3 * value]) for name, value in one.items()}
    found = {metric.name: metric.value(sums) for metric in MME.metrics}
    np.testing.assert_allclose(found["total"], [50, 0, 50])
    np.testing.assert_array_equal(found["OCR"], [50, np.nan, 50])


def test_no_answer_is_wrong_and_keeps_its_place() -> None:
    score = MME.score(doc("OCR", 0, "Yes"), None, "lmms_eval")
    assert (score.status, score.value, score.extracted) == ("ok", 0.0, None)
    assert score.parts == {"OCR.questions": 1.0, "OCR.correct": 0.0}


def test_profiles_read_the_same_answer_differently() -> None:
    found = {
        profile: MME.score(doc("OCR", 0, "Yes"), Response("The answer is yes"), profile) for profile in MME.profiles
    }
    assert {profile: score.value for profile, score in found.items()} == {
        "vlmevalkit_vita": 1.0,
        "vlmevalkit": 1.0,
        "lmms_eval": 0.0,
    }
    assert found["lmms_eval"].extracted == "other"


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"category": "humour"}, "no category 'humour'"),
        ({"answer": "Maybe"}, "Maybe"),
        ({"answer": None}, "no answer; its fields are"),
        ({"question": ""}, "no question"),
        ({"image": None}, "no image"),
    ],
)
def test_a_malformed_row_names_its_field(changed: dict, message: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=message):
        MME.to_sample(row(tmp_path, **changed), MME.prompts["vita"])
