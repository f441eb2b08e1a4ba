"""Pictures: every mode and format becomes what a person sees, and how much memory that may take."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image, ImageOps, PngImagePlugin

from harness.failures import SampleError
from harness.media import load, probe
from harness.media.pictures import _upright
from harness.types import Media, Picture
from tests.harness.media_files import peak_bytes

Pixels = npt.NDArray[np.uint8]


def seen(path: Path) -> Pixels:
    found = load(Media("image", str(path)))
    assert isinstance(found, Picture)
    assert found.pixels.dtype == np.uint8 and found.pixels.flags.c_contiguous
    return found.pixels


def greys(path: Path) -> list[int]:
    return [int(value) for value in seen(path)[0, :, 0]]


@pytest.mark.parametrize("mode", ["RGB", "L", "P", "CMYK", "RGBA", "LA", "1", "I;16"])
def test_every_mode_becomes_rgb(tmp_path: Path, mode: str) -> None:
    path = tmp_path / ("a.tif" if mode == "CMYK" else "a.png")
    white = Image.new("I;16", (4, 3), 65535) if mode == "I;16" else Image.new("L", (4, 3), 255).convert(mode)
    white.save(path)
    assert seen(path).shape == (3, 4, 3)
    assert (seen(path) == 255).all()


@pytest.mark.parametrize("ending", ["avif", "bmp", "gif", "GIF", "jpg", "JPG", "jp2", "png", "tif", "TIF", "webp"])
def test_every_usual_format_is_read(tmp_path: Path, ending: str) -> None:
    Image.new("RGB", (20, 10), (200, 100, 50)).save(tmp_path / f"a.{ending}")
    pixels = seen(tmp_path / f"a.{ending}")
    assert pixels.shape == (10, 20, 3)
    assert np.abs(pixels.astype(int) - (200, 100, 50)).max() < 12
    assert (probe(Media("image", str(tmp_path / f"a.{ending}"))).width) == 20


def test_of_an_animation_the_first_picture(tmp_path: Path) -> None:
    first, second = Image.new("RGB", (4, 4), (255, 0, 0)), Image.new("RGB", (4, 4), (0, 0, 255))
    first.save(tmp_path / "a.gif", save_all=True, append_images=[second])
    assert (seen(tmp_path / "a.gif") == (255, 0, 0)).all()


def test_transparency_is_laid_on_white(tmp_path: Path) -> None:
    Image.fromarray(np.array([[[0, 0, 0, 0], [200, 100, 0, 128], [9, 8, 7, 255]]], np.uint8)).save(tmp_path / "a.png")
    assert seen(tmp_path / "a.png").tolist() == [[[255, 255, 255], [227, 177, 127], [9, 8, 7]]]
    palette = Image.new("P", (2, 1))
    palette.putpalette([0, 0, 0, 10, 20, 30])
    palette.putdata([0, 1])
    palette.save(tmp_path / "b.png", transparency=0)
    assert seen(tmp_path / "b.png").tolist() == [[[255, 255, 255], [10, 20, 30]]]


def test_16_bit_grey_with_transparency_is_not_white(tmp_path: Path) -> None:
    Image.fromarray(np.array([[0, 256, 32768, 65535]], np.uint16)).save(tmp_path / "a.png", transparency=256)
    assert greys(tmp_path / "a.png") == [0, 255, 128, 255]


def png(width: int, depth: int, colour: int, row: bytes, transparent: bytes) -> bytes:
    """One row of pixels, colour 0 grey, 2 RGB."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, 1, depth, colour, 0, 0, 0))
        + chunk(b"tRNS", transparent)
        + chunk(b"IDAT", zlib.compress(b"\0" + row))
        + chunk(b"IEND", b"")
    )


def test_the_transparent_colour_of_16_bit_rgb_is_laid_on_white(tmp_path: Path) -> None:
    row = np.array([0xFFFF, 0, 0, 0x1234, 0x5678, 0x9ABC], ">u2").tobytes()
    (tmp_path / "a.png").write_bytes(png(2, 16, 2, row, struct.pack(">HHH", 0x1234, 0x5678, 0x9ABC)))
    assert seen(tmp_path / "a.png").tolist() == [[[255, 0, 0], [255, 255, 255]]]


@pytest.mark.parametrize(
    ("depth", "row", "transparent", "wanted"),
    [
        (1, b"\x40", 0, [255, 255]),
        (2, b"\x60", 2, [85, 255]),
        (4, b"\x1a", 10, [17, 255]),
        (8, b"\x07\x09", 9, [7, 255]),
    ],
)
def test_the_transparent_grey_of_any_depth_is_laid_on_white(
    tmp_path: Path, depth: int, row: bytes, transparent: int, wanted: list[int]
) -> None:
    (tmp_path / "a.png").write_bytes(png(2, depth, 0, row, struct.pack(">H", transparent)))
    assert greys(tmp_path / "a.png") == wanted


def test_floats_in_a_pfm_are_not_black(tmp_path: Path) -> None:
    (tmp_path / "a.pfm").write_bytes(b"Pf\n3 1\n-1.0\n" + np.array([0.0, 0.5, 1.0], "<f4").tobytes())
    assert greys(tmp_path / "a.pfm") == [0, 128, 255]


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        (np.array([[0.0, 0.5, 1.0]], np.float32), [0, 128, 255]),
        (np.array([[-3.0, 100.4, 255.0]], np.float32), [0, 100, 255]),
        (np.array([[0.0, 25600.0, 65535.0]], np.float32), [0, 100, 255]),
        (np.array([[0, 100, 255]], np.int32), [0, 100, 255]),
        (np.array([[0, 25600, 65535]], np.uint16), [0, 100, 255]),
        (np.array([[0, 1 << 29, 1 << 30]], np.int32), [0, 127, 255]),
    ],
)
def test_a_deep_grey_tiff_is_neither_black_nor_white(
    tmp_path: Path, values: npt.NDArray[np.float32], wanted: list[int]
) -> None:
    Image.fromarray(values).save(tmp_path / "a.tif")
    assert greys(tmp_path / "a.tif") == wanted


def test_grey_that_is_no_number_is_refused(tmp_path: Path) -> None:
    Image.fromarray(np.array([[0.0, np.nan]], np.float32)).save(tmp_path / "a.tif")
    with pytest.raises(SampleError, match=r"not finite.*|cannot be decoded: .*a\.tif"):
        seen(tmp_path / "a.tif")


@pytest.mark.parametrize("depth", [4095, 65535])
def test_a_deep_grey_pgm_is_scaled_by_its_own_range(tmp_path: Path, depth: int) -> None:
    values = np.array([0, depth // 2, depth], ">u2")
    (tmp_path / "a.pgm").write_bytes(b"P5 3 1 %d\n" % depth + values.tobytes())
    assert greys(tmp_path / "a.pgm") == [0, 127, 255]


@pytest.mark.parametrize("ending", ["jpg", "png", "tif", "webp", "avif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photo_stands_upright(tmp_path: Path, ending: str, orientation: int) -> None:
    path = tmp_path / f"a.{ending}"
    image = Image.new("RGB", (32, 16))
    image.paste((255, 255, 255), (0, 0, 16, 8))  # a white corner shows the turn
    exif = image.getexif()
    exif[0x0112] = orientation
    image.save(path, exif=exif, quality=95)
    with Image.open(path) as again:
        wanted = np.asarray(ImageOps.exif_transpose(again).convert("RGB"))
    found = seen(path)
    assert found.shape == wanted.shape == ((16, 32, 3) if orientation < 5 else (32, 16, 3))
    assert np.array_equal(found, wanted)
    corner = {(True, True): (0, 0), (True, False): (0, 1), (False, True): (1, 0), (False, False): (1, 1)}
    at = corner[orientation in (1, 2, 5, 6), orientation in (1, 4, 5, 8)]
    assert found[-4 if at[0] else 4, -4 if at[1] else 4].min() > 200
    extent = probe(Media("image", str(path)))
    assert (extent.width, extent.height) == (found.shape[1], found.shape[0])


@given(arrays(np.uint8, st.tuples(st.integers(1, 5), st.integers(1, 5), st.just(3))), st.integers(1, 8))
def test_turning_agrees_with_pillow(pixels: Pixels, orientation: int) -> None:
    image = Image.fromarray(pixels)
    image.getexif()[0x0112] = orientation
    assert np.array_equal(_upright(pixels, orientation), np.asarray(ImageOps.exif_transpose(image)))


def test_broken_exif_is_passed_over(tmp_path: Path) -> None:
    Image.new("RGB", (4, 2)).save(tmp_path / "a.jpg", exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff\x01\x12\0")
    assert seen(tmp_path / "a.jpg").shape == (2, 4, 3)


def test_a_png_with_a_long_text_is_read(tmp_path: Path) -> None:
    texts = PngImagePlugin.PngInfo()
    texts.add_text("parameters", "a" * (2 << 20), zip=True)
    Image.new("RGB", (4, 2), (1, 2, 3)).save(tmp_path / "a.png", pnginfo=texts)
    assert seen(tmp_path / "a.png").tolist() == [[[1, 2, 3]] * 4] * 2
    texts.add_text("bomb", "a" * (17 << 20), zip=True)
    Image.new("RGB", (4, 2)).save(tmp_path / "b.png", pnginfo=texts)
    with pytest.raises(SampleError, match="Decompressed data too large"):
        seen(tmp_path / "b.png")


@pytest.mark.parametrize("size", [(1, 1), (20000, 50), (50, 20000)])
def test_odd_sizes(tmp_path: Path, size: tuple[int, int]) -> None:
    Image.new("RGB", size).save(tmp_path / "a.png")
    assert seen(tmp_path / "a.png").shape == (size[1], size[0], 3)


def test_strips_join_without_a_seam(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (1500, 1000, 4), dtype=np.uint8)
    pixels[..., 3] = 255
    Image.fromarray(pixels).save(tmp_path / "a.png", compress_level=1)
    assert np.array_equal(seen(tmp_path / "a.png"), pixels[..., :3])


@pytest.mark.parametrize("ending", ["png", "jpg", "webp", "gif", "bmp", "tif", "avif"])
def test_a_cut_picture_is_refused(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"a.{ending}"
    Image.effect_noise((64, 64), 50).save(path)
    whole = path.read_bytes()
    for share in (0.05, 0.5, 0.9):
        path.write_bytes(whole[: int(len(whole) * share)])
        with pytest.raises(SampleError, match=rf"cannot be decoded: .*a\.{ending}"):
            seen(path)


def test_what_is_no_picture_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"this is no image")
    (tmp_path / "b.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\nshowpage\n")
    for name in ("a.png", "b.png"):  # PostScript would be run by another program
        with pytest.raises(SampleError, match="cannot be decoded"):
            seen(tmp_path / name)


def test_the_bound_on_pixels_is_told_and_can_be_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Image.new("1", (14000, 14000)).save(tmp_path / "a.png")
    Image.new("1", (10, 11)).save(tmp_path / "b.png")
    with pytest.raises(SampleError, match=r"14000 x 14000 .*more than 100000000 pixels; HARNESS_MAX_PIXELS") as caught:
        seen(tmp_path / "a.png")
    assert caught.value.kind == "limit"
    monkeypatch.setenv("HARNESS_MAX_PIXELS", "100")
    with pytest.raises(SampleError, match=r"10 x 11 .*more than 100 pixels; HARNESS_MAX_PIXELS"):
        seen(tmp_path / "b.png")


@pytest.mark.parametrize("form", ["png", "rgba.png", "p.png", "jpg", "webp", "avif", "tif", "16.png"])
def test_a_picture_takes_at_most_sixteen_bytes_a_pixel(tmp_path: Path, form: str) -> None:
    path, side = tmp_path / f"a.{form}", 3000
    mode = {"rgba.png": "RGBA", "p.png": "P", "16.png": "I;16"}.get(form, "RGB")
    exif = Image.Exif()
    exif[0x0112] = 6
    options = {"exif": exif} if form in ("jpg", "png") else {"speed": 10} if form == "avif" else {}
    if form == "jpg":
        options |= {"progressive": True, "subsampling": 0}
    Image.new(mode, (side, side)).save(path, **options)
    assert 3 * side * side < peak_bytes("load_image(paths[0])", path) < 16 * side * side + (30 << 20)


def test_a_picture_over_the_bound_takes_no_memory(tmp_path: Path) -> None:
    """0.05 MB of PNG for 600 MB decoded."""
    Image.new("1", (14000, 14000)).save(tmp_path / "a.png")
    assert peak_bytes("load_image(paths[0])", tmp_path / "a.png") < 20 << 20
