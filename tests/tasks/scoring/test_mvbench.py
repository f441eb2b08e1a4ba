"""MVBench's gold letter: its answers are texts of options."""

from __future__ import annotations

import pytest

from harness.types import Answer
from tasks.scoring.mvbench import gold_of
from tasks.video.mvbench import MVBENCH


@pytest.mark.parametrize(
    ("candidates", "answer", "gold"),
    [(["B", "A", "C"], "B", "A"), (["cat", "dog"], "dog", "B"), (["cat", "dog"], "B", "B"), (["1", "0"], "0", "B")],
)
def test_an_answer_is_an_options_text_before_it_is_a_letter(candidates: list[str], answer: str, gold: str) -> None:
    doc = {"candidates": candidates, "answer": answer, "task_type": "Action Sequence"}
    assert gold_of(doc) == gold
    for profile in ("strict", "robust"):
        score = MVBENCH.scorer(doc, Answer(f"({gold})"), profile)
        assert not isinstance(score, dict) and score.value == 1.0
