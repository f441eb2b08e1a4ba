"""`harness ask`: one question, an answer on the terminal, and its speech in a file."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

from tests.harness.conftest import Call

TINY = ("ask", "--model", "vita15-tiny", "--max-new-tokens", "24")
HOP, RATE = 600, 24_000


def test_the_spoken_answer_is_a_valid_wav_and_streaming_changes_nothing(call: Call, tmp_path: Path) -> None:
    whole, streamed = tmp_path / "whole.wav", tmp_path / "streamed.wav"
    first = json.loads(call(*TINY, "--text", "hello", "--speak", whole, "--json").out)
    second = json.loads(call(*TINY, "--text", "hello", "--speak", streamed, "--stream", "--json").out)
    assert first["text"] == second["text"]
    assert all(first[tokens] == second[tokens] > 0 for tokens in ("new_tokens", "speech_tokens"))
    (a, rate), (b, _) = soundfile.read(whole), soundfile.read(streamed)
    assert rate == RATE
    assert len(a) == HOP * first["speech_tokens"] > 0
    assert a.shape == b.shape and np.abs(a - b).max() <= 1e-5
    assert 0 < second["ttft_s"] <= second["ttfa_s"] <= second["total_s"]
    assert first["rtf"] == pytest.approx(first["total_s"] / first["audio_s"])


def test_streamed_text_is_the_answer(call: Call) -> None:
    assert call(*TINY, "--text", "hello", "--stream").out == call(*TINY, "--text", "hello").out


def test_pictures_and_recordings_are_taken(call: Call, tmp_path: Path) -> None:
    Image.new("RGB", (60, 40), "red").save(tmp_path / "a.png")
    soundfile.write(tmp_path / "a.wav", np.zeros(16_000), 16_000)
    found = call(*TINY, "--image", tmp_path / "a.png", "--audio", tmp_path / "a.wav", "--text", "What is it?", "--json")
    assert found.code == 0
    assert json.loads(found.out)["new_tokens"] >= 1


def test_2000_characters_are_answered_and_spoken(call: Call, tmp_path: Path) -> None:
    found = call(*TINY, "--text", "tell me " * 250, "--speak", tmp_path / "a.wav")
    assert found.code == 0
    assert soundfile.info(tmp_path / "a.wav").frames % HOP == 0


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--text", "  "], 2, "nothing is asked"),
        (["--text", "x", "--image", "absent.png"], 2, "image file does not exist: absent.png"),
        (["--text", "x", "--device", "tpu"], 2, "unknown device"),
        (["--text", "x", "--dtype", "int8"], 2, "unknown dtype"),
    ],
)
def test_what_cannot_be_asked(call: Call, arguments: list[str], code: int, said: str) -> None:
    found = call(*TINY, *arguments)
    assert found.code == code
    assert said in found.err


def test_echo_neither_speaks_nor_streams(call: Call, tmp_path: Path) -> None:
    assert "does not speak" in call("ask", "--model", "echo", "--text", "x", "--speak", tmp_path / "a.wav").err
    assert "cannot stream" in call("ask", "--model", "echo", "--text", "x", "--stream").err
    assert call("ask", "--model", "echo", "--text", "🙂").out.strip() == "🙂"


def test_a_recording_that_is_too_short_is_no_answer(call: Call, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.zeros(320), 16_000)
    found = call(*TINY, "--audio", tmp_path / "a.wav", "--stream")
    assert found.code == 4
    assert "20 ms" in found.err
