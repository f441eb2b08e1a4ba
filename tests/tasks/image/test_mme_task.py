"""MME as a task: rows, samples, scores over pictures and the points that come of them."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.types import Media, Pictures, Text
from tasks.image.mme import COGNITION, MME, PERCEPTION
from tests.tasks import archives
from tests.tasks.results import BROKEN, answered, record, result_of, score_of, values

EVERY = PERCEPTION + COGNITION


def row(folder: Path, **changed: object) -> dict[str, Any]:
    archives.write(folder / "1.png", archives.image_bytes())
    return {
        "sample_id": "OCR/1/0",
        "image": folder / "1.png",
        "image_key": "abc",
        "question_id": "OCR/1.png",
        "image_path": "OCR/1.png",
        "category": "OCR",
        "question": "Is it red? Please answer yes or no.",
        "answer": "Yes",
    } | changed


def doc(category: str, image: int | str, answer: str, **more: object) -> dict[str, Any]:
    name = f"{category}/{image}.png"
    return {
        "image_key": f"key of {name}",
        "image_path": name,
        "category": category,
        "question": "?",
        "answer": answer,
    } | more


Answers = dict[tuple[str, int], tuple[str | None, str | None]]


def points(answers: Answers) -> dict[str, Any]:
    """Metrics when each picture's two questions (Yes, then No) are answered as given."""
    rows = [
        (doc(category, image, gold), reply)
        for (category, image), replies in answers.items()
        for gold, reply in zip(("Yes", "No"), replies, strict=True)
    ]
    return values(answered(MME, rows).headline)


def everywhere(yes: str | None, no: str | None, pictures: int = 2) -> Answers:
    return {(category, i): (yes, no) for category in EVERY for i in range(pictures)}


def test_the_image_comes_before_the_question(tmp_path: Path) -> None:
    sample = MME.sample(row(tmp_path), MME.presets["vita"])
    image, text = sample.messages[0].parts
    assert isinstance(image, Media) and image.kind == "image"
    expected = "Is it red? Please answer yes or no. Answer the question using a single word or phrase."
    assert text == Text(expected)
    assert (sample.id, sample.cluster) == ("OCR/1/0", "OCR/abc")
    assert set(sample.doc) == {"question_id", "image_path", "image_key", "category", "question", "answer"}


def test_each_preset_has_its_protocols_settings() -> None:
    assert {name: preset.generation.max_new_tokens for name, preset in MME.presets.items()} == {
        "vita": 2048,
        "lmms_eval": 16,
        "vlmevalkit": 2048,
    }
    assert MME.presets["vita"].pictures == Pictures(max_tiles=6)
    assert MME.presets["lmms_eval"].pictures == Pictures()


def test_points_are_accuracy_plus_accuracy_over_pictures() -> None:
    found = points(
        {
            ("OCR", 0): ("Yes", "No"),
            ("OCR", 1): ("Yes.", "yes"),
            ("scene", 0): ("Yes", None),
            ("code_reasoning", 0): ("yes", "no"),
        }
    )
    assert found["score.OCR"] == pytest.approx(75 + 50)
    assert (found["acc.OCR"], found["acc_plus.OCR"]) == (75, 50)
    assert found["score.scene"] == pytest.approx(50 + 0)
    assert found["score.code_reasoning"] == pytest.approx(200)
    assert "score.posters" not in found


def test_a_sum_over_categories_that_were_not_asked_is_no_number() -> None:
    twelve = {key: ("Yes", "No") for key in everywhere("Yes", "No") if key[0] not in ("posters", "code_reasoning")}
    found = points(twelve)
    assert (found["perception"], found["cognition"], found["total"]) == (None, None, None)
    with_posters = twelve | {("posters", 0): ("Yes", "No")}
    assert points(with_posters)["perception"] == 2000


def test_all_categories_right_give_the_full_2800_points_with_an_interval() -> None:
    result = answered(MME, [(doc(c, i, a), a) for c, i, a in product(EVERY, range(2), ("Yes", "No"))]).headline
    found = values(result)
    assert (found["perception"], found["cognition"], found["total"]) == (2000, 800, 2800)
    assert all(found[f"score.{category}"] == 200 for category in EVERY)
    total = result.metrics["total"]
    assert total.n == 28 and total.ci is not None
    assert total.ci[1] == 2800 and total.ci[0] < 2600
    existence = result.groups["category"]["existence"].metrics["score"]
    assert existence.n == 2 and existence.ci_unit == "image"


def test_yes_to_everything_gives_700_points() -> None:
    assert points(everywhere("Yes", "Yes"))["total"] == 700
    assert points(everywhere(None, None))["total"] == 0


@pytest.mark.parametrize(("first", "total"), [(1, 700), (0, 650)])
def test_twenty_broken_gold_answers_count_as_wrong(first: int, total: int) -> None:
    """Yes to everything, and the gold answers of existence's 20 No (or Yes) questions are garbled. Left out, the No
    questions gave 850."""
    rows = [doc(category, i, gold) for category in EVERY for i in range(20) for gold in ("Yes", "No")]
    records = [record(MME, one, "Yes", place) for place, one in enumerate(rows)]
    for broken in records[first : 2 * 20 : 2]:
        broken.doc["answer"] = "garbled"
    result = result_of(MME, records)
    assert values(result.headline)["score.existence"] == (50 if first else 0)
    assert values(result.headline)["total"] == total
    assert (result.n_failed, result.failures) == (20, {"score/permanent": 20})


def test_broken_pictures_keep_their_place_and_count_as_wrong() -> None:
    """Of the 20 pictures of one category one question each is lost: 2,650, and not the 2,700 of those that are left."""
    rows = [
        (doc(category, i, gold), None if (category, gold) == ("OCR", "No") else gold)
        for category, i, gold in product(EVERY, range(20), ("Yes", "No"))
    ]
    assert values(answered(MME, rows).headline)["total"] == pytest.approx(2650)


def test_a_failed_row_that_belongs_nowhere_makes_the_result_invalid() -> None:
    records = [record(MME, doc(c, i, a), a, k) for k, (c, i, a) in enumerate(product(EVERY, range(200), ("Yes", "No")))]
    records[0].doc.clear()
    records[0].cluster, records[0].response = None, None
    result = result_of(MME, records)
    assert not result.valid
    assert any("not known what they belong to" in problem for problem in result.problems)


def test_questions_belong_together_by_their_pictures_content() -> None:
    """Without `image_path`, or with a running `question_id`: 100 points before, 50 are right."""
    rows = []
    for category, i, gold in product(EVERY, range(4), ("Yes", "No")):
        running = doc(category, f"{i}-{gold}", gold, image_key=f"{category} {i}", question_id=f"{category} {i} {gold}")
        del running["image_path"]
        rows.append((running, "Yes"))
    found = answered(MME, rows).headline
    assert values(found)["total"] == 700
    assert values(found)["acc_plus.OCR"] == 0 and values(found)["score.OCR"] == 50
    assert found.n_incomplete_groups == 0


def test_one_question_a_picture_is_no_pair_and_is_told() -> None:
    result = answered(MME, [(doc(c, i, "Yes"), "Yes") for c, i in product(EVERY, range(4))])
    assert values(result.headline)["total"] is None
    assert values(result.headline)["acc"] == 100
    assert result.headline.n_incomplete_groups == 56
    assert any("56 groups lack a member" in problem for problem in result.problems)


def test_a_failed_question_whose_partner_is_not_known_makes_the_result_invalid() -> None:
    """A picture without a name that cannot be decoded: it is a group of its own, and its partner is another one."""
    rows = [(doc(c, i, a), a) for c, i, a in product(EVERY, range(200), ("Yes", "No"))]
    records = [record(MME, row, answer, k) for k, (row, answer) in enumerate(rows)]
    records[0].response, records[0].failure, records[0].cluster = None, BROKEN, "existence/of another content"
    result = result_of(MME, records)
    assert result.coverage > 0.99 and not result.valid
    assert any("not known what they belong to" in problem for problem in result.problems)


def test_an_odd_limit_leaves_the_last_question_out_of_the_points() -> None:
    rows = [(doc("OCR", i, a), a if i < 2 else "Yes") for i, a in product(range(3), ("Yes", "No"))][:5]
    found = values(answered(MME, rows).headline)
    assert found["score.OCR"] == 200 and found["acc.OCR"] == 100


def test_one_picture_under_two_names_is_two_pairs() -> None:
    rows = [(doc("OCR", i, a, image_key="same"), "Yes" if i else a) for i, a in product(range(2), ("Yes", "No"))]
    found = answered(MME, rows).headline
    assert values(found)["score.OCR"] == 75 + 50
    assert found.n_incomplete_groups == 0


@given(st.lists(st.tuples(st.sampled_from(EVERY), st.booleans(), st.booleans()), min_size=1, max_size=20), st.data())
def test_points_stay_in_their_ranges_and_a_broken_row_never_raises_one(
    pictures: list[tuple[str, bool, bool]], data: st.DataObject
) -> None:
    rows = []
    for i, (category, *right) in enumerate(pictures):
        for gold, other, known in zip(("Yes", "No"), ("No", "Yes"), right, strict=True):
            rows.append((doc(category, i, gold), gold if known else other))
    before = values(answered(MME, rows).headline)
    place = data.draw(st.integers(0, len(rows) - 1))
    after = values(answered(MME, [*rows[:place], (rows[place][0], None), *rows[place + 1 :]]).headline)
    assert before.keys() == after.keys()
    for name, value in before.items():
        assert (value is None) == (after[name] is None)
        if value is not None:
            assert 0 <= after[name] <= value <= (2800 if name == "total" else 2000)


def test_profiles_read_the_same_answer_differently() -> None:
    found = {profile: score_of(MME, doc("OCR", 0, "Yes"), "The answer is yes", profile) for profile in MME.profiles}
    assert {profile: score.value for profile, score in found.items()} == {
        "vlmevalkit_vita": 1.0,
        "vlmevalkit": 1.0,
        "lmms_eval": 0.0,
        "robust": 1.0,
    }
    assert found["lmms_eval"].extracted == "other"
    assert (found["lmms_eval"].wrong, found["lmms_eval"].shown) == (True, ("Yes", "other"))


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
def test_a_malformed_row_names_its_field(changed: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=message):
        MME.sample(row(tmp_path, **changed), MME.presets["vita"])
