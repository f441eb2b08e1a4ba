"""An endpoint held to what the engine relies on, of every model."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from PIL import Image

from harness.media import reference
from harness.types import Failure, Generation, Message, Request, Text
from models.openai_compatible.adapter import Endpoint as Remote
from tests.fake_endpoint import KEY, Endpoint
from tests.models.asking import responses
from tests.models.contract import asked
from tests.models.openai_compatible.conftest import Opens
from tests.models.test_contract import (
    files,
    test_items_are_pulled_as_rows_become_free,
    test_preparing_in_several_threads_gives_the_same,
)

__all__ = ["files", "test_items_are_pulled_as_rows_become_free", "test_preparing_in_several_threads_gives_the_same"]


@pytest.fixture(name="shown")
def _shown(files: dict[str, Path]) -> Any:
    return reference("image", files["a.png"]), reference("audio", files["a.wav"])


def test_alone_together_and_shuffled_are_the_same(model: Remote, shown: Any) -> None:
    image, sound = shown
    batch = [asked(*parts, key=str(i)) for i, parts in enumerate((("a",), (image, "b"), (sound, "c"), (sound, image)))]
    alone = [responses(model, [loaded])[0].text for loaded in batch]
    assert len(set(alone)) == 4
    assert [answer.text for answer in responses(model, batch[::-1], 3)] == alone[::-1]


def test_pictures_and_sound_reach_the_endpoint_as_they_are(
    model: Remote, fake: Endpoint, shown: Any, files: dict[str, Path]
) -> None:
    image, sound = shown
    responses(model, [asked(image, sound, "what?", generation=Generation(7, temperature=0.5, top_p=0.9, stop=("x",)))])
    body = fake.asked[0].body
    picture, heard, text = body["messages"][0]["content"]
    pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(picture["image_url"]["url"].split(",")[1]))))
    np.testing.assert_array_equal(pixels, np.asarray(Image.open(files["a.png"])))
    samples, rate = soundfile.read(io.BytesIO(base64.b64decode(heard["input_audio"]["data"])))
    np.testing.assert_allclose(samples, soundfile.read(files["a.wav"])[0], atol=2e-4)
    assert rate == 16_000 and heard["input_audio"]["format"] == "wav" and text == {"type": "text", "text": "what?"}
    said = {name: body[name] for name in ("model", "max_tokens", "temperature", "top_p", "stop", "seed", "stream")}
    assert said == {
        "model": "fake", "max_tokens": 7, "temperature": 0.5, "top_p": 0.9, "stop": ["x"], "seed": 0, "stream": True,
    }  # fmt: skip
    assert fake.asked[0].key == f"Bearer {KEY}"


def test_a_video_is_shown_as_the_frames_of_the_benchmarks_rule(opens: Opens) -> None:
    from dataclasses import replace

    from harness.types import LoadedRequest, Media, Pictures

    class Clip:
        fps, n_frames, start_s, end_s = 10.0, 100, None, None

        def frames(self, indices: Any) -> Any:
            return [np.full((4, 4, 3), index, np.uint8) for index in indices]

    request = Request("v", (Message("user", (Media("video", "v"), Text("?"))),), Generation())
    for own, pictures, n in ((  # a second each, of ten
        {}, Pictures(), 10), ({"frames": "4"}, Pictures(), 4), ({}, Pictures(None, 6, "uniform"), 6)):  # fmt: skip
        loaded = LoadedRequest(replace(request, pictures=pictures), (Clip(),))  # type: ignore[arg-type]
        parts = opens(**own).prepare(loaded).messages[0]["content"]
        kinds = [part["type"] for part in parts]
        assert kinds == ["image_url"] * n + ["text"]
        assert all(part["image_url"]["url"].startswith("data:image/jpeg") for part in parts[:-1])


def test_what_cannot_be_sent_is_refused_before_it_is_asked(model: Remote, shown: Any) -> None:
    image, _ = shown
    with pytest.raises(ValueError, match="half a character"):
        model.prepare(asked("half \udc00"))
    loaded = asked(image)
    from dataclasses import replace

    turned = replace(loaded, request=replace(loaded.request, messages=(Message("assistant", (image,)),)))
    with pytest.raises(ValueError, match="assistant"):
        model.prepare(turned)


def test_it_says_who_it_is_and_holds_no_secret(model: Remote, opens: Opens) -> None:
    said = model.fingerprint()
    assert said["served"] == {"id": "fake", "owned_by": "test"} and said["released"] is False and not said["told"]
    assert len(said["digest"]) == 64 and KEY not in repr(said) and model.note
    assert opens(voice="echo").fingerprint()["digest"] != said["digest"]
    assert opens(concurrency="3").fingerprint() == said, "how fast it is asked changes no answer"


def test_settings_that_are_not_sent_are_told(opens: Opens) -> None:
    asks = Generation(max_new_tokens=9, min_new_tokens=9, top_k=3)
    assert opens().effective(asks)["not_sent"] == ["min_tokens", "top_k"]
    vllm = opens(dialect="vllm", omit="temperature").effective(asks)
    assert vllm["min_tokens"] == 9 and vllm["top_k"] == 3
    assert vllm["not_sent"] == ["temperature"] and "temperature" not in vllm


def test_no_failure_is_an_answer(model: Remote) -> None:
    assert not any(isinstance(one, Failure) for one in responses(model, [asked("a"), asked("b")]))
