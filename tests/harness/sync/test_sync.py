"""Runs kept elsewhere: whatever stops a sync, what is there can be fetched, and is a state that the run was in."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest
from fsspec.implementations.memory import MemoryFileSystem

from harness.failures import RunStopped, UsageError
from harness.run import score_again, start
from harness.store import RunDir
from harness.sync.follow import Beside, beside
from harness.sync.index import NAME
from harness.sync.pull import pull
from harness.sync.push import push
from harness.sync.remote import Remote, harmless
from tests.harness.conftest import Call
from tests.harness.toy import TASK, config, objects

MEMORY = "memory://bucket/run"
CHANGING = ("put_file", "pipe_file", "rm_file")


@pytest.fixture(autouse=True)
def empty_memory() -> Iterator[None]:
    MemoryFileSystem.store.clear()
    yield
    MemoryFileSystem.store.clear()


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return start(config(TASK), tmp_path / "run", objects(TASK)).path


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.startswith(".")
    }


class Killed(BaseException):
    """Not an Exception: nothing may catch it and tidy up."""


def kill_at(monkeypatch: pytest.MonkeyPatch, last: int) -> list[str]:
    """Let `last` changes of the memory storage through, then die; returns what was changed."""
    seen: list[str] = []
    for name in CHANGING:
        real = getattr(MemoryFileSystem, name)

        def counted(self: MemoryFileSystem, *given: object, real=real, name=name, **more: object) -> object:
            if len(seen) >= last:
                raise Killed
            seen.append(name)
            return real(self, *given, **more)

        monkeypatch.setattr(MemoryFileSystem, name, counted)
    return seen


@pytest.mark.parametrize("place", ["memory", "folder", "file"])
def test_a_run_comes_back_as_it_was(run: Path, tmp_path: Path, place: str) -> None:
    url = {"memory": MEMORY, "folder": str(tmp_path / "there"), "file": f"file://{tmp_path}/there"}[place]
    sent = push(run, Remote(url))
    assert sorted(sent.sent) == sorted(files(run)) and sent.finished
    pull(Remote(url), tmp_path / "back")
    assert files(tmp_path / "back") == files(run)
    again = push(run, Remote(url))
    assert (again.sent, again.kept) == ([], len(sent.sent))
    assert pull(Remote(url), tmp_path / "back").fetched == []


def test_a_dry_run_sends_nothing(run: Path) -> None:
    assert sorted(push(run, Remote(MEMORY), dry_run=True).sent) == sorted(files(run))
    assert not MemoryFileSystem.store


def test_a_torn_line_stays_here_and_lines_that_come_later_follow(run: Path, tmp_path: Path) -> None:
    log = run / "samples" / "toy.jsonl"
    whole = log.read_bytes()
    lines = whole.splitlines(keepends=True)
    for name in ("finished.json", "results.json"):
        (run / name).unlink()
    log.write_bytes(lines[0] + lines[1][:9])
    push(run, Remote(MEMORY))
    assert Remote(MEMORY).read("samples/toy.jsonl") == lines[0]
    log.write_bytes(whole)
    assert push(run, Remote(MEMORY)).sent == ["samples/toy.jsonl"]
    pull(Remote(MEMORY), tmp_path / "back")
    assert (tmp_path / "back" / "samples" / "toy.jsonl").read_bytes() == whole


def test_files_that_are_being_written_and_scores_that_nothing_names_are_not_sent(run: Path) -> None:
    (run / "results.json.77.part").write_text("{")
    (run / "scores" / "9").mkdir()
    (run / "scores" / "9" / "toy.jsonl").write_text("half")
    sent = push(run, Remote(MEMORY)).sent
    assert not [path for path in sent if path.endswith(".part") or path.startswith(("scores/9", ".lock"))]


def how_many_changes(run: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    with monkeypatch.context() as counting:
        seen = kill_at(counting, 10**6)
        push(run, Remote(MEMORY))
        return len(seen)


def push_and_die(run: Path, monkeypatch: pytest.MonkeyPatch, last: int) -> None:
    with monkeypatch.context() as dying:
        kill_at(dying, last)
        with pytest.raises(Killed):
            push(run, Remote(MEMORY))


def test_killed_at_any_change_the_first_sync_goes_on_to_the_same_end(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes = how_many_changes(run, monkeypatch)
    assert changes > 5
    for last in range(changes):
        MemoryFileSystem.store.clear()
        push_and_die(run, monkeypatch, last)
        with pytest.raises(UsageError, match="first sync"):  # the index comes last
            pull(Remote(MEMORY), tmp_path / f"early{last}")
        push(run, Remote(MEMORY))
        pull(Remote(MEMORY), tmp_path / f"back{last}")
        assert files(tmp_path / f"back{last}") == files(run)


def test_killed_at_any_change_a_sync_leaves_the_numbers_before_or_after(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    push(run, Remote(MEMORY))
    before, stored = files(run), dict(MemoryFileSystem.store)
    contents = {path: file.getvalue() for path, file in stored.items()}
    score_again(run, {}, objects=objects(TASK))
    after = files(run)
    assert before != after
    changes = how_many_changes(run, monkeypatch)
    for last in range(changes):
        MemoryFileSystem.store.clear()
        for path, content in contents.items():
            MemoryFileSystem().pipe_file(path, content)
        push_and_die(run, monkeypatch, last)
        pull(Remote(MEMORY), tmp_path / f"at{last}")
        assert files(tmp_path / f"at{last}") in (before, after)
        push(run, Remote(MEMORY))
        left = {path.removeprefix("/bucket/run/") for path in MemoryFileSystem.store} - {NAME}
        assert left == after.keys()  # the scores that were replaced are gone there too


def test_a_process_that_is_killed_while_it_copies_leaves_no_half_file(run: Path, tmp_path: Path) -> None:
    log = run / "samples" / "toy.jsonl"
    (run / "media").mkdir()
    for i in range(40):
        (run / "media" / f"{i}.flac").write_bytes(os.urandom(1 << 18))
    there = tmp_path / "there"
    for _ in range(3):
        program = [sys.executable, "-m", "harness", "sync", str(run), f"file://{there}"]
        with subprocess.Popen(program, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            while process.poll() is None and not (there / "media").exists():
                time.sleep(0.005)
            process.send_signal(signal.SIGKILL)
        for path, content in files(there).items():
            if path != NAME and not path.endswith(".part"):
                assert content == (run / path).read_bytes(), path
    push(run, Remote(str(there)))
    pull(Remote(f"file://{there}"), tmp_path / "back")
    assert files(tmp_path / "back") == files(run)
    assert log.read_bytes() == (there / "samples" / "toy.jsonl").read_bytes()


def test_another_run_and_lines_that_are_not_ours_are_refused(run: Path, tmp_path: Path) -> None:
    push(run, Remote(MEMORY))
    other = start(config(TASK, seed=5), tmp_path / "other", objects(TASK)).path
    with pytest.raises(UsageError, match="holds another run"):
        push(other, Remote(MEMORY))
    with pytest.raises(UsageError, match="is another run"):
        pull(Remote(MEMORY), other)
    log = run / "samples" / "toy.jsonl"
    whole = log.read_bytes()
    log.write_bytes(whole.splitlines(keepends=True)[0])
    with pytest.raises(UsageError, match="has lines that"):
        push(run, Remote(MEMORY))
    log.write_bytes(whole.replace(b'"', b" ", 1) + b"{}\n")
    with pytest.raises(UsageError, match="no beginning of"):
        push(run, Remote(MEMORY))
    with pytest.raises(UsageError, match="has lines that"):
        pull(Remote(MEMORY), run)


@pytest.mark.parametrize("path", ["samples/toy.jsonl", "plan/toy.jsonl"])
def test_what_was_changed_there_is_not_fetched(run: Path, tmp_path: Path, path: str) -> None:
    push(run, Remote(MEMORY))
    Remote(MEMORY).write(path, b"x" * len((run / path).read_bytes()))
    with pytest.raises(UsageError, match=f"{path} is not what its checksum says"):
        pull(Remote(MEMORY), tmp_path / "back")
    assert not (tmp_path / "back" / path).exists() and not (tmp_path / "back" / "manifest.json").exists()


@pytest.mark.parametrize(
    "name, content, said",
    [
        ("results.json", b"{", "results.json cannot be read as JSON"),
        ("results.json", b"", "results.json cannot be read as JSON"),
        ("results.json", b"null", "results.json holds no JSON object"),
        ("finished.json", b"\xff", "finished.json is no text in UTF-8"),
        ("judges.json", b"\xff\xfe{", "judges.json is no text in UTF-8"),
        ("manifest.json", b"[]", "manifest.json holds no JSON object"),
    ],
)
def test_a_damaged_run_is_not_sent(run: Path, tmp_path: Path, name: str, content: bytes, said: str) -> None:
    (run / name).write_bytes(content)
    with pytest.raises(UsageError, match=said):
        push(run, Remote(str(tmp_path / "there")))
    assert not (tmp_path / "there" / "manifest.json").exists()


def test_a_place_with_a_damaged_manifest_is_refused(run: Path, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "manifest.json").write_text("{")
    with pytest.raises(UsageError, match=r"there/manifest\.json cannot be read as JSON"):
        push(run, Remote(str(tmp_path / "there")))


@pytest.mark.parametrize(
    ("harm", "path"),
    [
        *product(["gone", "cut"], ["samples/toy.jsonl", "plan/toy.jsonl", "results.json"]),
        ("edited", "results.json"),  # of other files an edit of the same size is found where they are fetched
    ],
)
def test_what_was_lost_there_is_sent_again(run: Path, tmp_path: Path, path: str, harm: str) -> None:
    push(run, Remote(MEMORY))
    content = (run / path).read_bytes()
    if harm == "gone":
        Remote(MEMORY).remove(path)
    else:
        Remote(MEMORY).write(path, content[:-3] if harm == "cut" else content.replace(b"1", b"2"))
    assert push(run, Remote(MEMORY), dry_run=True).sent == [path]
    assert push(run, Remote(MEMORY)).sent == [path]
    pull(Remote(MEMORY), tmp_path / "back")
    assert files(tmp_path / "back") == files(run)
    assert push(run, Remote(MEMORY)).sent == []


@pytest.mark.parametrize("path", ["../outside", "/etc/passwd", "a/../../b", "c:\\x"])
def test_an_index_cannot_name_a_file_outside_of_the_run(run: Path, tmp_path: Path, path: str) -> None:
    push(run, Remote(MEMORY))
    index = json.loads(Remote(MEMORY).read(NAME) or b"")
    index["files"][path] = {"size": 1, "sha256": "0", "content": "x"}
    Remote(MEMORY).write(NAME, json.dumps(index).encode())
    with pytest.raises(UsageError, match="outside the run"):
        pull(Remote(MEMORY), tmp_path / "back")


def test_credentials_are_refused_and_never_told() -> None:
    for url in ("s3://key:secret@bucket/run", "https://host/run?X-Amz-Signature=secret"):
        with pytest.raises(UsageError) as error:
            Remote(url)
        assert "secret" not in str(error.value)
    assert harmless("PUT https://h/x?sig=secret&k=1 said no") == "PUT https://h/x?*** said no"


def test_a_missing_package_and_an_unknown_kind_are_told_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "s3fs", None)
    with pytest.raises(UsageError, match=r"omni-harness\[sync\]"):
        Remote("s3://bucket/run")
    with pytest.raises(UsageError, match="cannot be opened"):
        Remote("nowhere://bucket/run")
    with pytest.raises(UsageError, match="cannot be opened"):
        Remote("ftp://127.0.0.1:1/run")  # nobody listens there


@pytest.mark.parametrize("url", ["", " ", "/", "file://", "file:///", "s3://"])
def test_an_url_without_a_place_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="names no place"):
        Remote(url)


def test_a_copy_of_a_place_is_a_run_that_can_be_synced_and_fetched(run: Path, tmp_path: Path) -> None:
    push(run, Remote(str(tmp_path / "there")))
    push(tmp_path / "there", Remote(MEMORY))
    pull(Remote(MEMORY), tmp_path / "back")
    assert files(tmp_path / "back") == files(run)


def test_a_place_whose_links_lead_in_a_circle_is_told(tmp_path: Path) -> None:
    (tmp_path / "there").symlink_to(tmp_path / "back")
    (tmp_path / "back").symlink_to(tmp_path / "there")
    with pytest.raises(UsageError, match="its links lead in a circle; name another"):
        Remote(str(tmp_path / "there"))


def test_a_place_inside_the_run_is_refused(run: Path) -> None:
    with pytest.raises(UsageError, match="is inside"):
        push(run, Remote(str(run / "copy")))


def test_a_place_that_does_not_answer_never_stops_the_run_beside_it(
    run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuses(*given: object, **more: object) -> None:
        raise PermissionError("https://h/x?sig=secret is forbidden")

    with monkeypatch.context() as broken:
        broken.setattr(MemoryFileSystem, "pipe_file", refuses)
        with Beside(run, Remote(MEMORY), 0.01) as synced:
            time.sleep(0.1)
    assert synced.problem and "forbidden" in synced.problem
    told = capsys.readouterr().err
    assert "harness sync" in told and "secret" not in told


def test_a_growing_log_is_synced_beside_its_run_and_is_whole_at_the_end(tmp_path: Path) -> None:
    path, there = tmp_path / "run", f"file://{tmp_path}/there"
    with beside(path, there, 0.01) as synced:
        start(config(TASK), path, objects(TASK))
    assert synced.problem is None
    pull(Remote(there), tmp_path / "back")
    assert files(tmp_path / "back") == files(path)
    with pytest.raises(UsageError, match="holds a run already"):
        beside(tmp_path / "new", there, 1)


def test_the_command_line_sends_fetches_and_follows(toys: None, call: Call, tmp_path: Path) -> None:
    there, run, back = f"file://{tmp_path}/there", tmp_path / "run", tmp_path / "back"
    done = call("run", "--model", "toy-model", "--tasks", "toy", "--out", run, "--sync", there)
    assert done.code == 0, done.err
    assert json.loads(call("sync", run, there, "--json").out)["sent"] == []
    assert call("sync", run, there, "--every", "1").code == 0  # it is finished: nothing is waited for
    assert "would be fetched" in call("sync", there, back, "--dry-run").out and not back.exists()
    assert call("sync", there, back).code == 0
    assert RunDir.open(back).finished and call("show", back).code == 0
    assert call("sync", there, there).code == 2
    assert call("sync", tmp_path / "nothing", there).code == 2


def test_a_place_that_ends_with_the_command_is_refused(run: Path, toys: None, call: Call, tmp_path: Path) -> None:
    assert "memory://bucket/run is gone when" in call("sync", run, MEMORY).err
    told = call("run", "--model", "toy-model", "--tasks", "toy", "--out", tmp_path / "new", "--sync", MEMORY)
    assert told.code == 2 and "is gone when" in told.err and not (tmp_path / "new").exists()


def test_a_remote_error_is_one_message(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(*given: object, **more: object) -> None:
        raise OSError("no route")

    monkeypatch.setattr(MemoryFileSystem, "cat_file", refuses)
    with pytest.raises(RunStopped, match=r"memory://bucket/run cannot be read or written: no route"):
        push(run, Remote(MEMORY))
