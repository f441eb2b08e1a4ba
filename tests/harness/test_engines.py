"""What every engine promises a run."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from harness.contracts import DataChoice
from harness.engines import Answer, Engine
from harness.engines.cached import CachedEngine
from harness.engines.local import LocalEngine
from harness.plan import Planned, choose, given_to_all, planned, rows_of
from harness.schedule import groups
from harness.types import Failure, Generation, Ready, Response
from tests.harness.toy import ToyModel, fake_audio, numbered, timed, toy_task

Make = Callable[[ToyModel], Engine]
ENGINES: dict[str, Make] = {"local": LocalEngine, "cached": lambda model: CachedEngine(LocalEngine(model), {})}


@pytest.fixture(params=ENGINES, autouse=True)
def make(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    return ENGINES[request.param]


def plan(n: int, model: ToyModel, **more: object) -> list[Planned]:
    task = toy_task(numbered(n, **more))
    return _planned(task, model)


def _planned(task: object, model: ToyModel) -> list[Planned]:
    chosen = choose(
        task,  # type: ignore[arg-type]
        DataChoice("mini"),
        prompt=None,
        styles=("plain",),
        profile=None,
        limit=None,
        repeats=1,
    )
    rows = list(rows_of(chosen, chosen.task.rows(chosen.data), model))
    return list(planned(chosen, rows, 0, given_to_all(None, "mean")))


def answers(engine: Engine, items: list[Planned], budget: int = 100) -> dict[str, Answer]:
    """Id -> answer; each is given once."""
    engine.open()
    with closing(engine):
        found = list(engine.answers(groups(items, budget)))
    assert len({answer.planned.key for answer in found}) == len(found)
    return {answer.planned.sample.id: answer for answer in found}


@pytest.mark.parametrize("n", [0, 1, 37])
def test_every_request_is_answered_once(make: Make, n: int) -> None:
    model = ToyModel()
    found = answers(make(model), plan(n, model))
    assert {key: answer.outcome.text for key, answer in found.items() if isinstance(answer.outcome, Response)} == {
        str(i): str(i) for i in range(n)
    }
    assert len(model.asked) == n


def test_a_planned_failure_is_not_asked(make: Make) -> None:
    model = ToyModel()
    items = plan(3, model)
    broken = Failure("load", "permanent", "no such row")
    found = answers(make(model), [replace(items[0], failure=broken), *items[1:]])
    assert found["0"].outcome == broken
    assert [request.sample_id for request in model.asked] == ["1", "2"]


def test_media_that_cannot_be_opened_fail_alone(make: Make, tmp_path: Path) -> None:
    model = ToyModel()
    items = plan(2, model, media=str(fake_audio(tmp_path))) + plan(4, model)[2:]
    found = answers(make(model), items)
    assert [found[str(i)].outcome.stage for i in range(2) if isinstance(found[str(i)].outcome, Failure)] == ["load"] * 2
    assert all(isinstance(found[str(i)].outcome, Response) for i in (2, 3))


class Breaks(ToyModel):
    """Breaks off a group at one request, or where more than so many are side by side."""

    def __init__(self, at: str = "", most: int = 99) -> None:
        super().__init__()
        self.at, self.most = at, most

    def generate(self, batch: Iterable[Ready], rows: int) -> Iterator[tuple[int, Response | Failure]]:
        if rows > self.most:
            next(iter(batch))
            raise MemoryError
        for place, answer in super().generate(batch, rows):
            if self.asked[-1].sample_id == self.at:
                raise RuntimeError("cannot answer this")
            yield place, answer


def test_an_exception_takes_one_request_and_no_other(make: Make) -> None:
    model = Breaks(at="5")
    found = answers(make(model), plan(12, model))
    failed = {key for key, answer in found.items() if isinstance(answer.outcome, Failure)}
    assert (len(found), failed) == (12, {"5"})


def test_out_of_memory_asks_for_fewer_rows_and_loses_nothing(make: Make) -> None:
    model = Breaks(most=2)
    found = answers(make(model), plan(12, model), 10_000)
    assert all(isinstance(answer.outcome, Response) for answer in found.values()) and len(found) == 12


def test_timed_requests_are_asked_one_at_a_time(make: Make) -> None:
    model = ToyModel()
    assert len(answers(make(model), _planned(timed(toy_task(numbered(4))), model))) == 4
    assert set(model.rows) == {1}


def test_a_run_that_ends_early_leaves_no_thread_behind(make: Make) -> None:

    model = ToyModel()
    engine = make(model)
    engine.open()
    with closing(engine):
        stream = iter(engine.answers(groups(plan(40, model), 100)))
        next(stream)
        stream.close()  # type: ignore[attr-defined]
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("prepare")]


def test_the_settings_are_the_models(make: Make) -> None:
    engine = make(ToyModel())
    assert engine.effective(Generation(repetition_penalty=1.5)) == {"repetition_penalty": 1.5}
    assert engine.open().name == "toy-model"


class NeverPulls(ToyModel):
    """Its device is lost: it raises before it takes a request."""

    def generate(self, batch: Iterable[Ready], rows: int) -> Iterator[tuple[int, Response | Failure]]:
        raise RuntimeError("device-side assert triggered")
        yield


def test_a_model_that_can_no_longer_answer_fails_each_request_and_ends(make: Make) -> None:
    model = NeverPulls()
    found = answers(make(model), plan(5, model))
    assert len(found) == 5
    assert all(isinstance(a.outcome, Failure) and "device-side assert" in a.outcome.message for a in found.values())
