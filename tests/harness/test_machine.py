"""A machine's trouble is one message that says what is safe and what goes on."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.failures import RunStopped, UsageError
from harness.run import start
from harness.task import Preset, Row
from harness.types import Failure, Message, Request, Response
from tests.harness.conftest import Call
from tests.harness.toy import TASK, ToyModel, config, numbered, objects, toy_task
from tests.harness.toy_judge import JUDGED


def test_a_run_directory_that_is_deleted_stops_the_run(tmp_path: Path) -> None:
    class Deletes(ToyModel):
        def answer(self, request: Request) -> Response | Failure:
            (tmp_path / "run" / "samples" / "toy.jsonl").unlink(missing_ok=True)
            return super().answer(request)

    model = Deletes()
    with pytest.raises(RunStopped, match="was deleted"):
        start(config(), tmp_path / "run", objects(TASK, model=model))
    assert len(model.asked) < 5


def test_a_cache_folder_that_cannot_be_written_is_one_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from harness.media import intern

    (tmp_path / "cache").write_text("a file")
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))

    def messages(row: Row) -> list[Message]:
        return [Message("user", (intern("image", b"bytes of a table"),))]

    task = toy_task(numbered(3), presets={"plain": Preset(messages)})
    with pytest.raises(UsageError, match="HARNESS_CACHE"):
        start(config(), tmp_path / "run", objects(task))


def test_a_bad_bound_is_one_message_before_the_model_is_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_MAX_PIXELS", "many")
    with pytest.raises(UsageError, match="HARNESS_MAX_PIXELS"):
        start(config(), tmp_path / "run", objects(TASK))
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_what_is_no_file_in_a_files_place_is_told_and_never_waited_for(
    call: Call, tmp_path: Path, make: Callable[[Path], None]
) -> None:
    path = tmp_path / "thing"
    make(path)
    for arguments in (
        ("score", "--task", "mme", "--responses", path),
        ("run", "--config", path, "-m", "echo", "-t", "mme"),
        ("run", "-m", "echo", "--weights", path, "-t", "mme", "--data", "mini"),
        ("ask", "-m", "echo", "--image", path),
    ):
        found = call(*arguments)
        assert found.code == 2, arguments
        assert "is no" in found.err or "no plain file" in found.err


def test_a_store_of_judgements_that_cannot_be_written_stops_the_run_with_one_message(
    toys: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cache").write_text("a file")
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    with pytest.raises(RunStopped, match="cannot be written"):
        start(config(JUDGED, judge="toy-judge"), tmp_path / "run", objects(JUDGED))
