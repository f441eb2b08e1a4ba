"""Exported answers: the workbook for a benchmark's server read back, tables of samples, and what is refused."""

from __future__ import annotations

import errno
import json
import shutil
from pathlib import Path
from unittest.mock import patch

import msgspec
import pandas as pd
import pyarrow.parquet as pq
import pytest
from openpyxl import load_workbook

from harness.config import make_config
from harness.failures import RunStopped, UsageError
from harness.files import encoded
from harness.run import start
from harness.store import RunDir
from reports.submission import Format, export

TEST = "mmbench_en_test"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("export")
    config = make_config({"model": "echo", "tasks": [TEST, "mmbench_en"], "data": "mini", "limit": 12}, "test")
    return start(config, folder / "run").path


def edited(run: Path, folder: Path, **answers: str | None) -> Path:
    """A copy of the run with other answers: by id, None for one that failed."""
    import shutil

    copy = Path(shutil.copytree(run, folder / "copy"))
    directory = RunDir.open(copy)
    records = list(directory.records(TEST))
    for record in records:
        if record.id in answers:
            text = answers[record.id]
            assert record.response is not None
            record.response = None if text is None else msgspec.structs.replace(record.response, text=text)
    directory.samples_path(TEST).write_bytes(b"".join(encoded(record) + b"\n" for record in reversed(records)))
    return copy


def test_the_workbook_has_the_benchmarks_rows_in_order_and_answers_as_text(run: Path, tmp_path: Path) -> None:
    copy = edited(run, tmp_path, **{"0": "=1+1", "1": "B\x07ell", "2": None, "3": "😀" * 20_000})
    made = export(copy, TEST, "submission", tmp_path / "s.xlsx")
    sheet = load_workbook(made.path)["submission"]
    header, *rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
    assert header[0] == "index" and header[-1] == "prediction" and "image" not in header
    assert [row[0] for row in rows] == list(range(12))
    assert rows[0][-1] == "=1+1" and sheet.cell(2, len(header)).data_type != "f"
    assert rows[3][-1] == "😀" * 16_383
    assert rows[1][-1] == "B\ufffdell" and not rows[2][-1]
    assert made.rows == 12
    assert made.told[0].startswith("1 of 12 rows have no answer") and made.told[1].startswith("2 cells")


def test_rows_that_the_run_lacks_are_told(run: Path, tmp_path: Path) -> None:
    copy = RunDir.open(edited(run, tmp_path))
    manifest = copy.manifest()
    manifest.tasks[TEST].n_published = 6666
    copy.write_manifest(manifest)
    assert (
        "12 of the benchmark's 6,666 rows are in this run"
        in export(copy.path, TEST, "submission", tmp_path / "s.xlsx").told
    )


def test_a_hidden_split_is_valid_without_a_score(run: Path) -> None:
    entry = RunDir.open(run).results().tasks[TEST]
    assert entry.valid and entry.headline.metrics["accuracy"].value is None
    assert any("harness export" in problem for problem in entry.problems)


def test_samples_as_tables(run: Path, tmp_path: Path) -> None:
    both = export(run, None, "csv", tmp_path / "all.csv")
    one = export(run, "mmbench_en", "parquet", tmp_path / "one.parquet")
    table = pd.read_csv(both.path)
    assert len(table) == both.rows and set(table["task"]) == {TEST, "mmbench_en"}
    assert all(isinstance(json.loads(cell), dict) for name in ("parts", "tags") for cell in table[name])
    assert pq.read_table(one.path).num_rows == one.rows == (table["task"] == "mmbench_en").sum()


def test_a_damaged_table_of_samples_is_told_with_the_command_that_makes_it_again(run: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(run, copy)
    next(copy.rglob("samples.parquet")).write_bytes(b"PAR1 cut off")
    with pytest.raises(UsageError, match=r"samples\.parquet cannot be read.*harness score"):
        export(copy, None, "csv", tmp_path / "x.csv")


@pytest.mark.parametrize(
    ("task", "form", "told"),
    [
        ("nonesuch", "csv", "it has mmbench_en_test, mmbench_en"),
        ("mmbench_en", "submission", "no benchmark to submit answers to; name one by --task: mmbench_en_test"),
    ],
)
def test_what_cannot_be_exported_is_told(task: str, form: str, told: str, run: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=told):
        export(run, task, form, tmp_path / "x")  # type: ignore[arg-type]


def test_no_file_is_replaced_unasked(run: Path, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("mine")
    with pytest.raises(UsageError, match="--force"):
        export(run, None, "csv", tmp_path / "x.csv")
    assert export(run, None, "csv", tmp_path / "x.csv", force=True).rows
    with pytest.raises(UsageError, match="is a folder"):
        export(run, None, "csv", tmp_path, force=True)
    with pytest.raises(UsageError, match="folder not found"):
        export(run, None, "csv", tmp_path / "none" / "x.csv")


@pytest.mark.parametrize("form", ["submission", "parquet", "csv"])
def test_a_full_disk_leaves_what_was_there(run: Path, tmp_path: Path, form: Format) -> None:
    place = tmp_path / "answers"
    place.write_text("of before")
    with (
        patch.object(Path, "replace", side_effect=OSError(errno.ENOSPC, "full")),
        pytest.raises(RunStopped, match=r"answers cannot be written: No space left .*\. Nothing there was changed"),
    ):
        export(run, TEST, form, place, force=True)
    assert [path.name for path in tmp_path.iterdir()] == ["answers"] and place.read_text() == "of before"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_device_that_is_full_is_told_and_stays(run: Path) -> None:
    with pytest.raises(RunStopped, match="/dev/full cannot be written: No space left on device"):
        export(run, TEST, "csv", Path("/dev/full"), force=True)
    assert Path("/dev/full").is_char_device()
