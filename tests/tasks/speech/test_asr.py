"""What the recognition benchmarks share: samples, prompts, scores and rates."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import registry
from harness.types import Media, Text
from tasks.speech import asr
from tasks.speech.aishell1 import AISHELL1
from tasks.speech.fleurs import EN as FLEURS_EN
from tasks.speech.librispeech import DEV_CLEAN
from tasks.speech.wenetspeech import NET
from tests.tasks.results import answered, score_of, values

WORDS = st.lists(st.sampled_from(("the", "dog", "went", "home", "early")), min_size=1, max_size=8).map(" ".join)
HANZI = st.text(alphabet="天地人水火山", min_size=1, max_size=8)


def test_a_rate_is_the_sum_of_errors_over_the_sum_of_words() -> None:
    rows = [
        ({"text": "THE DOG WENT HOME"}, "the dog went home"),
        ({"text": "THE DOG SAT EARLY DOWN NOW"}, "the cat sat down now again"),
    ]
    found = values(answered(DEV_CLEAN, rows).headline)
    assert found == pytest.approx({"wer": 30, "sub": 10, "del": 10, "ins": 10, "ser": 50})
    second = score_of(DEV_CLEAN, *rows[1])
    assert second.value == pytest.approx(3 / 6)
    assert second.extracted == "the cat sat down now again"
    assert (second.wrong, second.shown) == (True, ("the dog sat early down now", "the cat sat down now again"))


@settings(max_examples=30)
@given(st.sampled_from(DEV_CLEAN.profiles), WORDS, WORDS)
def test_english_errors_are_bounded_and_complete(profile: str, reference: str, hypothesis: str) -> None:
    parts = asr.score(reference, hypothesis, profile, "en").parts
    assert parts["units"] == len(reference.split())
    assert parts["errors"] == parts["sub"] + parts["del"] + parts["ins"]
    assert parts["exact"] == (reference == hypothesis)
    assert parts["errors"] <= max(parts["units"], len(hypothesis.split()))


@settings(max_examples=30)
@given(st.sampled_from(NET.profiles), HANZI)
def test_mandarin_counts_characters_and_no_answer_deletes_them_all(profile: str, reference: str) -> None:
    right = asr.score(reference, reference, profile, "zh")
    nothing = asr.score(reference, None, profile, "zh")
    assert right.name == nothing.name == "cer"
    assert right.parts["errors"] == 0
    assert nothing.parts["del"] == nothing.parts["errors"] == nothing.parts["units"] == len(reference)
    assert nothing.extracted is None


COUNTING = ("whisper", "lmms_eval", "ultraeval")


@pytest.mark.parametrize("profile", sorted(set(DEV_CLEAN.profiles) - set(COUNTING)))
@pytest.mark.parametrize("text", ["", "   "])
def test_an_empty_reference_is_unscored_and_says_why(profile: str, text: str) -> None:
    score = score_of(DEV_CLEAN, {"text": text}, "anything", profile)
    assert (score.status, score.value, dict(score.parts)) == ("unscored", None, {})
    assert "reference is empty" in str(score.reason)


@pytest.mark.parametrize("profile", COUNTING)
def test_profiles_of_scorers_that_count_words_invented_there_count_them(profile: str) -> None:
    result = answered(DEV_CLEAN, [({"text": ""}, "two words"), ({"text": "A B C D"}, "a b c d")])
    found = values(result.scores[profile][""])
    assert found["wer"] == 50
    assert result.scores[profile][""].metrics["wer"].ci is not None
    assert (result.n_scored, result.n_unscored, values(result.headline)["wer"]) == (1, 1, 0)


def test_the_leaderboards_rules_are_for_english_and_leave_marked_segments_out() -> None:
    assert set(DEV_CLEAN.profiles) - set(NET.profiles) == {"open_asr"}
    rows = [({"text": "Ignore time segment in scoring."}, "a"), ({"text": "THE B B C"}, "the BBC")]
    result = answered(DEV_CLEAN, rows)
    found = result.scores["open_asr"][""]
    assert (found.n_scored, found.n_unscored, values(found)["wer"]) == (1, 1, 0)
    assert "no part of the test" in str(score_of(DEV_CLEAN, *rows[0], "open_asr").reason)
    assert values(result.headline)["wer"] > 0


def test_an_answer_in_the_form_that_ultraevals_prompt_asks_for_is_read() -> None:
    rows = [({"text": "THE DOG WENT HOME"}, '{"content": "The dog went home"}')] * 25
    asked = answered(DEV_CLEAN, rows, prompt="ultraeval")
    assert {values(one[""])["wer"] for one in asked.scores.values()} == {0}
    assert asked.steps == {"form": 25}
    otherwise = answered(DEV_CLEAN, rows, prompt="kimi")
    assert values(otherwise.scores["ultraeval"][""])["wer"] == 0
    assert values(otherwise.scores["qwen2"][""])["wer"] > 0


def test_readings_of_one_sentence_and_segments_of_one_recording_are_clusters() -> None:
    assert FLEURS_EN.cluster_name == "sentence" and FLEURS_EN.cluster({"id": "1675"}) == "1675"
    assert NET.cluster_name == "recording"
    assert NET.cluster({"name": "TEST_NET_Y0000000000_-KTKHdZ2fb8_S00000"}) == "Y0000000000_-KTKHdZ2fb8"


@settings(max_examples=40)
@given(st.lists(WORDS, min_size=2, max_size=6), st.data())
def test_a_broken_row_never_lowers_the_error_rate(references: list[str], data: st.DataObject) -> None:
    """Of an answer with no more errors than its reference has words: a failed one has just as many."""
    rows = [({"text": one}, data.draw(st.sampled_from((one, one + " x", "x", "")))) for one in references]
    place = data.draw(st.integers(0, len(rows) - 1))
    before, after = (
        answered(DEV_CLEAN, held) for held in (rows, [*rows[:place], (rows[place][0], None), *rows[place + 1 :]])
    )
    for profile in DEV_CLEAN.profiles:
        assert values(after.scores[profile][""])["wer"] >= values(before.scores[profile][""])["wer"] - 1e-9


def test_aishell1_words_are_joined() -> None:
    assert score_of(AISHELL1, {"text": "今天 天气 很好"}, "今天天气很好", "vita").parts["errors"] == 0
    assert score_of(AISHELL1, {"text": "AB CD"}, "ABCD", "kimi").parts["units"] == 1


@pytest.mark.parametrize("column", ["transcription", *asr.REFERENCE_COLUMNS])
def test_saved_rows_may_keep_the_reference_under_other_names(column: str) -> None:
    assert score_of(FLEURS_EN, {column: "a cat"}, "a cat", "qwen2").parts["errors"] == 0


def test_the_tasks_own_column_wins() -> None:
    doc = {"text": "wrong", "transcription": "a cat", "raw_transcription": "A Cat."}
    assert score_of(FLEURS_EN, doc, "a cat", "qwen2").parts["errors"] == 0


def test_a_row_without_reference_names_the_columns() -> None:
    with pytest.raises(ValueError, match="transcription, text, gt, ref, reference, sentence"):
        score_of(FLEURS_EN, {"id": "1", "text": None}, "a cat", "qwen2")


def test_audio_comes_before_the_prompt(tmp_path: Path) -> None:
    row = {"sample_id": "a", "audio": tmp_path / "a.wav", "text": "x", "speaker_id": 7}
    sample = DEV_CLEAN.sample(row, DEV_CLEAN.presets["kimi"])
    audio, text = sample.messages[0].parts
    assert isinstance(audio, Media) and audio.kind == "audio"
    assert text == Text("Please transcribe the spoken content into written text.")
    assert (sample.cluster, dict(sample.doc)) == ("7", {"text": "x", "speaker_id": 7})


def test_the_vita_preset_is_the_audio_alone(tmp_path: Path) -> None:
    row = {"sample_id": "a", "audio": tmp_path / "a.wav", "text": "x"}
    assert len(NET.sample(row, NET.presets["vita"]).messages[0].parts) == 1


def test_prompts_are_those_of_the_evaluation_kits() -> None:
    def prompt(task: str, preset: str) -> str:
        (message,) = registry.get_task(task).presets[preset].messages({"audio": Path("a.wav")})
        (text,) = [part.text for part in message.parts if isinstance(part, Text)]
        return text

    assert prompt("aishell1", "kimi") == "请把这段语音转录成文本。"
    assert prompt("fleurs_zh", "kimi") == "请将这段语音转写成文字。"
    assert prompt("fleurs_en", "kimi") == "Please transcribe this audio."
    assert prompt("aishell2_mic", "qwen2").endswith("<|zh|>")
    assert prompt("wenetspeech_net", "lmms_eval").endswith("Do not include any punctuation.")
    assert prompt("aishell1", "lmms_eval").endswith("only output the recognized content:")


def test_default_profiles_and_units_follow_the_language() -> None:
    for name in registry.ASR:
        task = registry.get_task(name)
        english = name.startswith("librispeech") or name == "fleurs_en"
        assert task.default_profile == ("qwen2" if english else "kimi")
        assert next(m.name for m in task.metrics if m.headline) == ("wer" if english else "cer")
        assert {preset.generation.max_new_tokens for preset in task.presets.values()} == {256}


def test_without_any_scored_row_every_rate_is_undefined() -> None:
    assert all(value is None for value in values(answered(DEV_CLEAN, []).headline).values())
