"""From pictures to pixel values: dynamic tiles for images, a centre crop for video frames, normalisation.

Tiling is InternVL's dynamic high resolution, the rest a CLIP image processor with ImageNet statistics; facts
from the VITA-1.5 paper, the InternViT-300M-448px preprocessor config and the reference implementation.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from models.vita15.config import ImageAspectRatio

MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)
BACKGROUND = (123, 116, 103)  # the mean colour, in whole steps
MAX_SQUARE_PIXELS = 1 << 26  # 8192 x 8192; what `expand_to_square` may make
MAX_LONG_SIDE = 1 << 18  # of a picture whose short side was brought to the crop's

_STRIP_PIXELS = 1 << 22  # bounds the memory of one step of a centre crop


class Grid(NamedTuple):
    columns: int
    rows: int


def choose_grid(width: int, height: int, min_tiles: int = 1, max_tiles: int = 12, tile: int = 448) -> Grid:
    """The grid of min_tiles to max_tiles tiles whose shape is nearest to the picture's.

    Of grids equally near, a larger one wins if the picture has more than half of its pixels.
    Raises ValueError on sizes below 1 or a reversed range.
    """
    if min(width, height, tile) < 1:
        raise ValueError(f"a picture of {width}x{height} in tiles of {tile}: sizes must be at least 1")
    if not 1 <= min_tiles <= max_tiles:
        raise ValueError(f"min_tiles {min_tiles} and max_tiles {max_tiles}: expected 1 <= min <= max")
    aspect = width / height
    best, nearest = Grid(1, 1), float("inf")
    for grid in _candidates(min_tiles, max_tiles):
        distance = abs(aspect - grid.columns / grid.rows)
        fills = width * height > 0.5 * tile * tile * grid.columns * grid.rows
        if distance < nearest or (distance == nearest and fills):
            best, nearest = grid, distance
    return best


def _candidates(min_tiles: int, max_tiles: int) -> Iterator[Grid]:
    """All grids in the range, the smaller first."""
    for tiles in range(min_tiles, max_tiles + 1):
        for columns in range(1, tiles + 1):
            if tiles % columns == 0:
                yield Grid(columns, tiles // columns)


def tile_image(image: Image.Image, min_tiles: int = 1, max_tiles: int = 12, tile: int = 448) -> list[Image.Image]:
    """Stretch a picture onto its grid and cut it, row by row; with more than one tile the whole comes last.

    Returns RGB pictures of tile x tile. Raises ValueError as `choose_grid` does.
    """
    image = _rgb(image)
    columns, rows = choose_grid(image.width, image.height, min_tiles, max_tiles, tile)
    stretched = image.resize((columns * tile, rows * tile), Image.Resampling.BICUBIC)
    tiles = [
        stretched.crop((x * tile, y * tile, (x + 1) * tile, (y + 1) * tile))
        for y in range(rows)
        for x in range(columns)
    ]
    if len(tiles) > 1:
        tiles.append(image.resize((tile, tile), Image.Resampling.BICUBIC))
    return tiles


def preprocess(images: Sequence[Image.Image], size: int = 448, aspect: ImageAspectRatio = "square") -> Tensor:
    """Pictures of any sizes -> pixel values [N, 3, size, size], fp32.

    "square": the short side is brought to `size` and the long side cropped about its centre (a tile of that
    size is left as it is). "pad": the picture is first put on a square of the mean colour; nothing is cut.
    Raises ValueError on a picture too long and thin: see MAX_LONG_SIDE and MAX_SQUARE_PIXELS.
    """
    pixels = torch.empty(len(images), 3, size, size)
    mean, std = torch.tensor(MEAN)[:, None, None], torch.tensor(STD)[:, None, None]
    for index, image in enumerate(images):
        image = _rgb(image)
        if aspect == "pad":
            image = expand_to_square(image)
        levels = torch.from_numpy(np.array(_centre_crop(image, size)))  # [size, size, 3], u8
        pixels[index] = (levels.permute(2, 0, 1).float() / 255 - mean) / std
    return pixels


def expand_to_square(image: Image.Image, background: tuple[int, int, int] = BACKGROUND) -> Image.Image:
    """The picture centred on a square of its longer side. ValueError above MAX_SQUARE_PIXELS."""
    side = max(image.size)
    if image.width == image.height:
        return image
    if side * side > MAX_SQUARE_PIXELS:
        raise ValueError(
            f"a picture of {image.width}x{image.height} needs a square of {side}x{side}, above the limit of "
            f"{MAX_SQUARE_PIXELS} pixels: scale it down first"
        )
    square = Image.new("RGB", (side, side), background)
    square.paste(image, ((side - image.width) // 2, (side - image.height) // 2))
    return square


def _centre_crop(image: Image.Image, size: int) -> Image.Image:
    """Bring the short side to `size` and cut `size` x `size` from the centre.

    A long thin picture that is enlarged grows far larger than what is cut from it. Pillow then resamples
    across, rounds, and resamples down, so taking the steps one by one and dropping early what the crop leaves
    out gives the same bytes.
    """
    if image.size == (size, size):
        return image
    short, long = sorted(image.size)
    stretched = int(size * long / short)
    if stretched > MAX_LONG_SIDE:
        raise ValueError(
            f"a picture of {image.width}x{image.height} is too long and thin: with its short side at {size} "
            f"the long side would have {stretched} pixels, above the limit of {MAX_LONG_SIDE}; crop it first"
        )
    width, height = (stretched, size) if image.width > image.height else (size, stretched)
    left, top = (width - size) // 2, (height - size) // 2
    if short >= size:  # made smaller: no larger than what is in memory already
        return image.resize((width, height), Image.Resampling.BICUBIC).crop((left, top, left + size, top + size))

    across = Image.new("RGB", (size, image.height))
    for start, stop in _strips(image.height, length=width):
        strip = image.crop((0, start, image.width, stop)).resize((width, stop - start), Image.Resampling.BICUBIC)
        across.paste(strip.crop((left, 0, left + size, stop - start)), (0, start))

    down = Image.new("RGB", (size, size))
    for start, stop in _strips(size, length=height):
        strip = across.crop((start, 0, stop, image.height)).resize((stop - start, height), Image.Resampling.BICUBIC)
        down.paste(strip.crop((0, top, stop - start, top + size)), (start, 0))
    return down


class _Strip(NamedTuple):
    start: int
    stop: int


def _strips(breadth: int, length: int) -> Iterator[_Strip]:
    """Cut 0..breadth so that no strip of that length exceeds _STRIP_PIXELS."""
    step = max(1, _STRIP_PIXELS // length)
    for start in range(0, breadth, step):
        yield _Strip(start, min(start + step, breadth))


def _rgb(image: Image.Image) -> Image.Image:
    return image if image.mode == "RGB" else image.convert("RGB")
