"""The run directory: torn lines, atomic files, one writer, adopted scores."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.failures import RunStopped, UsageError
from harness.files import write_atomically, write_json
from harness.schema import Record
from harness.store import Log, RunDir

RECORDS = [Record(str(i), "digest", i, [], {"text": "x" * i}) for i in range(1, 5)]


def write(path: Path) -> bytes:
    with Log(path) as log:
        for record in RECORDS:
            log.append(record)
    return path.read_bytes()


def empty_run(folder: Path) -> RunDir:
    folder.mkdir(exist_ok=True)
    write_json(folder / "manifest.json", {"format": 2})
    return RunDir.open(folder)


@given(cut=st.integers(min_value=0, max_value=450))
def test_a_log_cut_anywhere_keeps_its_whole_lines_and_can_be_appended_to(
    tmp_path_factory: pytest.TempPathFactory, cut: int
) -> None:
    run = empty_run(tmp_path_factory.mktemp("run"))
    whole = write(run.samples_path("toy"))
    kept = whole[: min(cut, len(whole))]
    run.samples_path("toy").write_bytes(kept)

    survivors = list(run.records("toy"))
    assert survivors == RECORDS[: kept.count(b"\n")]
    with run.log("toy") as log:
        log.append(Record("new", "digest", 0, [], {}))
    assert [r.id for r in run.records("toy")] == [r.id for r in survivors] + ["new"]


@pytest.mark.parametrize("line", ["{broken", "[1, 2]", '{"id": 1}', '{"id": "1", "request": "", "seed": 0}', "\xff"])
def test_a_line_that_is_no_record_is_named(tmp_path: Path, line: str) -> None:
    run = empty_run(tmp_path / "run")
    write(run.samples_path("toy"))
    with run.samples_path("toy").open("ab") as file:
        file.write(line.encode("latin-1") + b"\n")
    with pytest.raises(UsageError, match=r"toy\.jsonl, line 5: .*edited"):
        list(run.records("toy"))


def test_done_knows_what_was_asked(tmp_path: Path) -> None:
    run = empty_run(tmp_path / "run")
    write(run.samples_path("toy"))
    done = run.done("toy")
    assert (len(done), "0/1" in done, "1/1" in done) == (4, True, False)
    assert done.asked("0/1", "digest") and not done.asked("0/1", "another")


def test_a_second_writer_is_refused(tmp_path: Path) -> None:
    run = empty_run(tmp_path / "run")
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


@pytest.mark.parametrize(("content", "said"), [("{", "cannot be read as JSON"), ("[]", "no JSON object")])
def test_a_manifest_that_is_no_object_is_named(tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(UsageError, match=said):
        RunDir.open(tmp_path)


def test_a_manifest_names_the_field_at_fault(tmp_path: Path) -> None:
    write_json(tmp_path / "manifest.json", {"format": 2, "created": 5})
    with pytest.raises(UsageError, match=r"manifest\.json: Expected `str`, got `int` - at `\$\.created`"):
        RunDir.open(tmp_path).manifest()


def test_only_what_a_run_cannot_write_is_answered_by_resuming_it(tmp_path: Path) -> None:
    run = empty_run(tmp_path / "run")
    for path in (run.path / "media" / "ab" / "one.flac", tmp_path / "gates" / "gates.accepted.json"):
        path.mkdir(parents=True)
        with pytest.raises(RunStopped) as found:
            write_atomically(path, b"content")
        assert ("`harness resume`" in str(found.value)) == (run.path in path.parents)
        assert ("Nothing there was changed" in str(found.value)) == (run.path not in path.parents)
        assert [one.name for one in path.parent.iterdir()] == [path.name], "nothing is left beside it"
