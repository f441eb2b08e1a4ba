"""Reading of yes/no answers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.scoring.yes_no import PROFILES, extract, is_correct


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
    assert extracted in ({"yes", "no", "other"} if profile in ("lmms_eval", "robust") else {"Yes", "No", "Unknown"})
    assert not (is_correct(extracted, "Yes", profile) and is_correct(extracted, "No", profile))


def test_bad_names_are_refused() -> None:
    with pytest.raises(ValueError, match="lmms_eval"):
        extract("yes", "mme")
    with pytest.raises(ValueError, match="must be Yes or No"):
        is_correct("Yes", "maybe", "vlmevalkit")
