"""The mini world's pictures in VLMEvalKit's tables: answers among options, balance, coverage, parts of the world."""

from __future__ import annotations

import csv
from collections import Counter
from itertools import islice
from pathlib import Path

import pytest

from tasks.image.mmmu import SUBJECTS
from tasks.image.mmstar import KINDS
from tasks.mini import ai2d, charts, mmbench, mmstar
from tasks.mini.archives import TABLES
from tasks.mini.asks import asks
from tasks.mini.build import DATA, differences
from tasks.mini.dice import Dice
from tasks.mini.recording import SEED
from tasks.scoring.mmbench import SHORT
from tasks.scoring.mmvet import RULES
from tests.tasks.results import rows

CHOICES = ["mmbench_en", "mmbench_cn", "mmstar", "ai2d"]
EVERY = [*CHOICES, "mmmu", "mathvista", "hallusionbench", "ocrbench", "mmvet"]


@pytest.mark.parametrize("name", EVERY)
def test_there_are_a_hundred_rows_of_each(name: str) -> None:
    assert len(rows(name, DATA)) >= 100


@pytest.mark.parametrize("name", CHOICES)
def test_letters_are_balanced_and_questions_differ(name: str) -> None:
    found = rows(name, DATA)
    four = [row for row in found if row.get("D")]
    counts = Counter(row["answer"] for row in four)
    assert max(counts.values()) <= 0.35 * len(four)
    assert all(row["answer"] in row for row in found), "the answer is one of the options"
    pairs = Counter((row["question"], bytes(row["image"]), row.get("A")) for row in found)
    assert max(pairs.values()) == 1


def test_every_category_is_there() -> None:
    english = rows("mmbench_en", DATA)
    assert {row["l2-category"] for row in english} == {*SHORT}
    assert len({row["category"] for row in english}) == 20
    assert {(row["category"], row["l2_category"]) for row in rows("mmstar", DATA)} == {
        (category, kind) for category, kinds in KINDS.items() for kind in kinds
    }
    assert {row["category"] for row in rows("mmmu", DATA)} == {*SUBJECTS}
    assert {len(row["images"]) for row in rows("mmmu", DATA) if "images" in row} >= {2}
    assert len(Counter(row["category"] for row in rows("ocrbench", DATA))) == 10
    capabilities = {part for row in rows("mmvet", DATA) for part in row["category"].split(",")}
    assert capabilities == {"rec", "ocr", "know", "gen", "spat", "math"} and RULES
    assert {row["answer_type"] for row in rows("mathvista", DATA)} == {"text", "integer", "float", "list"}


def test_yes_and_no_are_equally_often_right() -> None:
    counts = Counter(row["answer"] for row in rows("hallusionbench", DATA))
    assert counts["Yes"] == counts["No"]


def test_questions_come_in_all_their_rotations() -> None:
    by_question: dict[int, list[dict[str, str]]] = {}
    for row in rows("mmbench_cn", DATA):
        by_question.setdefault(int(row["index"]) % mmbench.ROTATION, []).append(row)
    for turned in by_question.values():
        texts = {turned[0][letter] for letter in "ABCD" if letter in turned[0]}
        assert len(turned) == len(texts)
        assert len({row[row["answer"]] for row in turned}) == 1, "the right text moves with its letter"


@pytest.mark.parametrize("name", ["AI2D", "OCRBench"])
def test_a_table_is_made_the_same_again(name: str, tmp_path: Path) -> None:
    TABLES[name](tmp_path, SEED)
    assert differences(DATA, tmp_path, [name]) == []


def test_a_changed_picture_and_a_changed_cell_are_told(tmp_path: Path) -> None:
    TABLES["AI2D"](tmp_path, SEED)
    path = tmp_path / "AI2D" / "AI2D_TEST.tsv"
    path.write_text(path.read_text("utf-8").replace("diagram", "drawing"), encoding="utf-8")
    assert differences(DATA, tmp_path, ["AI2D"]) == ["AI2D/AI2D_TEST.tsv: content differs"]


def test_training_pictures_are_no_test_pictures() -> None:
    for families in ((charts.about(),), *ai2d.CATEGORIES.values(), *list(mmstar.CATEGORIES.values())[:4]):
        drawn = {part: asks(Dice(f"seed {part}"), families, part) for part in ("train", "test")}
        seen = {part: {ask.images[0].tobytes() for ask in islice(stream, 12)} for part, stream in drawn.items()}
        assert not seen["train"] & seen["test"]


def test_hidden_splits_have_no_answers() -> None:
    with (DATA / "MMBench" / "MMBench_TEST_EN_V11.tsv").open(encoding="utf-8", newline="") as file:
        csv.field_size_limit(1 << 30)
        assert "answer" not in next(csv.reader(file, delimiter="\t"))
