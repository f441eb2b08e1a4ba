"""Speech translation: BLEU of a corpus under both conventions."""

from __future__ import annotations

import pytest
import sacrebleu

from harness.registry import get_task
from harness.task import Statistic
from tasks.scoring.bleu import bleu
from tests.tasks.results import answered

ROWS = ["the cat sat on the mat today", "two dogs ran in the big park", "he reads a book at home"]


def row(number: int, text: str) -> dict[str, object]:
    return {"sample_id": str(number), "translation": text, "client_id": f"s{number}"}


def test_the_value_is_that_of_the_corpus_and_no_mean_of_sentences() -> None:
    said = ["the cat sat on a mat today", "two dogs ran in the park", ""]
    entry = answered(
        get_task("covost2_zh_en"), [(row(i, r), s) for i, (r, s) in enumerate(zip(ROWS, said, strict=True))]
    )
    whole = sacrebleu.corpus_bleu(said, [ROWS], tokenize="13a").score
    assert entry.headline.metrics["bleu"].value == pytest.approx(whole, abs=1e-9)
    assert entry.headline.metrics["bleu"].ci is not None


def test_a_missing_answer_lowers_the_score() -> None:
    task = get_task("covost2_zh_en")
    whole = answered(task, [(row(i, text), text) for i, text in enumerate(ROWS)])
    torn = answered(task, [(row(i, text), text if i else None) for i, text in enumerate(ROWS)])
    one, other = (entry.headline.metrics["bleu"].value for entry in (whole, torn))
    assert one == pytest.approx(100) and other is not None and other < 80 and torn.n_failed == 1


@pytest.mark.parametrize("name", ["covost2_zh_en", "covost2_en_zh"])
def test_each_profile_says_how_it_was_computed(name: str) -> None:
    task = get_task(name)
    assert set(task.signatures) == set(task.profiles)
    assert f"tok:{'13a' if name.endswith('en') else 'zh'}" in task.signatures["sacrebleu"]
    (metric,) = task.metrics
    assert isinstance(metric, Statistic) and metric.compute is bleu


@pytest.mark.parametrize("text", ["", "  "])
def test_an_empty_reference_is_unscored_and_a_missing_one_a_failure(text: str) -> None:
    entry = answered(get_task("covost2_zh_en"), [(row(0, text), "a cat"), (row(1, ROWS[1]), ROWS[1])])
    assert (entry.n_unscored, entry.n_failed, entry.valid) == (1, 0, True)
    assert any("the reference is empty" in problem for problem in entry.problems)
    assert get_task("covost2_zh_en").doc(row(0, text))["translation"] == text
    with pytest.raises(ValueError, match="no translation"):
        get_task("covost2_zh_en").doc({"sample_id": "0"})
