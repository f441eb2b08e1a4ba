"""Pictures: sizes, order of patches and frames, against transformers' own image processor."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.nexus_o.config import PictureConfig, VisionConfig
from models.nexus_o.pictures import chosen_frames, fitted, frame_size, grid_of, image_size, patches
from models.nexus_o.positions import Grid

VISION, LIMITS = VisionConfig(), PictureConfig()


@given(st.integers(1, 9000), st.integers(1, 9000))
def test_sides_are_multiples_and_pixels_within_limits(height: int, width: int) -> None:
    if max(height, width) > 200 * min(height, width):
        with pytest.raises(ValueError, match="200 times"):
            fitted(height, width, 28, 3136, 100_000)
        return
    size = fitted(height, width, 28, 3136, 100_000)
    assert size.height % 28 == size.width % 28 == 0
    assert size.height * size.width >= 3136
    longest = max(size.height, size.width)
    assert size.height * size.width <= 100_000 or longest * 28 == size.height * size.width, "a side is never below 28"


def test_sizes_by_example() -> None:
    assert fitted(480, 640, 28, 3136, 12845056) == (476, 644)
    assert fitted(10, 10, 28, 3136, 12845056) == (56, 56)
    assert fitted(4000, 4000, 28, 3136, 12845056) == (3584, 3584)
    assert grid_of(image_size(480, 640, VISION, LIMITS), 1, VISION) == Grid(1, 17, 23)


def test_many_frames_share_the_pixels_of_a_video() -> None:
    few, many = (frame_size(1080, 1920, frames, VISION, LIMITS) for frames in (8, 768))
    assert few.height * few.width <= 768 * 784
    assert many.height * many.width <= LIMITS.video_total_pixels * 2 // 768
    assert few > many


@settings(max_examples=20, deadline=None)
@given(st.integers(20, 130), st.integers(20, 130), st.integers(0, 9))
def test_patches_are_those_of_transformers(height: int, width: int, seed: int) -> None:
    module = pytest.importorskip("transformers.models.qwen2_vl.image_processing_pil_qwen2_vl")
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    theirs = module.Qwen2VLImageProcessorPil(min_pixels=LIMITS.min_pixels, max_pixels=LIMITS.max_pixels)
    want = theirs(images=[pixels], return_tensors="pt")
    size = image_size(height, width, VISION, LIMITS)
    grid = grid_of(size, 1, VISION)
    assert [grid.layers, grid.rows * 2, grid.columns * 2] == want["image_grid_thw"][0].tolist()
    torch.testing.assert_close(patches([pixels], size, VISION), want["pixel_values"], atol=1e-6, rtol=0)


def test_frames_of_a_video_stand_in_pairs() -> None:
    """Every layer's patches hold its two frames one behind the other; the last is repeated."""
    frames = [np.full((56, 28, 3), 50 * number, np.uint8) for number in range(3)]
    size = fitted(56, 28, 28, 1, 10_000)
    found = patches(frames, size, VISION).reshape(2, 8, 3, 2, 14 * 14)  # layers, patches, channels, frames, pixels
    alone = [patches([frame], size, VISION).reshape(8, 3, 2, 14 * 14)[:, :, 0] for frame in frames]
    for layer, pair in enumerate([(0, 1), (2, 2)]):
        for place, number in enumerate(pair):
            assert torch.equal(found[layer, :, :, place], alone[number])


@pytest.mark.parametrize(
    ("n_frames", "fps", "count"), [(300, 30.0, 20), (30, 30.0, 4), (3, 30.0, 2), (1, 30.0, 1), (250, 10.0, 50)]
)
def test_two_frames_a_second_and_an_even_number_of_them(n_frames: int, fps: float, count: int) -> None:
    found = chosen_frames(n_frames, fps, LIMITS)
    assert len(found.indices) == count
    assert found.indices == sorted(set(found.indices))
    assert found.indices[0] == 0 and found.indices[-1] == (n_frames - 1 if count > 1 else 0)
    assert found.fps == pytest.approx(count / n_frames * fps)


@given(
    st.integers(1, 4000), st.floats(1, 60), st.integers(1, 900), st.sampled_from(["model", "uniform", "fps", "centres"])
)
def test_frames_are_of_the_video_and_no_more_than_asked(n_frames: int, fps: float, most: int, rule: str) -> None:
    found = chosen_frames(n_frames, fps, LIMITS, rule, most)  # type: ignore[arg-type]
    assert 1 <= len(found.indices) <= most
    assert all(0 <= index < n_frames for index in found.indices)
    assert grid_of(fitted(60, 60, 28, 1, 9999), len(found.indices), VISION, found.fps).seconds > 0


def test_a_cut_is_seen_alone() -> None:
    found = chosen_frames(300, 30.0, LIMITS, start_s=2.0, end_s=4.0)
    assert (found.indices[0], found.indices[-1]) == (60, 120)
    with pytest.raises(ValueError, match="ends at"):
        chosen_frames(300, 30.0, LIMITS, start_s=20.0)
