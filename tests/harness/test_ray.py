"""Runs on Ray end as in one process: same results, nothing lost or there twice, whoever dies."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from harness import registry
from harness.contracts import ModelOptions
from harness.engines.ray_engine import RayEngine
from harness.failures import RunStopped, UsageError
from harness.run import Objects, resume, start
from harness.store import RunDir
from tests.harness import toy_judge
from tests.harness.ray_runs import WORKERS, Killer, plugin_path, repeated, run_on, without_times
from tests.harness.toy import ToyModel, config, fake_audio, numbered, timed, toy_task

ray = pytest.importorskip("ray", reason="Ray is not installed: pip install 'omni-harness[ray]', or make test-full")

TASK = toy_task(numbered(300))


@pytest.fixture(scope="module", autouse=True)
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """One Ray for all; its processes know the toys by name, and so does this one."""
    patch = pytest.MonkeyPatch()
    path = plugin_path(tmp_path_factory.mktemp("plugins"))
    patch.setenv("PYTHONPATH", path)
    patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    patch.setenv("HARNESS_CACHE", str(tmp_path_factory.mktemp("cache")))
    patch.syspath_prepend(path.split(os.pathsep)[0])
    registry._addresses.cache_clear()
    ray.init(
        "local",
        num_cpus=max(WORKERS),
        include_dashboard=False,
        object_store_memory=100 << 20,
        log_to_driver=False,
        logging_level="ERROR",
    )
    yield
    ray.shutdown()
    patch.undo()
    registry._addresses.cache_clear()


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> RunDir:
    return run_on(None, tmp_path_factory.mktemp("local") / "run", TASK)


@pytest.mark.parametrize("workers", WORKERS)
def test_results_are_those_of_one_process(workers: int, local: RunDir, tmp_path: Path) -> None:
    run = run_on(workers, tmp_path / "run", TASK)
    assert without_times(run) == without_times(local)
    assert repeated(run, "toy") == 0
    assert run.manifest().config["replicas"] == workers


def test_killed_workers_lose_and_repeat_nothing(tmp_path: Path) -> None:
    task = toy_task(numbered(1000))
    whole = run_on(None, tmp_path / "whole", task)
    log = tmp_path / "run" / "samples" / "toy.jsonl"
    with Killer(3, (0.05, 0.3), begun=lambda: log.exists() and log.stat().st_size > 0) as killer:
        run = run_on(4, tmp_path / "run", task)
    assert killer.done >= 1
    assert (run.results().tasks["toy"].n_scored, repeated(run, "toy")) == (1000, 0)
    assert without_times(run) == without_times(whole)


def test_a_model_with_weights_answers_alike(tmp_path: Path) -> None:
    fields = {"model": "vita15-mini", "limit": 8, "tasks": ["mme"]}
    one = start(config(**fields), tmp_path / "local")
    other = start(config(**fields, engine="ray", replicas=1), tmp_path / "ray")
    texts = [
        {record.id: record.response and record.response.text for record in run.records("mme")} for run in (one, other)
    ]
    assert texts[0] == texts[1]
    assert {"Yes", "No"} == set(texts[0].values())
    assert one.manifest().model == other.manifest().model
    assert without_times(one) == without_times(other)


def test_speech_comes_through(tmp_path: Path) -> None:
    task = toy_task(numbered(6), more_outputs=("speech",))
    runs = [run_on(workers, tmp_path / str(workers), task, model="toy-speaks", weights=None) for workers in (None, 2)]
    one, other = ({r.id: r.response and r.response.speech for r in run.records("toy")} for run in runs)
    assert one == other and len({speech.sha256 for speech in one.values() if speech}) == 6
    assert all((runs[1].path / speech.path).is_file() for speech in other.values() if speech)


def test_a_run_goes_on_with_another_engine_and_number_of_workers(local: RunDir, tmp_path: Path) -> None:
    toys = Objects({"toy": TASK})
    run = run_on(2, tmp_path / "run", TASK)
    for count, where in ((200, {"engine": "local"}), (100, {"engine": "ray", "replicas": 1})):
        lines = run.samples_path("toy").read_bytes().splitlines(keepends=True)
        run.samples_path("toy").write_bytes(b"".join(lines[:count]))
        (run.path / "finished.json").unlink()
        resume(run.path, toys, where)
        assert repeated(run, "toy") == 0
    assert run.results().tasks["toy"].scores == local.results().tasks["toy"].scores
    assert [entry["engine"] for entry in run.manifest().resumed] == ["local", "ray"]


def test_failures_and_timed_tasks_are_as_in_one_process(tmp_path: Path) -> None:
    rows = [*numbered(3), {"i": 3, "sample_id": "3", "media": str(fake_audio(tmp_path))}]
    slow = replace(timed(toy_task(numbered(6))), name="slow")
    broken = replace(toy_task(rows), name="broken", inputs=frozenset({"text", "audio"}))
    names = {"slow": slow, "broken": broken}
    run = start(config(slow, broken, engine="ray", replicas=2), tmp_path / "run", Objects(names))
    assert [r.failure is None for r in sorted(run.records("broken"), key=lambda r: r.id)] == [True] * 3 + [False]
    assert len(list(run.records("slow"))) == 6


def test_what_cannot_be_opened_is_told_as_in_one_process(tmp_path: Path) -> None:
    absent = tmp_path / "absent.jsonl"
    with pytest.raises(UsageError, match=r"absent\.jsonl"):
        run_on(2, tmp_path / "run", TASK, model="echo", weights=str(absent))


def test_more_workers_than_there_is_room_for_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--replicas 5: Ray has 4 CPUs"):
        run_on(5, tmp_path / "run", TASK)


def test_a_worker_with_other_weights_is_refused(tmp_path: Path) -> None:
    engine = RayEngine("echo", ModelOptions(), replicas=1)
    engine.open()
    table = tmp_path / "answers.jsonl"
    table.write_text('{"id": "1", "response": "a"}\n')
    other = RayEngine("echo", ModelOptions(str(table)), replicas=1)
    other._facts = engine._facts
    with pytest.raises(UsageError, match=r"would answer differently:[\s\S]*fingerprint"):
        other.open()
    engine.close()
    other.close()


def test_a_model_of_ones_own_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"harness\.models"):
        start(config(TASK, engine="ray"), tmp_path / "run", Objects({"toy": TASK}, ToyModel()))


def test_judges_work_side_by_side_and_say_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    task = replace(toy_judge.JUDGED, source=toy_task(numbered(100)).source)
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "one"))
    one = run_on(None, tmp_path / "local", task)
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "two"))
    other = run_on(2, tmp_path / "ray", task)
    assert without_times(one) == without_times(other)
    assert len((other.path / "judgements" / "toy-judge.jsonl").read_text().splitlines()) == 100


def test_a_judge_that_fails_is_told_of_each_sample(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "none"))
    run = run_on(2, tmp_path / "run", toy_judge.JUDGED, judge=("toy-judge:deaf",))
    assert run.results().tasks["toy_judged"].n_scored == 0
    with pytest.raises(UsageError, match="damaged"):
        run_on(2, tmp_path / "torn", toy_judge.JUDGED, judge=("toy-judge:torn",))


def test_a_sample_that_kills_workers_fails_alone(tmp_path: Path) -> None:
    run = run_on(2, tmp_path / "run", toy_task(numbered(4)), model="toy-deadly", weights="2")
    failed = {record.id: record.failure for record in run.records("toy") if record.failure}
    assert list(failed) == ["2"] and "workers died" in failed["2"].message
    assert len(list(run.records("toy"))) == 4


def test_no_worker_that_lives_stops_the_run() -> None:
    engine = RayEngine("toy-deadly", ModelOptions(), replicas=1)
    with pytest.raises((UsageError, RunStopped), match="died before they were open"):
        engine.open()
    engine.close()
