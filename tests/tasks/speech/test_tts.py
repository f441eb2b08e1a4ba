"""Synthesised speech: what is heard of it, what was not said, the recogniser's own errors, and voices."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.aggregate import Planned, task_result
from harness.registry import get_task
from harness.schema import Record, ScoreResult
from tasks.scoring.heard import cosine
from tests.tasks.speech.spoken import BUSY, DEAF, Hearers, heard, said, voice

EN, ZH = {"target_text": "The cat sat."}, {"target_text": "猫坐着。"}


def result(name: str, records: list[Record], hearers: Hearers | None = None, profile: str = "seedtts") -> ScoreResult:
    for number, record in enumerate(records):
        record.id = str(number)
    scored = heard(name, records, hearers)
    task = get_task(name)
    entry = task_result(task, Planned("read_aloud", profile), zip(records, scored, strict=True), None)
    return entry.headline


def values(found: ScoreResult) -> dict[str, float | None]:
    return {name: metric.value for name, metric in found.metrics.items()}


def test_the_headline_is_the_mean_of_utterances_and_the_rate_of_all_words_stands_beside_it() -> None:
    records = [said("seedtts_en", EN, "", "the cat sat"), said("seedtts_en", {"target_text": "no"}, "", "yes")]
    found = values(result("seedtts_en", records))
    assert (found["wer"], found["wer_micro"]) == (50, 25)


def test_mandarin_counts_characters_and_simplifies_what_was_heard() -> None:
    doc = {"target_text": "电话在这里"}
    (one,) = heard("seedtts_zh", [said("seedtts_zh", doc, "", "電話在這裡")])
    assert one.scores["seedtts"][""].value == 0
    assert one.scores["kimi"][""].value == pytest.approx(4 / 5), "which converts nothing"


@pytest.mark.parametrize(("text", "speech"), [("", None), (None, None)])
def test_without_speech_every_word_is_missing(text: str | None, speech: str | None) -> None:
    (one,) = heard("seedtts_en", [said("seedtts_en", EN, text, speech)])
    score = one.scores["seedtts"][""]
    assert (score.parts["errors"], score.parts["units"], score.parts["silent"]) == (3, 3, 1)
    assert score.status == ("ok" if text is not None else "failed")


def test_the_judges_own_errors_are_those_on_the_benchmarks_recordings() -> None:
    records = [
        said("seedtts_en", EN, "", "the cat sat", reference="the bat sat"),
        said("seedtts_en", EN, "", None, reference="the cat sat"),
        said("seedtts_en", EN, "", "a cat sat"),
    ]
    found = values(result("seedtts_en", records))
    assert found["judge_wer"] == pytest.approx(100 / 6)
    assert found["judge_wer_micro"] == pytest.approx(100 / 6)
    assert found["no_speech"] == pytest.approx(100 / 3)


def test_a_reference_that_cannot_be_heard_leaves_the_answer_its_score() -> None:
    record = said("seedtts_en", EN, "", "the cat sat", reference="broken")
    (one,) = heard("seedtts_en", [record], Hearers({"broken": DEAF}))
    assert one.failure is None and "judge_rate" not in one.scores["seedtts"][""].parts
    assert one.scores["seedtts"][""].reason == "the reference recording could not be heard"
    (later,) = heard("seedtts_en", [record], Hearers({"broken": BUSY}))
    assert later.failure == BUSY, "a later pass may hear it"


def test_an_answer_that_the_judge_fails_on_counts_as_wrong_and_says_why() -> None:
    (one,) = heard("seedtts_en", [said("seedtts_en", EN, "", "broken")], Hearers({"broken": DEAF}))
    assert one.failure == DEAF and one.scores["seedtts"][""].status == "failed"
    assert one.scores["seedtts"][""].parts["rate"] == 1


def test_speech_that_nobody_hears_was_made_all_the_same() -> None:
    records = [said("seedtts_en", EN, "", "the cat sat"), said("seedtts_en", EN, "", None)]
    assert values(result("seedtts_en", records, Hearers(roles=[])))["no_speech"] == 50


def test_voices_are_compared_where_one_was_given_and_a_judge_knows_them() -> None:
    record = said("seedtts_en", EN, "", voice(1, 0), voice=voice(0.6, 0.8))
    assert values(result("seedtts_en", [record]))["sim"] == pytest.approx(0.6)
    assert values(result("seedtts_en", [record], Hearers(roles=["recogniser-en"])))["sim"] is None
    assert values(result("seedtts_en", [said("seedtts_en", EN, "", voice(1, 0))]))["sim"] is None


def test_voices_that_cannot_be_compared_are_told_and_in_no_mean() -> None:
    given = voice(0.6, 0.8)
    records = [
        said("seedtts_en", EN, "", voice(1, 0), voice=given),
        said("seedtts_en", EN, "", None, voice=given),
        said("seedtts_en", EN, "", voice(1, 0), voice="broken"),
        said("seedtts_en", EN, "", voice(math.nan, 0), voice=given),
    ]
    for number, record in enumerate(records):
        record.id = str(number)
    scored = heard("seedtts_en", records, Hearers({"broken": DEAF}))
    planned = Planned("read_aloud", "seedtts")
    entry = task_result(get_task("seedtts_en"), planned, zip(records, scored, strict=True), None)
    sim = entry.headline.metrics["sim"]
    assert (sim.value, sim.n) == (pytest.approx(0.6), 1)
    assert "3 samples: no voices could be compared" in entry.problems


def test_seed_tts_hears_one_window_in_its_language_and_libritts_all_of_it() -> None:
    one, other = Hearers(), Hearers()
    heard("seedtts_zh", [said("seedtts_zh", ZH, "", "猫坐着")], one)
    heard("libritts_test_clean", [said("libritts_test_clean", {"text_normalized": "A cat."}, "", "a cat")], other)
    assert {(ask.role, ask.settings) for ask in one.asked} == {
        ("recogniser-zh", (("language", "zh"), ("window", "30s")))
    }
    assert {(ask.role, ask.settings) for ask in other.asked} == {("recogniser-en", (("window", "long"),))}


def test_an_empty_text_is_unscored_and_a_missing_one_a_failure_with_its_field() -> None:
    rows = [*({"target_text": text} for text in ("!", "", " ")), {"utt": "x"}]
    *empty, missing = heard("seedtts_en", [said("seedtts_en", row, "", "a") for row in rows])
    for one in empty:
        assert {one.scores[name][""].status for name in ("seedtts", "whisper", "qwen2")} == {"unscored"}
        assert one.failure is None
    assert missing.failure is not None and "target_text" in missing.failure.message


@pytest.mark.parametrize("name", ["seedtts_en", "libritts_test_clean"])
def test_a_row_with_an_empty_text_is_a_sample(name: str) -> None:
    task = get_task(name)
    row = {"target_text": "", "text_normalized": "", "utt": "x"}
    assert task.doc(row) == row
    for preset in task.presets.values():
        assert preset.messages(row)


@given(st.text(st.sampled_from("ab \n\u2028"), max_size=20))
def test_breaks_in_what_was_heard_are_blanks(text: str) -> None:
    (one,) = heard("seedtts_en", [said("seedtts_en", EN, "", f"the cat{text} sat")])
    (other,) = heard("seedtts_en", [said("seedtts_en", EN, "", " ".join(f"the cat{text} sat".split()))])
    assert one.scores["whisper"][""].value == other.scores["whisper"][""].value


@given(st.lists(st.integers(-9, 9), min_size=2, max_size=5).filter(any))
def test_a_cosine_is_one_of_a_vector_with_itself_whatever_its_length(vector: list[int]) -> None:
    assert cosine([float(value) for value in vector], [0.3 * value for value in vector]) == pytest.approx(1)


@pytest.mark.parametrize(("name", "doc"), [("seedtts_en", EN), ("seedtts_zh", ZH)])
def test_a_dropping_profile_leaves_texts_without_speech_out_and_keeps_failures(name: str, doc: dict[str, str]) -> None:
    words = next(iter(doc.values())).strip(".。").lower()

    def records() -> list[Record]:
        return [said(name, doc, "", words), said(name, doc, "", None), said(name, doc, None, None)]

    found = {profile: result(name, records(), profile=profile) for profile in ("seedtts", "seedtts_dropped")}
    rate = "wer" if name == "seedtts_en" else "cer"
    assert values(found["seedtts"])[rate] == pytest.approx(200 / 3)
    assert values(found["seedtts_dropped"])[rate] == 50
    dropped = found["seedtts_dropped"]
    assert (dropped.n_scored, dropped.n_unscored, dropped.n_failed) == (1, 1, 1)


def test_a_dropping_profile_scores_what_was_said_as_its_own_does() -> None:
    (one,) = heard("seedtts_en", [said("seedtts_en", EN, "", "the bat sat")])
    scores = one.scores["seedtts_dropped"][""], one.scores["seedtts"][""]
    assert scores[0] == scores[1]


def test_libritts_is_dropped_where_its_own_profile_can_be_scored() -> None:
    profiles = get_task("libritts_test_clean").profiles
    assert ("libritts_dropped" in profiles) == ("libritts" in profiles)
