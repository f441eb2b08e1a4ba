"""AI2D's gold letters: the hub counts the options from 0, the table names the letter."""

from __future__ import annotations

from typing import Any

import pytest

from tasks.image.ai2d import gold


def hub(answer: Any, *options: str) -> dict[str, Any]:
    return {"question": "How many?", "options": list(options), "answer": answer}


def test_the_hubs_answer_is_a_place_also_where_options_are_numbers() -> None:
    assert gold(hub("2", "1", "2", "3", "4")) == "C"
    assert gold(hub("3", "3", "4", "5", "6")) == "D"
    assert gold(hub("0", "leaf", "root", "stem", "seed")) == "A"
    assert gold(hub(1, "leaf", "root")) == "B"


def test_the_tables_answer_is_a_letter() -> None:
    assert gold({"question": "How many?", "A": "2", "B": "1", "C": "0", "answer": "B"}) == "B"


@pytest.mark.parametrize("answer", ["4", 7, "E", None])
def test_an_answer_that_is_no_option_is_told(answer: object) -> None:
    with pytest.raises(ValueError, match=r"answer .* the .*options"):
        gold(hub(answer, "1", "2", "3", "4"))
