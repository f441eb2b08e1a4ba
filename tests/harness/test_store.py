"""The run directory: torn lines, atomic files, one writer."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.failures import UsageError
from harness.store import RunDir, SampleLog

LINES = [{"id": str(i), "repeat": 0, "text": "x" * i} for i in range(1, 5)]


def write(path: Path) -> bytes:
    with SampleLog(path) as log:
        for line in LINES:
            log.append(line)
    return path.read_bytes()


@given(cut=st.integers(min_value=0, max_value=250))
def test_a_log_cut_anywhere_keeps_its_whole_lines_and_can_be_appended_to(
    tmp_path_factory: pytest.TempPathFactory, cut: int
) -> None:
    folder = tmp_path_factory.mktemp("run")
    (folder / "manifest.json").write_text("{}")
    run = RunDir.open(folder)
    whole = write(run.samples_path("toy"))
    kept = whole[: min(cut, len(whole))]
    run.samples_path("toy").write_bytes(kept)

    survivors = list(run.records("toy"))
    assert survivors == LINES[: kept.count(b"\n")]
    with run.log("toy") as log:
        log.append({"id": "new", "repeat": 0})
    assert [r["id"] for r in run.records("toy")] == [r["id"] for r in survivors] + ["new"]


def test_a_line_that_was_edited_is_named(tmp_path: Path) -> None:
    run = RunDir.create(tmp_path / "run", {"format": 1})
    run.samples_path("toy").parent.mkdir()
    run.samples_path("toy").write_text('{"id": "1", "repeat": 0}\n{broken\n')
    with pytest.raises(UsageError, match="line 2"):
        list(run.records("toy"))


def test_a_second_writer_is_refused(tmp_path: Path) -> None:
    run = RunDir.create(tmp_path / "run", {"format": 1})
    with run.lock(), pytest.raises(UsageError, match="another process"), run.lock():
        pass
    with run.lock():
        pass


def test_what_is_not_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not a run directory"):
        RunDir.open(tmp_path)


def test_a_run_directory_that_cannot_be_made_is_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(UsageError, match="cannot be made"):
        RunDir.create(tmp_path / "file", {})


def test_a_manifest_without_its_fields_names_the_field(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text('{"config": {}}')
    with pytest.raises(UsageError, match="'tasks' is missing"):
        RunDir.open(tmp_path).manifest()
