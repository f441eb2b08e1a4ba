"""Numbers sent elsewhere: TensorBoard's own reader finds them, and Weights & Biases gets them under one run."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from harness.failures import RunStopped, UsageError
from harness.run import start
from reports.exporters import read, send
from tests.harness.conftest import Call, Install, call, install  # noqa: F401 - fixtures
from tests.harness.toy import TASK, config, objects


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return start(config(TASK), tmp_path / "run", objects(TASK)).path


class FakeRun:
    """What is used of `wandb.Run`: a context with summary, log and url."""

    def __init__(self) -> None:
        self.summary: dict[str, Any] = {}
        self.logged: list[dict[str, Any]] = []
        self.url = "https://wandb.example/run"
        self.ended = False

    def __enter__(self) -> FakeRun:
        return self

    def __exit__(self, *_: object) -> None:
        self.ended = True

    def log(self, values: dict[str, Any]) -> None:
        self.logged.append(values)


class FakeWandb(ModuleType):
    def __init__(self) -> None:
        super().__init__("wandb")
        self.runs: list[tuple[dict[str, Any], FakeRun]] = []
        self.error: Exception | None = None

    def init(self, **given: Any) -> FakeRun:
        if self.error:
            raise self.error
        self.runs.append((given, FakeRun()))
        return self.runs[-1][1]

    def Table(self, columns: list[str], data: list[list[Any]]) -> tuple[list[str], list[list[Any]]]:
        return columns, data


@pytest.fixture
def wandb(monkeypatch: pytest.MonkeyPatch) -> FakeWandb:
    fake = FakeWandb()
    monkeypatch.setitem(sys.modules, "wandb", fake)
    return fake


def test_the_headline_has_the_tasks_own_name_and_every_number_its_interval(run: Path) -> None:
    found = read(run)
    headline = next(number for number in found.numbers if number.name == "toy/accuracy")
    assert headline.low is not None and headline.high is not None
    assert headline.low <= headline.value <= headline.high and headline.n > 0
    assert len({number.name for number in found.numbers}) == len(found.numbers)


def test_wandb_gets_numbers_config_and_note_under_the_same_run_each_time(run: Path, wandb: FakeWandb) -> None:
    for _ in range(2):
        assert send(run, "wandb", None, ["project=mine", "mode=offline"]) == "https://wandb.example/run"
    (given, made), (again, _) = wandb.runs
    assert (given["id"], given["resume"]) == (again["id"], "allow")
    assert (given["project"], given["mode"], given["name"]) == ("mine", "offline", "run")
    assert given["config"]["tasks"] == ["toy"]
    numbers = read(run).numbers
    assert made.summary == {number.name: number.value for number in numbers} | {"valid": True}
    assert made.logged[0]["numbers"][1] == [list(number) for number in numbers] and made.ended


def test_a_service_that_refuses_is_one_message_without_what_it_quotes(run: Path, wandb: FakeWandb) -> None:
    wandb.error = RuntimeError("POST https://user:secret@api/x?key=secret: 401")
    with pytest.raises(RunStopped, match="401") as error:
        send(run, "wandb", None, [])
    assert "secret" not in str(error.value)


def test_tensorboard_reads_the_numbers_back_and_a_second_export_replaces_the_first(run: Path, tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    for _ in range(2):
        send(run, "tensorboard", tmp_path / "board", [])
    events = EventAccumulator(str(tmp_path / "board" / "run"))
    events.Reload()
    for number in read(run).numbers:
        (scalar,) = events.Scalars(number.name)
        assert scalar.value == pytest.approx(number.value, rel=1e-6)
    assert "config/text_summary" in events.Tags()["tensors"]


def test_tensorboard_never_replaces_another_runs_events(run: Path, tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    send(run, "tensorboard", tmp_path / "board", [])
    folder = tmp_path / "board" / run.name
    (folder / "run.txt").write_text("another run")
    before = {path.name for path in folder.iterdir()}
    with pytest.raises(UsageError, match="events of something else"):
        send(run, "tensorboard", tmp_path / "board", [])
    (folder / "run.txt").unlink()
    with pytest.raises(UsageError, match="name another --out"):
        send(run, "tensorboard", tmp_path / "board", [])
    assert {path.name for path in folder.iterdir()} == before - {"run.txt"}


@pytest.mark.parametrize(("name", "module"), [("wandb", "wandb"), ("tensorboard", "torch.utils.tensorboard")])
def test_a_missing_package_is_told_with_its_extra(
    run: Path, name: str, module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(UsageError, match=rf"omni-harness\[{name}\]"):
        send(run, name, None, [])


def test_an_exporter_of_another_package_is_found_by_its_name(run: Path, install: Install, call: Call) -> None:  # noqa: F811
    install({"exporters": {"counter": "tests.reports.test_exporters:count"}})
    done = call("export", run, "--to", "counter", "--option", "a=b")
    assert (done.code, done.out) == (0, f"{len(read(run).numbers)} numbers, {{'a': 'b'}}\n")
    assert "Did you mean counter" in call("export", run, "--to", "countr").err
    assert call("export", run, "--to", "counter", "--task", "toy").code == 2
    assert call("export", run, "--option", "a=b").code == 2
    assert "has no option a" in call("export", run, "--to", "tensorboard", "--option", "a=b").err


def count(run: Any, out: Path | None, options: dict[str, str]) -> str:
    return f"{len(run.numbers)} numbers, {options}"
