"""lmms-eval's media, conversations and settings as the harness's; lmms-eval itself is not needed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from harness import media
from harness.lmms import generation_of, media_of, messages_of, simple_messages
from harness.types import Generation, Media, Message, Picture, Text, Waveform


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))


@pytest.mark.parametrize(
    ("given", "made"),
    [
        (None, Generation()),
        ({"max_new_tokens": 16, "temperature": 0, "do_sample": False}, Generation(16)),
        ({"temperature": 0.7, "do_sample": False, "top_p": 0.9}, Generation()),
        ({"temperature": 0.7, "top_p": 0.9}, Generation(temperature=0.7, top_p=0.9)),
        ({"do_sample": True}, Generation(temperature=1.0)),
        ({"until": ["\n\n"]}, Generation()),
        ({"until": ["\n\n", "Q:"]}, Generation(stop=("Q:",))),
        ({"until": "END", "num_beams": 1}, Generation(stop=("END",))),
    ],
)
def test_settings_are_taken_over(given: Any, made: Generation) -> None:
    assert generation_of(given) == made


def test_beams_are_refused() -> None:
    with pytest.raises(ValueError, match="num_beams is 5"):
        generation_of({"num_beams": 5})


def test_a_picture_in_memory_becomes_a_file_with_the_same_pixels() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    made = media_of(Image.fromarray(pixels))
    opened = media.load(made)
    assert isinstance(opened, Picture) and made.kind == "image"
    assert np.array_equal(opened.pixels, pixels)
    assert media_of(Image.fromarray(pixels)) == made


@pytest.mark.parametrize("mode", ["CMYK", "YCbCr", "L", "RGBA", "P", "1", "F"])
def test_a_picture_of_any_mode_can_be_opened(mode: str) -> None:
    assert isinstance(
        media.load(media_of(Image.new("RGB", (4, 3), "red").convert("L" if mode == "F" else mode))), Picture
    )


@pytest.mark.parametrize("shape", [(800,), (800, 1), (1, 800)])
def test_samples_in_memory_become_a_recording(shape: tuple[int, ...]) -> None:
    samples = np.linspace(-0.5, 0.5, 800, dtype=np.float32)
    made = media_of({"array": samples.reshape(shape), "sampling_rate": 16000})
    heard = media.load(made)
    assert isinstance(heard, Waveform) and heard.rate == 16000
    assert np.array_equal(heard.samples, samples)


def test_a_clip_keeps_its_cut(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"x")
    assert media_of(str(path)).kind == "video"
    made = media_of({"type": "video", "url": str(path), "video_start": 1.0, "video_end": 2.5})
    assert (made.kind, made.path, made.start_s, made.end_s) == ("video", str(path), 1.0, 2.5)


def test_a_conversation_keeps_roles_and_order(tmp_path: Path) -> None:
    picture = Image.new("RGB", (2, 2))
    chat = [
        {"role": "system", "content": "short"},
        {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "image", "url": picture}]},
        {"role": "assistant", "content": [{"type": "text", "text": "b"}]},
    ]
    system, user, assistant = messages_of(chat)
    assert system == Message("system", (Text("short"),)) and assistant == Message("assistant", (Text("b"),))
    assert user.parts[0] == Text("a") and isinstance(user.parts[1], Media)


def test_a_simple_model_is_given_media_first() -> None:
    picture = Image.new("RGB", (2, 2))
    (message,) = simple_messages("what?", [[picture, None], picture])
    assert [type(part) for part in message.parts] == [Media, Media, Text]
    assert simple_messages("what?", None) == (Message("user", (Text("what?"),)),)


@pytest.mark.parametrize(
    ("visual", "why"),
    [
        (3, "of type int"),
        ("https://example.org/a.jpg", "behind the address"),
        ({"name": "a"}, "neither array, bytes nor path"),
        ({"array": np.zeros((2, 2, 2)), "sampling_rate": 8000}, r"of shape \[2, 2, 2\]"),
    ],
)
def test_what_is_no_medium_is_told(visual: Any, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        media_of(visual)


def test_an_unknown_role_or_content_is_told() -> None:
    with pytest.raises(ValueError, match="role is 'tool'"):
        messages_of([{"role": "tool", "content": "x"}])
    with pytest.raises(ValueError, match="content of type 'table'"):
        messages_of([{"role": "user", "content": [{"type": "table"}]}])
