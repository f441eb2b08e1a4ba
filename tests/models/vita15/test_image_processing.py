import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

from models.vita15.image_processing import (
    BACKGROUND,
    MEAN,
    STD,
    _centre_crop,
    choose_grid,
    expand_to_square,
    preprocess,
    tile_image,
)


def noise(width: int, height: int) -> Image.Image:
    levels = np.random.default_rng(width * 100_003 + height).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(levels)


@given(st.integers(1, 30_000), st.integers(1, 30_000), st.integers(1, 24), st.integers(0, 23))
def test_grid_stays_in_range(width: int, height: int, low: int, more: int) -> None:
    columns, rows = choose_grid(width, height, low, low + more)
    assert low <= columns * rows <= low + more


@given(st.integers(1, 4), st.integers(1, 3))
def test_a_picture_made_of_tiles_keeps_its_grid(columns: int, rows: int) -> None:
    assert choose_grid(columns * 448, rows * 448, 1, 12) == (columns, rows)


def test_equally_near_grids_grow_with_the_picture() -> None:
    assert choose_grid(448, 448, 1, 12) == (1, 1)
    assert choose_grid(1000, 1000, 1, 12) == (3, 3)


@settings(max_examples=20)
@given(st.integers(1, 90), st.integers(1, 90), st.integers(1, 12))
def test_tiles_cover_the_stretched_picture_and_the_whole_comes_last(width: int, height: int, high: int) -> None:
    image = noise(width, height)
    columns, rows = choose_grid(width, height, 1, high, tile=14)
    tiles = tile_image(image, 1, high, tile=14)
    whole = tiles.pop() if columns * rows > 1 else tiles[0]
    assert len(tiles) == columns * rows
    grid = np.stack([np.array(tile) for tile in tiles]).reshape(rows, columns, 14, 14, 3)
    joined = grid.swapaxes(1, 2).reshape(rows * 14, columns * 14, 3)
    stretched = image.resize((columns * 14, rows * 14), Image.Resampling.BICUBIC)
    assert np.array_equal(joined, np.array(stretched))
    assert np.array_equal(np.array(whole), np.array(image.resize((14, 14), Image.Resampling.BICUBIC)))


@settings(max_examples=40)
@given(st.integers(1, 300), st.integers(1, 300), st.integers(1, 40), st.integers(1, 4000))
@example(2, 128, 1, 1)  # Pillow takes the tall ones in the other order
@example(2, 300, 20, 500)
@example(300, 2, 20, 500)
def test_centre_crop_is_that_of_the_whole_resized_picture(width: int, height: int, size: int, strip: int) -> None:
    image = noise(width, height)
    if width > height:
        resized = image.resize((int(size * width / height), size), Image.Resampling.BICUBIC)
    else:
        resized = image.resize((size, int(size * height / width)), Image.Resampling.BICUBIC)
    left, top = (resized.width - size) // 2, (resized.height - size) // 2
    expected = resized.crop((left, top, left + size, top + size))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("models.vita15.image_processing._STRIP_PIXELS", strip)
        assert np.array_equal(np.array(_centre_crop(image, size)), np.array(expected))


@pytest.mark.parametrize("shape", [(1, 1), (20_000, 50), (50, 20_000), (1, 100)])
def test_extreme_shapes_work(shape: tuple[int, int]) -> None:
    image = Image.new("RGB", shape, (255, 0, 128))
    pixels = preprocess([image, *tile_image(image, max_tiles=2)])
    expected = (torch.tensor([1.0, 0.0, 128 / 255]) - torch.tensor(MEAN)) / torch.tensor(STD)
    torch.testing.assert_close(pixels, expected[:, None, None].expand_as(pixels))


def test_padding_keeps_the_whole_picture_in_the_middle() -> None:
    image = noise(50, 30)
    square = np.array(expand_to_square(image))
    assert square.shape == (50, 50, 3)
    assert np.array_equal(square[10:40], np.array(image))
    assert (square[:10] == BACKGROUND).all()
    assert (square[40:] == BACKGROUND).all()
    assert tuple(int(255 * mean) for mean in MEAN) == BACKGROUND
    assert preprocess([image], 28, "pad").shape == (1, 3, 28, 28)


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "1"])
def test_other_modes_become_rgb(mode: str) -> None:
    image = noise(40, 20).convert(mode)
    assert all(tile.mode == "RGB" for tile in tile_image(image, tile=14))
    torch.testing.assert_close(preprocess([image], 14), preprocess([image.convert("RGB")], 14))


def test_no_picture_gives_an_empty_batch() -> None:
    assert preprocess([], 28).shape == (0, 3, 28, 28)


def test_pictures_beyond_the_limits_are_refused() -> None:
    with pytest.raises(ValueError, match="1x100000 is too long and thin"):
        preprocess([Image.new("RGB", (1, 100_000))])
    with pytest.raises(ValueError, match="20000x50 needs a square"):
        preprocess([Image.new("RGB", (20_000, 50))], aspect="pad")


@pytest.mark.parametrize(("size", "tiles"), [((0, 5), (1, 12)), ((5, 5), (0, 12)), ((5, 5), (4, 3))])
def test_impossible_grids_are_refused(size: tuple[int, int], tiles: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match=r"at least 1|expected 1 <= min <= max"):
        choose_grid(*size, *tiles)
