"""What the presets `vita_audio` fix; their words are compared in tests/parity/vita_audio_prompts.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.registry import ASR, SUITES, get_task, names
from harness.types import Generation, Media, Text
from tasks.scoring.error_rate import score_pair

ASKED = {*ASR, *SUITES["tts"], *SUITES["sqa"], "latency_spoken"}


def generation(name: str) -> Generation:
    return get_task(name).presets["vita_audio"].generation


@pytest.mark.parametrize("name", names("tasks"))
def test_what_vita_audio_was_evaluated_on_can_be_asked_its_way(name: str) -> None:
    assert ("vita_audio" in get_task(name).presets) == (name in ASKED)


@pytest.mark.parametrize("name", sorted(ASKED))
def test_the_checkpoints_penalty_is_said_though_answers_are_greedy(name: str) -> None:
    assert generation(name).repetition_penalty == 1.05


def test_transcripts_have_a_limit_that_no_reference_sets() -> None:
    assert {generation(name) for name in ASR} == {
        Generation(max_new_tokens=256, min_new_tokens=1, repetition_penalty=1.05)
    }


def test_speech_is_sampled_and_asked_for_with_its_text() -> None:
    for name in SUITES["tts"]:
        assert generation(name) == Generation(
            max_new_tokens=1024, temperature=0.7, top_k=20, top_p=0.8, repetition_penalty=1.05
        )
        assert set(get_task(name).asking(["text", "speech"]).outputs) == {"text", "speech"}


def test_questions_are_answered_greedily() -> None:
    assert {generation(name) for name in SUITES["sqa"]} == {Generation(max_new_tokens=1024, repetition_penalty=1.05)}


def test_the_instruction_stands_before_the_audio(tmp_path: Path) -> None:
    (path := tmp_path / "a.wav").write_bytes(b"a")
    (message,) = get_task("aishell1").presets["vita_audio"].messages({"audio": path})
    text, audio = message.parts
    assert text == Text("Convert the speech to text.\n") and isinstance(audio, Media) and message.role == "user"
    with pytest.raises(ValueError, match="no audio"):
        get_task("aishell1").presets["vita_audio"].messages({})


def test_mandarin_has_both_of_its_scripts_and_english_the_one_that_both_are() -> None:
    assert {"vita", "vita_wer"} <= set(get_task("aishell1").profiles)
    assert "vita_wer" not in get_task("librispeech_test_clean").profiles
    found = {name: score_pair(name, "zh", "用APP听", "用APK听").counts for name in ("vita", "vita_wer")}
    assert {name: (counts.errors, counts.ref_len) for name, counts in found.items()} == {
        "vita": (1, 5),
        "vita_wer": (1, 3),
    }
