"""Requests become prompts: the chat template, places of media, lengths told beforehand, what is refused."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from harness.failures import SampleError
from harness.media import Extent, probe
from harness.media.clips import Clip
from harness.types import Generation, LoadedRequest, Media, Message, Picture, Pictures, Request, Text, Waveform
from models.decoding import Decode, Decoding, collect, supplier
from models.nexus_o.config import NexusConfig
from models.nexus_o.lengths import planned_tokens
from models.nexus_o.omni import Kind, build
from models.nexus_o.processor import Processor
from models.nexus_o.prompts import as_text, conversation, mark_ids
from models.text.tokenizer import byte_tokenizer
from tests.models.vita15.clips import write_video

TINY = NexusConfig.tiny()
TOKENIZER = byte_tokenizer()
PROCESS = Processor(TINY, TOKENIZER)


def picture(width: int, height: int) -> Picture:
    return Picture(np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8))


def tone(seconds: float, rate: int = 16_000) -> Waveform:
    return Waveform(np.sin(np.arange(round(seconds * rate)) * 0.1).astype(np.float32), rate)


def loaded(*parts: Any, frames: int | None = None) -> LoadedRequest:
    """Text, pictures, sound and open videos, in their order."""
    contents = tuple(part for part in parts if not isinstance(part, str))
    kinds = {Picture: "image", Waveform: "audio"}
    shown = [Text(part) if isinstance(part, str) else Media(kinds.get(type(part), "video"), "x") for part in parts]  # type: ignore[arg-type]
    request = Request("1", (Message("user", tuple(shown)),), Generation(), pictures=Pictures(max_frames=frames))
    return LoadedRequest(request, contents)


def test_the_prompt_is_the_chat_templates_with_content_in_its_order() -> None:
    messages = (
        Message("user", (Text("What is"), Media("image", "a.png"), Text("this?"))),
        Message("assistant", (Text("A cat."),)),
        Message("user", (Media("audio", "a.wav"), Media("video", "a.mp4"))),
    )
    assert as_text(conversation(messages)) == (
        "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n"
        "<|im_start|>user\nWhat is<|vision_start|><|image_pad|><|vision_end|>this?<|im_end|>\n"
        "<|im_start|>assistant\nA cat.<|im_end|>\n"
        "<|im_start|>user\n<|audio_bos|><|AUDIO|><|audio_eos|><|vision_start|><|video_pad|><|vision_end|><|im_end|>\n"
        "<|im_start|>assistant\n"
    )


def test_a_system_message_replaces_the_templates_and_a_last_answer_is_closed() -> None:
    messages = (Message("system", (Text("Be brief."),)), Message("assistant", (Text("Yes."),)))
    assert as_text(conversation(messages)) == (
        "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>assistant\nYes.<|im_end|>\n"
    )


def test_media_hold_as_many_places_as_they_have_tokens_between_their_marks() -> None:
    inputs = PROCESS(loaded(picture(84, 56), "and", tone(1.0), "then?"))
    marks = mark_ids(TOKENIZER, TINY.choices)
    image = (inputs.kinds == Kind.IMAGE).nonzero()[:, 0].tolist()
    audio = (inputs.kinds == Kind.AUDIO).nonzero()[:, 0].tolist()
    assert (len(image), len(audio)) == (6, 10)
    ids = inputs.ids.tolist()
    assert {ids[place] for place in image} == {marks["<|image_pad|>"]}
    assert {ids[place] for place in audio} == {marks["<|AUDIO|>"]} == {278}
    assert (ids[image[0] - 1], ids[image[-1] + 1]) == (marks["<|vision_start|>"], marks["<|vision_end|>"])
    assert (ids[audio[0] - 1], ids[audio[-1] + 1]) == (279, 280)
    assert inputs.positions[:, audio[0]].tolist() == [int(inputs.positions[:, : audio[0]].max()) + 1] * 3
    assert (inputs.positions[:, audio].diff(dim=1) == 1).all(), "audio goes on as text does"


def test_marks_in_a_users_text_are_no_places() -> None:
    inputs = PROCESS(loaded("<|image_pad|><|AUDIO|>", picture(28, 28)))
    assert int((inputs.kinds != Kind.TEXT).sum()) == len(inputs.pictures[0].patches) // 4


@torch.inference_mode()
def test_every_kind_of_media_is_answered_the_same_alone_and_side_by_side(tmp_path: Path) -> None:
    model = build(TINY, 0)
    with Clip.open(Media("video", str(write_video(tmp_path / "a.mp4", 25, 5)))) as video:
        asked = [
            loaded("Hello"), loaded(picture(60, 40), "What?"), loaded(video, "When?", tone(0.5)),
            loaded(tone(0.7, 8000), picture(30, 70), tone(0.2)),
        ]  # fmt: skip
        prompts = [model.prompt(PROCESS(one)) for one in asked]
    alone = [collect(Decode(model.decoder, supplier(iter([one])), 1, Decoding(8)))[0].ids for one in prompts]
    together = [row.ids for row in collect(Decode(model.decoder, supplier(iter(prompts)), 3, Decoding(8)))]
    assert together == alone


def test_a_video_is_seen_as_often_as_asked(tmp_path: Path) -> None:
    with Clip.open(Media("video", str(write_video(tmp_path / "a.mp4", 50, 10)))) as video:
        own, few = (PROCESS(loaded(video, "?", frames=frames)).pictures[0].grid for frames in (None, 4))
    assert (own.layers, few.layers) == (5, 2)
    assert own.seconds == pytest.approx(1.0)
    assert few.seconds == pytest.approx(2.5)


@pytest.mark.parametrize(
    ("parts", "said", "kind"),
    [
        ((picture(1, 300), "?"), "a picture of 1x300: one side is over 200 times the other", "permanent"),
        ((tone(0.0), "?"), "audio of 0 s is too short to give a token", "permanent"),
        (("a" * 20_000,), "more than the model's 16384", "limit"),
        (("half \ud800",), "lone surrogate", "permanent"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_the_reason(parts: tuple[Any, ...], said: str, kind: str) -> None:
    with pytest.raises(SampleError) as error:
        PROCESS(loaded(*parts))
    assert said in str(error.value)
    assert error.value.kind == kind


def test_ids_of_audio_must_be_free_and_have_embeddings() -> None:
    with pytest.raises(ValueError, match="audio_first_id is 100, which the tokenizer has for another token"):
        mark_ids(TOKENIZER, replace(TINY.choices, audio_first_id=100))
    with pytest.raises(ValueError, match="audio_first_id puts a mark at id 320: the model has embeddings up to 319"):
        Processor(replace(TINY, choices=replace(TINY.choices, audio_first_id=318)), TOKENIZER)


@settings(max_examples=6, deadline=None)
@given(st.integers(10, 400), st.integers(10, 400), st.floats(0.05, 32.0), st.text(max_size=20))
def test_a_prompt_is_as_long_as_was_told_before(width: int, height: int, seconds: float, text: str) -> None:
    request = loaded(picture(width, height), text, tone(seconds))
    extents = [Extent(width=width, height=height), Extent(seconds=len(request.media[1].samples) / 16_000)]  # type: ignore[union-attr]
    planned = planned_tokens(request.request, extents, TINY, TOKENIZER.count)
    assert planned == PROCESS(request).n_tokens


def test_the_length_of_a_video_is_told_from_its_header(tmp_path: Path) -> None:
    media = Media("video", str(write_video(tmp_path / "a.mp4", 50, 10)))
    request = Request("1", (Message("user", (media, Text("?"))),), Generation())
    with Clip.open(media) as video:
        inputs = PROCESS(LoadedRequest(request, (video,)))
    assert planned_tokens(request, [probe(media)], TINY, TOKENIZER.count) == inputs.n_tokens


def test_what_cannot_be_read_and_what_is_too_long_still_have_a_length() -> None:
    request = loaded(picture(28, 28), tone(1.0), "?").request
    assert planned_tokens(request, [Extent(), Extent()], TINY, TOKENIZER.count) > 0
    assert planned_tokens(request, [Extent(), Extent(seconds=1e6)], TINY, TOKENIZER.count) == 16384
    assert math.isfinite(planned_tokens(loaded("x").request, [], TINY, len))


def test_a_picture_is_resized_as_pillow_does() -> None:
    inputs = PROCESS(loaded(picture(50, 50), "?"))
    resized = Image.fromarray(picture(50, 50).pixels).resize((56, 56), Image.Resampling.BICUBIC)
    own = PROCESS(loaded(Picture(np.asarray(resized)), "?"))
    assert torch.equal(inputs.pictures[0].patches, own.pictures[0].patches)
