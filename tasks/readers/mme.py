"""Readers of MME: the archive's category folders, or VLMEvalKit's table with images in base64.

Rows have the columns {question_id, image_path, category, question, answer}; `sample_id` and `image` (a path, or
bytes from a table) are added. Questions on one image are numbered: `<category>/<image>/<0, 1>`.
"""

from __future__ import annotations

import base64
import binascii
import csv
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from harness.contracts import Row
from tasks.readers.layout import (
    IMAGE_SUFFIXES,
    LayoutError,
    existing,
    found_instead,
    lines,
    need_file,
    need_folder,
)
from tasks.readers.parquet import check_columns

_QUESTIONS, _IMAGES = "questions_answers_YN", "images"
_TSV_COLUMNS = ("index", "image", "question", "answer", "category")
_LONGEST_INDEX = 64
"""VLMEvalKit: an image cell of at most this many characters is the index of the row that holds the image."""


def read(folder: Path) -> Iterator[Row]:
    """`MME/<category>/...`, or `MME.tsv` in the folder or in `MME/`."""
    for table in (folder / "MME.tsv", folder / "MME" / "MME.tsv"):
        if table.is_file():
            return numbered(tsv(table))
    return numbered(archive(need_folder(folder / "MME")))


def archive(root: Path) -> Iterator[Row]:
    """`<category>/{images/*.jpg, questions_answers_YN/*.txt}`, or images and texts side by side in the category.

    A text has one line for each question: the question, a tab, Yes or No.
    """
    found = False
    for category in sorted(path for path in root.iterdir() if path.is_dir()):
        texts = category / _QUESTIONS if (category / _QUESTIONS).is_dir() else category
        images = category / _IMAGES if (category / _IMAGES).is_dir() else category
        for text in sorted(texts.glob("*.txt")):
            found = True
            image = existing(images / f"{text.stem}.jpg", IMAGE_SUFFIXES)
            yield from _questions(text, image, category.name)
        if texts != category and not any(texts.glob("*.txt")):
            raise LayoutError(f"no question files (*.txt) in {texts}. {found_instead(texts / '*.txt')}")
    if not found:
        wanted = root / "<category>" / _QUESTIONS / "<image>.txt"
        raise LayoutError(f"file not found: {wanted}. {found_instead(wanted)}")


def _questions(text: Path, image: Path, category: str) -> Iterator[Row]:
    for line in lines(text):
        question, tab, answer = line.text.rpartition("\t")
        if not tab or answer.strip() not in ("Yes", "No"):
            raise LayoutError(f"{text}:{line.number}: expected a question, a tab and Yes or No: {line.text!r}")
        name = f"{category}/{image.name}"
        yield {
            "image": image,
            "question_id": name,
            "image_path": name,
            "category": category,
            "question": question.strip(),
            "answer": answer.strip(),
        }


def tsv(table: Path) -> Iterator[Row]:
    """`MME.tsv` with columns index, image, question, answer, category and mostly image_path.

    Read twice: first to learn which images later rows refer to, so that only those are kept, and only as long as
    a row still needs them.
    """
    uses: Counter[str] = Counter()
    kept: dict[str, str] = {}
    for row in _tsv_rows(table):
        if len(row["image"]) <= _LONGEST_INDEX:
            uses[row["image"]] += 1
        elif row["index"] in uses:  # an earlier row refers to it
            kept[row["index"]] = row["image"]
    for row in _tsv_rows(table):
        index, image = row["index"], row["image"]
        if len(image) <= _LONGEST_INDEX:
            if image not in kept:
                raise LayoutError(f"{table}: row {index} refers to the image of row {image!r}, which has none")
            image, referred = kept[image], image
            uses[referred] -= 1
            if not uses[referred]:
                del kept[referred]
        elif uses[index]:
            kept[index] = image
        name = row.get("image_path") or f"{row['category']}/{index}"
        yield {
            "image": _decoded(image),
            "question_id": name,
            "image_path": name,
            "category": row["category"],
            "question": row["question"],
            "answer": row["answer"],
        }


def _tsv_rows(table: Path) -> Iterator[dict[str, Any]]:
    csv.field_size_limit(2**31 - 1)
    with need_file(table).open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file, delimiter="\t", restval="")
        try:
            check_columns(reader.fieldnames or (), _TSV_COLUMNS, str(table))
            yield from reader
        except (UnicodeDecodeError, csv.Error) as error:
            raise LayoutError(f"{table}: not a table of UTF-8 text with tabs: {error}") from error


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return text.encode()  # not an image: the sample fails when it is opened, and the others go on


def numbered(rows: Iterable[Row]) -> Iterator[Row]:
    """Rows with a `sample_id`: their image's name and how many questions came before on that image."""
    asked: Counter[str] = Counter()
    for row in rows:
        name = str(row["question_id"])
        stem = (name if name.startswith(f"{row['category']}/") else f"{row['category']}/{name}").rsplit(".", 1)[0]
        yield {**row, "sample_id": f"{stem}/{asked[stem]}"}
        asked[stem] += 1
