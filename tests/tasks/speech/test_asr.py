"""What the recognition benchmarks share: samples, prompts, scores and rates."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import registry
from harness.types import Media, Response, Text
from tasks.scoring.error_rate import PROFILES, Language
from tasks.speech import asr
from tasks.speech.aishell1 import AISHELL1
from tasks.speech.fleurs import EN as FLEURS_EN
from tasks.speech.librispeech import DEV_CLEAN
from tasks.speech.wenetspeech import NET
from tasks.task import add_parts

WORDS = st.lists(st.sampled_from(("the", "dog", "went", "home", "early")), min_size=1, max_size=8).map(" ".join)
HANZI = st.text(alphabet="天地人水火山", min_size=1, max_size=8)


def rates(language: Language, parts: list) -> dict[str, float]:
    return {metric.name: float(metric.value(add_parts(parts))) for metric in asr.metrics(language)}


def test_a_rate_is_the_sum_of_errors_over_the_sum_of_words() -> None:
    scores = [
        DEV_CLEAN.score({"text": "THE DOG WENT HOME"}, Response("the dog went home"), "qwen2"),
        DEV_CLEAN.score({"text": "THE DOG SAT EARLY DOWN NOW"}, Response("the cat sat down now again"), "qwen2"),
    ]
    found = rates("en", [score.parts for score in scores])
    assert found == pytest.approx({"wer": 30, "sub": 10, "del": 10, "ins": 10, "ser": 50})
    assert scores[1].value == pytest.approx(3 / 6)
    assert scores[1].extracted == "the cat sat down now again"


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(sorted(PROFILES.keys() - {"vita_cer"})), WORDS, WORDS)
def test_english_errors_are_bounded_and_complete(profile: str, reference: str, hypothesis: str) -> None:
    parts = asr.score(reference, hypothesis, profile, "en").parts
    assert parts["units"] == len(reference.split())
    assert parts["errors"] == parts["sub"] + parts["del"] + parts["ins"]
    assert parts["exact"] == (reference == hypothesis)
    assert parts["errors"] <= max(parts["units"], len(hypothesis.split()))


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(tuple(PROFILES)), HANZI)
def test_mandarin_counts_characters_and_no_answer_deletes_them_all(profile: str, reference: str) -> None:
    right = asr.score(reference, reference, profile, "zh")
    nothing = asr.score(reference, None, profile, "zh")
    assert right.name == nothing.name == "cer"
    assert right.parts["errors"] == 0
    assert nothing.parts["del"] == nothing.parts["errors"] == nothing.parts["units"] == len(reference)
    assert nothing.extracted is None


@pytest.mark.parametrize("profile", tuple(PROFILES))
@pytest.mark.parametrize("text", ["", "   "])
def test_an_empty_reference_is_unscored_and_says_why(profile: str, text: str) -> None:
    score = DEV_CLEAN.score({"text": text}, Response("anything"), profile)
    assert (score.status, score.value, dict(score.parts)) == ("unscored", None, {})
    assert "reference is empty" in str(score.reason)


def test_rates_are_vectorised_and_undefined_without_units() -> None:
    sums = {name: np.array([2.0, 0.0]) for name in ("errors", "sub", "del", "ins", "exact")}
    sums |= {"units": np.array([8.0, 0.0]), "utterances": np.array([2.0, 0.0])}
    for metric in asr.metrics("en"):
        first, second = metric.value(sums)
        assert math.isfinite(first) and math.isnan(second)
        assert metric.value({name: values[0] for name, values in sums.items()}) == first


def test_aishell1_words_are_joined() -> None:
    assert AISHELL1.score({"text": "今天 天气 很好"}, Response("今天天气很好"), "vita").parts["errors"] == 0
    assert AISHELL1.score({"text": "AB CD"}, Response("ABCD"), "kimi").parts["units"] == 1


@pytest.mark.parametrize("column", ["transcription", *asr.REFERENCE_COLUMNS])
def test_saved_rows_may_keep_the_reference_under_other_names(column: str) -> None:
    assert FLEURS_EN.score({column: "a cat"}, Response("a cat"), "qwen2").parts["errors"] == 0


def test_the_tasks_own_column_wins() -> None:
    doc = {"text": "wrong", "transcription": "a cat", "raw_transcription": "A Cat."}
    assert FLEURS_EN.score(doc, Response("a cat"), "qwen2").parts["errors"] == 0


def test_a_row_without_reference_names_the_columns() -> None:
    with pytest.raises(ValueError, match="transcription, text, gt, ref, reference, sentence"):
        FLEURS_EN.score({"id": "1", "text": None}, Response("a cat"), "qwen2")


def test_audio_comes_before_the_prompt(tmp_path: Path) -> None:
    row = {"sample_id": "a", "audio": tmp_path / "a.wav", "text": "x", "speaker_id": 7}
    sample = DEV_CLEAN.to_sample(row, DEV_CLEAN.prompts["kimi"])
    audio, text = sample.messages[0].parts
    assert isinstance(audio, Media) and audio.kind == "audio"
    assert text == Text("Please transcribe the spoken content into written text.")
    assert (sample.cluster, dict(sample.doc)) == ("7", {"text": "x", "speaker_id": 7})


def test_the_vita_preset_is_the_audio_alone(tmp_path: Path) -> None:
    row = {"sample_id": "a", "audio": tmp_path / "a.wav", "text": "x"}
    assert len(NET.to_sample(row, NET.prompts["vita"]).messages[0].parts) == 1


def test_prompts_are_those_of_the_evaluation_kits() -> None:
    prompt = {name: registry.get_task(name).prompts for name in registry.ASR}
    assert prompt["aishell1"]["kimi"]({}) == "请把这段语音转录成文本。"
    assert prompt["fleurs_zh"]["kimi"]({}) == "请将这段语音转写成文字。"
    assert prompt["fleurs_en"]["kimi"]({}) == "Please transcribe this audio."
    assert prompt["aishell2_mic"]["qwen2"]({}).endswith("<|zh|>")
    assert prompt["wenetspeech_net"]["lmms_eval"]({}).endswith("Do not include any punctuation.")
    assert prompt["aishell1"]["lmms_eval"]({}).endswith("only output the recognized content:")


def test_default_profiles_and_units_follow_the_language() -> None:
    for name in registry.ASR:
        task = registry.get_task(name)
        english = name.startswith("librispeech") or name == "fleurs_en"
        assert task.default_profile == ("qwen2" if english else "kimi")
        assert next(m.name for m in task.metrics if m.headline) == ("wer" if english else "cer")
        assert task.generation.max_new_tokens == 256


def test_without_any_scored_row_every_rate_is_undefined() -> None:
    assert all(math.isnan(metric.value({})) for metric in DEV_CLEAN.metrics)
