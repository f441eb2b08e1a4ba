"""Tables as VLMEvalKit publishes them: text with tabs, pictures in base64 of PNG."""

from __future__ import annotations

import base64
import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from PIL import Image

from tasks.mini.asks import digest

COLOURS = 48
"""In a stored picture."""


def png(image: Image.Image) -> bytes:
    """With a palette, without dithering."""
    file = io.BytesIO()
    few = image.quantize(COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    few.save(file, format="PNG", optimize=True)
    return file.getvalue()


class Table:
    """Rows with an `index` and an `image`; a picture that was there before is named by the index of its row."""

    def __init__(self, columns: Sequence[str]) -> None:
        self.columns = tuple(columns)
        self._rows: list[dict[str, str]] = []
        self._holders: dict[str, str] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, index: str | int, images: Sequence[Image.Image], cells: Mapping[str, str]) -> None:
        """Cells by column, absent ones are empty; several pictures make a list."""
        unknown = cells.keys() - set(self.columns)
        if unknown:
            raise ValueError(f"no column for {sorted(unknown)} in {self.columns}")
        self._rows.append({"index": str(index), "image": self._cell(str(index), images), **cells})

    def _cell(self, index: str, images: Sequence[Image.Image]) -> str:
        if len(images) > 1:
            return repr([_encoded(image) for image in images])
        holder = self._holders.setdefault(digest(images[0]), index)
        return _encoded(images[0]) if holder == index else holder

    def write(self, path: Path) -> int:
        """The number of rows."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, self.columns, restval="", delimiter="\t", lineterminator="\n")
            writer.writeheader()
            writer.writerows(self._rows)
        return len(self)


def _encoded(image: Image.Image) -> str:
    return base64.b64encode(png(image)).decode()


def pixels_of(path: Path) -> bytes:
    """A table's cells with each picture's pixels in the place of its encoding."""
    csv.field_size_limit(1 << 30)
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file, delimiter="\t"))
    return repr([[_decoded(cell) for cell in row] for row in rows]).encode()


def _decoded(cell: str) -> object:
    if cell.startswith("["):
        return [_decoded(part) for part in cell.strip("[]").replace("'", "").split(", ")]
    if not cell.startswith("iVBOR"):  # a PNG's first bytes
        return cell
    with Image.open(io.BytesIO(base64.b64decode(cell))) as image:
        return image.size, image.convert("RGB").tobytes()
