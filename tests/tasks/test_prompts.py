"""Prompt wordings of MME."""

from __future__ import annotations

import pytest

from tasks.prompts import MME_WORDINGS

QUESTION = "Is there a dog? Please answer yes or no."


@pytest.mark.parametrize(
    ("style", "text"),
    [
        ("vita", f"{QUESTION} Answer the question using a single word or phrase."),
        ("lmms_eval", "Is there a dog?\nAnswer the question using a single word or phrase."),
        ("vlmevalkit", QUESTION),
    ],
)
def test_mme_wording(style: str, text: str) -> None:
    assert MME_WORDINGS[style](QUESTION) == text
