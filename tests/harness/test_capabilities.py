"""Tasks that a model cannot run: told before anything runs, or skipped where that is asked for."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from harness.contracts import Capabilities
from harness.failures import UsageError
from harness.plan import check_capabilities
from harness.registry import get_task
from harness.run import resume, start
from reports.runs import load, not_run
from tests.harness.toy import TASK, ToyModel, config, objects


def test_a_capability_that_is_missing_is_told_before_anything_runs(tmp_path: Path) -> None:
    speaks = dataclasses.replace(TASK, outputs=("speech",))
    with pytest.raises(UsageError, match="it has no speech output"):
        start(config(), tmp_path / "run", objects(speaks))
    assert not (tmp_path / "run").exists()


def test_tasks_that_cannot_run_are_told_with_those_that_can() -> None:
    tasks = [get_task(name) for name in ("latency_spoken", "mme", "latency_fixed", "aishell1")]
    sees = Capabilities(inputs=frozenset({"text", "image"}), outputs=frozenset({"text"}))
    with pytest.raises(
        UsageError, match=r"(?s)latency_spoken: .* aishell1: it has no audio.*: --tasks mme,latency_fixed$"
    ):
        check_capabilities(tasks, "sees", sees)
    with pytest.raises(UsageError, match=r"It takes image, text\.$"):
        check_capabilities(tasks[:1], "sees", sees)


SPEAKS = dataclasses.replace(TASK, name="speaks", outputs=("speech",))


class Mute(ToyModel):
    """Could speak, but for its weights."""

    capabilities = Capabilities(ToyModel.capabilities.inputs, frozenset({"text", "speech"}))

    def open(self) -> None:
        self.capabilities = ToyModel.capabilities


@pytest.mark.parametrize("model", [ToyModel, Mute])
def test_tasks_that_the_model_cannot_run_are_skipped_where_that_is_asked_for(
    tmp_path: Path, model: type[ToyModel]
) -> None:
    with pytest.raises(UsageError, match="or add --skip-unable"):
        start(config(SPEAKS, TASK), tmp_path / "none", objects(SPEAKS, TASK, model=model()))
    chosen = config(SPEAKS, TASK, skip_unable=True, profile={"speaks": "loose"})
    run = start(chosen, tmp_path / "run", objects(SPEAKS, TASK, model=model()))
    assert list(run.results().tasks) == list(run.manifest().tasks) == ["toy"]
    assert run.manifest().left_out == {"speaks": "speech output"}
    assert not_run(load(run.path)) == ["not run, as the model has no speech output: speaks"]
    with pytest.raises(UsageError, match=r"cannot run task speaks: it has no speech output\. It takes"):
        start(config(SPEAKS, skip_unable=True), tmp_path / "all", objects(SPEAKS, model=model()))


def test_a_run_that_skips_tasks_goes_on_without_them(tmp_path: Path) -> None:
    own = objects(SPEAKS, TASK, model=Mute())
    run = start(config(SPEAKS, TASK, skip_unable=True), tmp_path / "run", own)
    (run.path / "finished.json").unlink()
    assert resume(run.path, objects(SPEAKS, TASK, model=Mute())).finished
    assert run.manifest().left_out == {"speaks": "speech output"}
