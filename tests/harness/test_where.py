"""By whom a run is answered: engine, replicas and address change no question."""

from __future__ import annotations

import builtins
from pathlib import Path
from typing import Any

import pytest

from harness.config import WHERE, elsewhere
from harness.engines.ray_cluster import ray_module
from harness.engines.ray_replica import TOGETHER_S, pieces
from harness.failures import UsageError
from harness.run import start
from tests.harness.conftest import Call
from tests.harness.toy import TASK, config, objects


def test_configs_that_differ_in_engine_and_workers_are_the_same_run() -> None:
    assert config().differences(config(engine="ray", replicas=4, address="auto")) == []
    assert config().differences(config(engine="ray", seed=1)) == ["seed: 0 -> 1"]


def test_another_engine_takes_none_of_the_first_ones_workers() -> None:
    begun = config(engine="ray", replicas=4, address="auto")
    assert elsewhere(begun, {"engine": "local"}) == config()
    assert elsewhere(begun, {"replicas": 2}) == config(engine="ray", replicas=2, address="auto")
    assert elsewhere(begun, {}) == begun
    assert set(WHERE) <= set(dir(begun))


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"replicas": 2}, "--replicas .*--engine ray"),
        ({"address": "auto"}, "--address .*--engine ray"),
        ({"engine": "ray", "device": "cuda:1"}, "--device cuda"),
        ({"engine": "ray", "address": "ray://head:10001"}, "HOST:PORT"),
        ({"engine": "ray", "model": "openai:m"}, "--engine ray.*one process"),
        ({"engine": "slurm"}, "local, ray"),
        ({"engine": "ray", "address": "https://me:secret@head"}, "credentials"),
    ],
)
def test_what_does_not_fit_together_is_told(fields: dict[str, Any], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        config(**fields)


def test_ray_that_is_not_installed_is_told_with_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    true_import = builtins.__import__

    def refuse(name: str, *more: Any) -> Any:
        if name == "ray":
            raise ImportError("No module named 'ray'")
        return true_import(name, *more)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(UsageError, match=r"omni-harness\[ray\]"):
        ray_module()


def test_a_run_that_is_there_is_known_whoever_is_asked_to_answer_it(tmp_path: Path, toys: None, call: Call) -> None:
    start(config(TASK), tmp_path / "run", objects(TASK))
    told = call(
        "run", "--model", "toy-model", "--tasks", "toy", "--data", "mini", "--out", tmp_path / "run", "--engine", "ray"
    )
    assert told.code == 2 and "harness resume" in told.err


def test_answers_travel_together_where_they_come_fast_and_alone_where_they_are_slow() -> None:
    moments = iter([0.0, 0.01, 0.02, TOGETHER_S + 0.02, 1.0, 2.0, 2.0, 2.01])
    found = list(pieces(((number, "a") for number in range(5)), lambda: next(moments)))
    assert [[number for number, _ in piece] for piece in found] == [[0, 1, 2], [3], [4]]
