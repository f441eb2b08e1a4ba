"""What the presets `nexus_o` fix: one prompt of ours for each kind of speech task, every answer greedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.registry import ASR, SUITES, get_task, names
from harness.types import Media, Text

ASKED = {*ASR, *SUITES["tts"], *SUITES["sqa"], *SUITES["s2tt"]}


@pytest.mark.parametrize("name", names("tasks"))
def test_every_task_of_its_tables_has_a_preset_that_the_model_names(name: str) -> None:
    task = get_task(name)
    assert ("nexus_o" in task.presets) == (name in ASKED)
    if {"image", "video"} & task.inputs:
        assert "vlmevalkit" in task.presets, "its tables of pictures were made by VLMEvalKit"


@pytest.mark.parametrize("name", sorted(ASKED))
def test_answers_are_greedy_and_nothing_of_another_model_is_in_the_prompt(name: str, tmp_path: Path) -> None:
    (path := tmp_path / "a.wav").write_bytes(b"a")
    preset = get_task(name).presets["nexus_o"]
    assert preset.generation.temperature == 0
    row = {"audio": path, "target_text": "a", "text": "a", "text_normalized": "a"}
    (message,) = preset.messages(row)
    texts = [part.text for part in message.parts if isinstance(part, Text)]
    assert message.role == "user" and "<|" not in "".join(texts)


def test_speech_comes_before_what_is_to_be_done_with_it(tmp_path: Path) -> None:
    (path := tmp_path / "a.wav").write_bytes(b"a")
    for name, said in (("librispeech_test_clean", "word for word"), ("covost2_en_zh", "into Chinese")):
        (message,) = get_task(name).presets["nexus_o"].messages({"audio": path})
        audio, text = message.parts
        assert isinstance(audio, Media) and isinstance(text, Text) and said in text.text
    (question,) = get_task("llama_questions").presets["nexus_o"].messages({"audio": path})
    assert [type(part) for part in question.parts] == [Media]


def test_texts_to_be_said_stand_at_the_end_in_their_own_language() -> None:
    for name, said in (("seedtts_en", "Say this text"), ("seedtts_zh", "请")):
        (message,) = get_task(name).presets["nexus_o"].messages({"target_text": "Guten Tag"})
        (text,) = message.parts
        assert isinstance(text, Text) and text.text.startswith(said) and text.text.endswith("\nGuten Tag")
