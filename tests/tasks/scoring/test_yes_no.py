"""Reading of yes/no answers and MME's scores."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.scoring.yes_no import (
    COGNITION,
    PERCEPTION,
    PROFILES,
    combine_image,
    extract,
    is_correct,
    mme_parts,
    mme_scores,
)

ALL = PERCEPTION + COGNITION
# For each image: its category and whether its questions were answered right.
images = st.lists(st.tuples(st.sampled_from(ALL), st.booleans(), st.booleans()), max_size=30)


def summed(answers: list[tuple[str, bool, bool]]) -> dict[str, float]:
    sums: dict[str, float] = {}
    for category, *right in answers:
        for name, value in combine_image([mme_parts(category, one) for one in right]).items():
            sums[name] = sums.get(name, 0.0) + value
    return sums


@pytest.mark.parametrize(
    ("response", "vlmevalkit", "lmms_eval"),
    [
        ("Yes", "Yes", "yes"),
        ("No.", "No", "no"),
        ("y", "Unknown", "yes"),
        ("N.", "Unknown", "no"),
        ("The answer is no.", "No", "other"),
        ("Nothing", "Unknown", "no"),
        ("yes and no", "Unknown", "yes"),
        ("**Yes**", "Unknown", "other"),
        ("no-one", "No", "no"),
        ("no -one", "No", "no"),
        ("yes no-no", "Unknown", "yes"),
        ("1,000 yes!no", "Unknown", "other"),
        ("<b>no</b>", "No", "other"),
        ("", "Unknown", "other"),
    ],
)
def test_extraction(response: str, vlmevalkit: str, lmms_eval: str) -> None:
    assert extract(response, "vlmevalkit") == extract(response, "vlmevalkit_vita") == vlmevalkit
    assert extract(response, "lmms_eval") == lmms_eval


@given(st.text(), st.sampled_from(PROFILES))
def test_any_text_is_read_as_one_of_three(text: str, profile: str) -> None:
    extracted = extract(text, profile)
    assert extracted in ({"yes", "no", "other"} if profile == "lmms_eval" else {"Yes", "No", "Unknown"})
    assert not (is_correct(extracted, "Yes", profile) and is_correct(extracted, "No", profile))


def test_bad_names_are_refused() -> None:
    with pytest.raises(ValueError, match="lmms_eval"):
        extract("yes", "mme")
    with pytest.raises(ValueError, match="must be Yes or No"):
        is_correct("Yes", "maybe", "vlmevalkit")
    with pytest.raises(ValueError, match="posters"):
        mme_parts("poster", True)


def test_scores_of_a_small_run() -> None:
    scores = mme_scores(summed([("scene", True, True), ("scene", True, False), ("code_reasoning", True, True)]))
    assert scores["scene.acc"] == 75.0
    assert scores["scene.acc_plus"] == 50.0
    assert (scores["perception"], scores["cognition"], scores["total"]) == (125.0, 200.0, 325.0)


@given(images)
def test_scores_stay_in_their_ranges(answers: list[tuple[str, bool, bool]]) -> None:
    scores = mme_scores(summed(answers))
    assert 0 <= scores["perception"] <= 2000
    assert 0 <= scores["cognition"] <= 800
    assert 0 <= scores["total"] <= 2800


def test_the_best_run_scores_2800_and_an_empty_one_0() -> None:
    assert mme_scores(summed([(category, True, True) for category in ALL]))["total"] == 2800.0
    assert mme_scores({})["total"] == 0.0


@given(st.lists(images, min_size=1, max_size=4))
def test_arrays_of_resamples_score_as_their_elements(runs: list[list[tuple[str, bool, bool]]]) -> None:
    each = [summed(run) for run in runs]
    names = sorted({name for sums in each for name in sums})
    arrays = {name: np.array([sums.get(name, 0.0) for sums in each]) for name in names}
    total = np.broadcast_to(mme_scores(arrays)["total"], len(runs))
    assert total.tolist() == [mme_scores(sums)["total"] for sums in each]
