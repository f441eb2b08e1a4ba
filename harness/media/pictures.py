"""Pictures: decoding to upright RGB, transparency laid on white."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.failures import SampleError
from harness.media.files import require_file, shown
from harness.media.limits import PIXELS, TEXT_BYTES
from harness.types import Picture

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Pixels = npt.NDArray[np.uint8]

_FORMATS = (
    "PNG,JPEG,MPO,GIF,BMP,DIB,TIFF,WEBP,AVIF,JPEG2000,PPM,TGA,PCX,ICO,CUR,ICNS,PSD,SGI,SUN,XBM,XPM,QOI,DDS,IM,MSP,DCX"
)
"""Not EPS and WMF, which start other programs."""
_ORIENTATION = 0x0112
_TURNS = {2: (0, True), 3: (2, False), 4: (2, True), 5: (3, True), 6: (3, False), 7: (1, True), 8: (1, False)}
"""EXIF orientation -> quarter turns against the clock, and whether left and right are swapped afterwards."""
_PNG_EXIF = {"exif", "Raw profile type exif", "XML:com.adobe.xmp", "xmp"}
_BITS_PER_SAMPLE = 258
_FEW_BITS = {"L;2": 85, "L;4": 17}
"""Grey of 2 and 4 bits in PNG: what Pillow multiplies the pixels with, and not the transparent value."""
_STRIP = 1 << 20
"""Pixels that are converted at once."""


def load_image(path: Path) -> Picture:
    """An image as RGB, upright by its EXIF orientation, of an animation the first picture.

    Transparency is laid on white. Grey of 16 bits keeps its upper 8; of floats 0..1 is black to white, larger ranges
    are 0..255 or 0..65535, whichever holds them. Raises SampleError for a file that is broken or over a bound of
    `harness.media.limits`.
    """
    from PIL import Image

    require_file("image", path)
    try:
        return Picture(_upright(*_decoded(path)))
    except (SampleError, MemoryError):
        raise
    except Image.DecompressionBombError as error:
        raise PIXELS.exceeded(f"image {shown(path)}: {error}") from error
    except Exception as error:  # Pillow's readers raise nearly anything on broken files
        raise SampleError(f"image cannot be decoded: {shown(path)}: {_told(error)}") from error


def _decoded(path: Path) -> tuple[Pixels, int]:
    """The pixels as they are stored, and their orientation; Pillow's own copy is gone when they are turned."""
    with opened_image(path) as image:
        few_bits = _FEW_BITS.get(str(image.tile[0].args), 1) if image.format == "PNG" and image.tile else 1
        image.load()
        if few_bits > 1 and isinstance(image.info.get("transparency"), int):
            image.info["transparency"] *= few_bits
        return _rgb(image), orientation(image)


@contextmanager
def opened_image(path: Path) -> Iterator[Any]:
    """An image whose pixels are not decoded yet. Raises SampleError when there are too many."""
    from PIL import Image

    formats = _formats()
    Image.MAX_IMAGE_PIXELS = max(Image.MAX_IMAGE_PIXELS or 0, PIXELS.value)
    with path.open("rb") as file, Image.open(file, formats=formats) as image:
        if image.width * image.height > PIXELS.value:
            raise PIXELS.exceeded(f"image of {image.width} x {image.height} pixels: {shown(path)}")
        yield image


def orientation(image: Any) -> int:
    """EXIF orientation, 1 (upright) to 8; 1 where it is not said or cannot be read.

    Pillow decodes a PNG whole to look for what may stand after its pixels: that is seen once they are decoded anyway.
    """
    if image.format == "PNG" and not _PNG_EXIF & image.info.keys():
        return 1
    try:
        said = image.getexif().get(_ORIENTATION, 1)
    except Exception:
        return 1
    return said if said in _TURNS else 1


def upright_size(image: Any) -> tuple[int, int]:
    """Width and height after turning; Pillow itself turns TIFF."""
    sideways = image.format != "TIFF" and orientation(image) >= 5
    return (image.height, image.width) if sideways else (image.width, image.height)


@lru_cache(maxsize=1)
def _formats() -> tuple[str, ...]:
    """Those that this Pillow has. On the way its bound on a PNG's text chunks is raised, and its warning of large
    pictures, for which there is an error here, is silenced."""
    from PIL import Image, PngImagePlugin

    Image.init()
    warnings.simplefilter("ignore", Image.DecompressionBombWarning)
    PngImagePlugin.MAX_TEXT_CHUNK = max(PngImagePlugin.MAX_TEXT_CHUNK, TEXT_BYTES)
    return tuple(name for name in _FORMATS.split(",") if name in Image.OPEN)


def _rgb(image: Any) -> Pixels:
    """uint8 [height, width, 3], made strip by strip."""
    import numpy as np

    if image.mode in ("RGB", "L") and "transparency" not in image.info and image.height * image.width <= _STRIP:
        return np.array(image.convert("RGB"))  # nearly every picture
    scale = _grey_scale(image) if image.mode[0] in "IF" else 1.0
    pixels = np.empty((image.height, image.width, 3), np.uint8)
    rows = max(1, _STRIP // image.width)
    for top in range(0, image.height, rows):
        strip = image.crop((0, top, image.width, min(top + rows, image.height)))
        into = pixels[top : top + rows]
        if image.mode[0] in "IF":
            into[:] = _grey(np.asarray(strip), scale, image.info.get("transparency"))[..., None]
        else:
            into[:] = np.asarray(_on_white(strip))
    return pixels


def _on_white(image: Any) -> Any:
    from PIL import Image

    if "transparency" not in image.info and not image.has_transparency_data:
        return image.convert("RGB")
    colour = image.info.get("transparency")
    if image.mode == "RGB" and isinstance(colour, tuple) and max(colour) > 255:  # of a picture with 16 bits
        image.info["transparency"] = tuple(value >> 8 for value in colour)
    rgba = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")


def _grey(values: npt.NDArray[Any], scale: float, transparent: object) -> Pixels:
    import numpy as np

    if not np.isfinite(values).all():
        raise ValueError("it has grey values that are not finite numbers")
    scaled = np.rint(values * scale) if values.dtype.kind == "f" else values * scale
    grey = np.clip(scaled, 0, 255).astype(np.uint8)
    if isinstance(transparent, int):
        grey[values == transparent] = 255
    return grey


def _grey_scale(image: Any) -> float:
    """What grey values deeper than 8 bits are multiplied with to be 0..255."""
    highest = float(image.getextrema()[1])
    if image.mode == "F" and highest <= 1:
        return 255.0
    bits = int(max(image.tag_v2.get(_BITS_PER_SAMPLE, (16,)))) if image.format == "TIFF" else 16
    if image.mode != "F" and 8 <= bits < 16:
        return float(2.0 ** (8 - bits))
    if highest <= 255 and (image.mode == "F" or bits > 16):
        return 1.0
    return 1 / 256 if highest <= 65535 else 255 / highest


def _upright(pixels: Pixels, orientation: int) -> Pixels:
    import numpy as np

    turns, swapped = _TURNS.get(orientation, (0, False))
    turned = np.rot90(pixels, turns)
    return np.ascontiguousarray(turned[:, ::-1] if swapped else turned)


def _told(error: Exception) -> str:
    return str(error) if isinstance(error, OSError | ValueError | SyntaxError) else f"{type(error).__name__}: {error}"
