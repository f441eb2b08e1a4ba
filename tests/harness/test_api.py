"""The harness from Python, and the example of docs/python.md as it stands there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import harness
from harness.failures import UsageError
from harness.types import Failure, Request, Response
from tests.harness.toy import TASK, ToyModel, toy_task

DOCS = Path(__file__).parents[2] / "docs"


def test_objects_of_ones_own_stand_in_the_place_of_names(tmp_path: Path) -> None:
    run = harness.evaluate(ToyModel(), TASK, data="mini", limit=12, profile="loose", out=tmp_path / "run")
    assert run.results.tasks["toy"].profile == "loose"
    table = run.samples("toy")
    assert (len(table), set(table.profile), table.value.mean()) == (12, {"loose"}, 1.0)
    assert table.parts.iloc[0] == [("right", 1.0), ("n", 1.0)]
    assert set(harness.load_run(run.path).samples("toy", "exact").profile) == {"exact"}
    again = harness.score(run, {"toy": "exact"}, tasks=[TASK])
    assert again.results.tasks["toy"].profile == "exact"


def test_a_stopped_run_goes_on_from_python(tmp_path: Path) -> None:
    class Fails(ToyModel):
        def answer(self, request: Request) -> Response | Failure:
            raise KeyboardInterrupt

    with pytest.raises(Exception, match="harness resume"):
        harness.evaluate(Fails(), TASK, data="mini", out=tmp_path / "run")
    assert not harness.load_run(tmp_path / "run").finished
    assert harness.resume(tmp_path / "run", ToyModel(), [TASK]).finished


def test_what_the_caller_can_mend_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="limit"):
        harness.evaluate(ToyModel(), toy_task([]), limit=0)
    with pytest.raises(UsageError, match="no such field"):
        harness.evaluate(ToyModel(), TASK, limits=3)


def test_the_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", (DOCS / "python.md").read_text(encoding="utf-8"), re.S)
    assert blocks
    space: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, "docs/python.md", "exec"), space)
