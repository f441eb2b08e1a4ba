"""Requests become inputs; the budget takes tiles and frames, never the question."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from harness.ablation import blanked
from harness.failures import SampleError
from harness.media.frames import sampled
from harness.types import (
    FrameRule,
    Generation,
    LoadedRequest,
    Media,
    Message,
    Picture,
    Pictures,
    Request,
    Text,
    Waveform,
)
from models.text.tokenizer import byte_tokenizer
from models.vita15.checkpoint import build
from models.vita15.config import Vita15Config
from models.vita15.image_processing import preprocess
from models.vita15.lengths import Cuts, ImageSize, Size, SpeechSize, VideoSize
from models.vita15.omni import AUDIO, IMAGE
from models.vita15.processor import Processor, collate

TINY = Vita15Config.tiny()
TOKENIZER = byte_tokenizer()
# The published budget and costs of media, with text at a byte a token.
PUBLISHED = Processor(Vita15Config.published(), TOKENIZER)


def loaded(text: str, *contents: Any, tiles: int | None = None) -> LoadedRequest:
    kinds = {Picture: "image", Waveform: "audio"}
    media = [Media(kinds[type(content)], f"{i}") for i, content in enumerate(contents)]  # type: ignore[arg-type]
    messages = (Message("user", (*media, Text(text))),)
    return LoadedRequest(Request("1", messages, Generation(), pictures=Pictures(tiles)), tuple(contents))


def picture(width: int, height: int) -> Picture:
    return Picture(np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8))


def tone(seconds: float, rate: int = 16_000) -> Waveform:
    return Waveform(np.sin(np.arange(int(seconds * rate)) * 0.1).astype(np.float32), rate)


def test_every_medium_gets_its_places() -> None:
    inputs = Processor(TINY, TOKENIZER)(loaded("What?", picture(112, 56), tone(0.5)))
    ids = inputs.input_ids.tolist()
    # The picture is twice as wide as high and larger than half of 2x1, 4x2... tiles of 56: some grid with thumbnail.
    assert ids.count(IMAGE) == len(inputs.pixel_values) > 1  # type: ignore[arg-type]
    assert ids.count(AUDIO) == 1
    assert inputs.audio[0].shape == (48, 80)
    assert inputs.n_tokens == len(ids) - ids.count(IMAGE) - 1 + 4 * ids.count(IMAGE) + 6


@pytest.mark.parametrize(("tiles", "most"), [(1, 1), (6, 7), (None, 13)])
def test_the_benchmarks_number_of_tiles_is_kept(tiles: int | None, most: int) -> None:
    inputs = Processor(TINY, TOKENIZER)(loaded("What?", picture(1200, 900), tiles=tiles))
    assert inputs.pixel_values is not None and len(inputs.pixel_values) <= most
    assert tiles != 6 or len(inputs.pixel_values) > 4


@pytest.mark.parametrize("learned", [0, 3])
def test_the_count_of_tokens_is_what_the_model_reads(learned: int) -> None:
    config = replace(TINY, audio=replace(TINY.audio, num_prompt_embeddings=learned))
    inputs = Processor(config, TOKENIZER)(loaded("What?", picture(80, 56), tone(0.7)))
    assert build(config, seed=0).embed(collate([inputs])).inputs_embeds.shape[1] == inputs.n_tokens


def test_speech_of_another_rate_is_resampled() -> None:
    inputs = Processor(TINY, TOKENIZER)(loaded("", tone(1.0, 44_100)))
    assert inputs.audio[0].shape == (98, 80)


def test_dither_is_drawn_from_the_requests_seed() -> None:
    config = replace(TINY, audio=replace(TINY.audio, dither=1.0))
    first, again = (Processor(config, TOKENIZER)(loaded("", tone(0.5))).audio[0] for _ in range(2))
    plain = Processor(TINY, TOKENIZER)(loaded("", tone(0.5))).audio[0]
    assert torch.equal(first, again) and not torch.equal(first, plain)


def test_24_tiles_give_way_to_the_question() -> None:
    """24 tiles and a thumbnail are 6400 positions, more than the budget of 6200."""
    question = "x" * 300
    messages = [Message("user", (Media("image", "a"), Text(question)))]
    sizes: list[Size] = [ImageSize(6 * 448, 4 * 448, 448, 256)]
    cuts = PUBLISHED.fit(messages, sizes, Cuts(24))
    assert sizes[0].places(Cuts(24)) == 25
    assert cuts.tiles == 23  # the most that fits; of the grids of that shape, 3 x 2 remains
    assert sizes[0].places(cuts) == 7


def test_frames_give_way_after_tiles() -> None:
    messages = [Message("user", (Media("video", "a"), Text("x" * 3000)))]
    video = VideoSize(30.0, 3000, None, None, 256)
    cuts = PUBLISHED.fit(messages, [video], Cuts(12))
    assert 1 <= cuts.frames < 16
    assert video.places(cuts) == cuts.frames


image_sizes = st.builds(ImageSize, st.integers(1, 9000), st.integers(1, 9000), st.just(448), st.just(256))
video_sizes = st.builds(VideoSize, st.floats(1, 60), st.integers(1, 5000), st.none(), st.none(), st.just(256))
speech_sizes = st.builds(SpeechSize, st.integers(2000, 16_000 * 200))


@settings(max_examples=60)
@given(
    st.lists(st.one_of(image_sizes, video_sizes, speech_sizes), max_size=4),
    st.text("abc ", max_size=4000),
    st.sampled_from([1, 6, 12, 24]),
)
def test_the_question_is_always_whole_and_the_prompt_within_the_budget(
    sizes: list[Size], question: str, tiles: int
) -> None:
    kinds = {ImageSize: "image", VideoSize: "video", SpeechSize: "audio"}
    media = [Media(kinds[type(size)], f"{i}") for i, size in enumerate(sizes)]  # type: ignore[index,arg-type]
    messages = (Message("user", (*media, Text(question))),)
    least = Cuts(1, 1)
    try:
        cuts = PUBLISHED.fit(messages, sizes, Cuts(tiles))
    except SampleError as error:
        assert error.kind == "limit" and "6200" in str(error)
        text = len([i for i in PUBLISHED._tokens(messages, [1] * len(sizes)) if i >= 0])
        assert text + sum(size.tokens(least) for size in sizes) > 6200
        return
    assert cuts.tiles <= tiles
    ids = PUBLISHED._tokens(messages, [size.places(cuts) for size in sizes])
    assert TOKENIZER.decode([i for i in ids if i >= 0]).endswith(f"{question}\nassistant\n")
    assert sum(i >= 0 for i in ids) + sum(size.tokens(cuts) for size in sizes) <= 6200


def test_text_beyond_the_budget_is_refused_with_sizes() -> None:
    with pytest.raises(SampleError, match=r"text \d+, audio of 1 s 12.*4096") as error:
        Processor(TINY, TOKENIZER)(loaded("x" * 5000, tone(1.0)))
    assert error.value.kind == "limit"


def test_speech_too_short_or_too_long_is_refused() -> None:
    with pytest.raises(SampleError, match="20 ms") as short:
        Processor(TINY, TOKENIZER)(loaded("", tone(0.02)))
    assert short.value.kind == "permanent"
    with pytest.raises(SampleError, match="200 s") as long:
        Processor(TINY, TOKENIZER)(loaded("", Waveform(np.zeros(8000 * 201, np.float32), 8000)))
    assert long.value.kind == "limit"


@pytest.mark.parametrize(("width", "height"), [(1, 1), (20000, 50)])
def test_odd_shapes_are_cut(width: int, height: int) -> None:
    inputs = Processor(TINY, TOKENIZER)(loaded("What?", picture(width, height)))
    assert inputs.pixel_values is not None and inputs.pixel_values.isfinite().all()


def test_lengths_of_a_batch_stay_whole_numbers() -> None:
    processor = Processor(TINY, TOKENIZER)
    batch = collate([processor(loaded("", tone(0.5))), processor(loaded("hi")), processor(loaded("", tone(1.0)))])
    assert batch.audio is not None and batch.audio.shape == (2, 98, 80)
    assert batch.audio_lengths is not None and batch.audio_lengths.dtype == torch.int64
    assert batch.audio_lengths.tolist() == [48, 98]
    assert batch.pixel_values is None


def test_a_video_is_sampled(tmp_path: Path) -> None:
    from harness.media import Clip
    from tests.models.vita15.clips import write_video

    path = write_video(tmp_path / "a.mp4", frames=60, fps=10)
    messages = (Message("user", (Media("video", str(path)), Text("What?"))),)
    with Clip.open(Media("video", str(path))) as clip:
        inputs = Processor(TINY, TOKENIZER)(LoadedRequest(Request("1", messages, Generation()), (clip,)))
    assert inputs.input_ids.tolist().count(IMAGE) == 6
    assert inputs.pixel_values is not None and inputs.pixel_values.shape == (6, 3, 56, 56)


@pytest.mark.parametrize(
    ("rule", "most", "expected"),
    [
        ("model", None, [0, 10, 20, 30, 40, 50]),
        ("model", 3, [0, 20, 50]),
        ("uniform", 3, [0, 29, 59]),
        ("fps", 3, [0, 20, 50]),
        ("segments", 3, [10, 20, 40]),
    ],
)
def test_the_benchmarks_rule_picks_the_frames(
    tmp_path: Path, rule: FrameRule, most: int | None, expected: list[int]
) -> None:
    from harness.media import Clip
    from tests.models.vita15.clips import write_video

    path = write_video(tmp_path / "a.mp4", frames=60, fps=10)
    messages = (Message("user", (Media("video", str(path)), Text("What?"))),)
    request = Request("1", messages, Generation(), pictures=Pictures(max_frames=most, frame_rule=rule))
    with Clip.open(Media("video", str(path))) as clip:
        shown = [Image.fromarray(frame) for frame in clip.frames(expected)]
        inputs = Processor(TINY, TOKENIZER)(LoadedRequest(request, (clip,)))
        blank = Processor(TINY, TOKENIZER)(blanked(LoadedRequest(request, (clip,)), "video"))
    assert inputs.pixel_values is not None and blank.pixel_values is not None
    assert torch.equal(inputs.pixel_values, preprocess(shown, TINY.vision.image_size, TINY.image_aspect_ratio))
    assert torch.equal(inputs.input_ids, blank.input_ids) and inputs.pixel_values.shape == blank.pixel_values.shape


@pytest.mark.parametrize("rule", ["uniform", "fps", "segments"])
def test_a_long_prompt_takes_fewer_frames_by_the_same_rule(rule: FrameRule) -> None:
    messages = [Message("user", (Media("video", "a"), Text("x" * 3000)))]
    video = VideoSize(30.0, 3000, None, None, 256)
    cuts = PUBLISHED.fit(messages, [video], Cuts.asked(Pictures(max_frames=32, frame_rule=rule)))
    assert 1 <= cuts.frames < 16 and cuts.rule == rule
    assert video.indices(cuts) == sampled(rule, 3000, 30.0, cuts.frames)
