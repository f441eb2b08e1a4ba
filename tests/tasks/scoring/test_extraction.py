"""MathVista: what is taken out of an answer, and when it is right."""

from __future__ import annotations

import pytest

from tasks.scoring import extraction

CHOICE = {"question_type": "multi_choice", "answer_type": "text", "choices": "['145°', '35°']", "answer": "35°"}
INTEGER = {"question_type": "free_form", "answer_type": "integer", "answer": "14"}
FLOAT = {"question_type": "free_form", "answer_type": "float", "answer": "1.45", "precision": 2.0}
LIST = {"question_type": "free_form", "answer_type": "list", "answer": "[2007, 2008]"}
ZERO = INTEGER | {"answer": "0"}


@pytest.mark.parametrize(
    ("doc", "answer", "right"),
    [
        (CHOICE, "The answer is (B)", True),
        (CHOICE, "35°", True),
        (CHOICE, "A", False),
        (INTEGER, "The number is 14.", True),
        (INTEGER, "14.0", True),
        (INTEGER, "14.6", False),
        (INTEGER, "13 or 14", False),
        (FLOAT, "about $1.454", True),
        (FLOAT, "1.4", False),
        (LIST, "[2007,2008]", True),
        (LIST, "2007, 2008", True),
        (LIST, "(2007, 2008)", True),
        (LIST, "[2008, 2007]", False),
        (ZERO, "0", True),
    ],
)
def test_by_rule(doc: dict[str, object], answer: str, right: bool) -> None:
    found = extraction.by_rule(answer, doc, robust=True)
    assert (found is not None and extraction.is_right(found, doc)) == right


def test_faults_of_public_scorers_stay_theirs() -> None:
    assert not extraction.vlmevalkit_right("[2007, 2008]", LIST, current=True), "a list is never right"
    assert extraction.prefetched("0", ZERO, current=True) is None, "a right zero is asked about"
    assert extraction.lmms_eval_right("zzz", CHOICE | {"answer": "35°"}), "the nearest choice of any reply"
    assert extraction.normalised("1.454", FLOAT) == "1.45"


def test_the_gold_letter_comes_from_the_choices() -> None:
    assert extraction.gold_letter(CHOICE) == "B"
    with pytest.raises(ValueError, match="none of the choices"):
        extraction.gold_letter(CHOICE | {"answer": "99"})
