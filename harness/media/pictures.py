"""Pictures: decoding to RGB."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.failures import SampleError
from harness.types import Picture

MAX_PIXELS = 200_000_000
"""Larger images are refused: decoding one would take more than 600 MB."""


def load_image(path: Path) -> Picture:
    """An image as RGB; palette, grey, CMYK and 16-bit images are converted, transparency is laid on white."""
    import numpy as np
    from PIL import Image

    try:
        with Image.open(path) as image:
            if image.width * image.height > MAX_PIXELS:
                raise SampleError(
                    f"image has {image.width} x {image.height} pixels, more than {MAX_PIXELS}: {path}",
                    "limit",
                )
            return Picture(np.asarray(_to_rgb(image)))
    except SampleError:
        raise
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise SampleError(f"image cannot be decoded: {path}: {error}") from error


def _to_rgb(image: Any) -> Any:
    from PIL import Image

    if "transparency" in image.info or image.mode in ("RGBA", "LA", "PA"):
        rgba = image.convert("RGBA")
        white = Image.new("RGBA", rgba.size, "white")
        return Image.alpha_composite(white, rgba).convert("RGB")
    if image.mode.startswith("I"):  # 16- and 32-bit grey: convert() would clip at 255
        return image.convert("I").point(lambda value: value / 256).convert("RGB")
    return image.convert("RGB")
