"""One task, one model, both ways: by lmms-eval with our model as its plug-in, and by our run as `lmms:NAME`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import harness
from harness.store import RunDir
from tests.lmms import local_task

pytest.importorskip("lmms_eval", reason="lmms-eval is what `make test-full` installs")
MODEL = "vita15-mini"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("lmms")
    local_task.write(made)
    return made


@pytest.fixture(scope="module", autouse=True)
def offline(folder: Path) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HARNESS_LMMS_TASKS", str(folder))
        patch.setenv("HF_HUB_OFFLINE", "1")
        patch.setenv("LMMS_EVAL_DATASETS_CACHE", str(folder / "cache"))
        yield


@pytest.fixture(scope="module")
def run(folder: Path) -> harness.Run:
    return harness.evaluate(model=MODEL, tasks=f"lmms:{local_task.NAME}", out=folder / "run")


@pytest.fixture(scope="module")
def theirs(folder: Path) -> Any:
    from lmms_eval import models
    from lmms_eval.evaluator import simple_evaluate
    from lmms_eval.tasks import TaskManager

    from models.lmms_plugin.manifests import manifests

    for manifest in manifests():  # what lmms-eval does with the entry point when it is imported
        models.MODEL_REGISTRY_V2.register_manifest(manifest, overwrite=True)
    manager = TaskManager(include_path=str(folder), include_defaults=False, model_name=MODEL)
    return simple_evaluate(model=MODEL, tasks=[local_task.NAME], task_manager=manager, bootstrap_iters=0, device="cpu")


def test_scores_are_equal_sample_by_sample(run: harness.Run, theirs: Any) -> None:
    name = f"lmms:{local_task.NAME}"
    ours = {
        record.id: (record.response.text, scored.scores["none"][""])
        for record, scored in RunDir.open(run.path).pairs(name)
    }
    samples = theirs["samples"][local_task.NAME]
    assert len(samples) == len(ours) == 42
    for sample in samples:
        text, score = ours[f"{sample['doc_id']:06d}"]
        assert sample["resps"] == [[text]]
        assert score.parts["right"] == sample["right"]
        assert score.payload == {"pairs": sample["pairs"]}
    assert len({score.value for _, score in ours.values()}) == 2
    assert 0 < sum(score.parts["right"] for _, score in ours.values()) < 42


def test_their_aggregations_give_the_same_numbers(run: harness.Run, theirs: Any) -> None:
    metrics = run.results.tasks[f"lmms:{local_task.NAME}"].headline.metrics
    found = theirs["results"][local_task.NAME]
    assert metrics["right"].value == pytest.approx(found["right,none"], abs=1e-12)
    assert metrics["right"].ci is not None and metrics["right"].n == 42
    assert metrics["pairs"].value == pytest.approx(found["pairs,none"], abs=1e-12)
    assert metrics["pairs"].ci is None


def test_a_run_is_scored_again_without_model_or_media(run: harness.Run) -> None:
    before = run.results.tasks[f"lmms:{local_task.NAME}"].headline.metrics
    again = harness.score(run.path).results.tasks[f"lmms:{local_task.NAME}"].headline.metrics
    assert again == before


def test_its_page_and_comparison_are_made(run: harness.Run, tmp_path: Path) -> None:
    from reports.page.site import write_site

    write_site([run.path], tmp_path / "site")
    assert list((tmp_path / "site" / "tasks").glob("*lmms_mini_world.html"))


def test_a_gate_holds_it_and_stops_weights_that_are_worse(run: harness.Run, tmp_path: Path) -> None:
    from reports.gate.baseline import complete
    from reports.gate.first import first_gates
    from reports.gate.held import hold

    gates = tmp_path / "gates.yaml"
    gates.write_text(first_gates(complete(run.path)))
    random = harness.evaluate(model="vita15-tiny", tasks=f"lmms:{local_task.NAME}", out=tmp_path / "random")
    good, worse = (hold(path, run.path, gates) for path in (run.path, random.path))
    assert {outcome.gate.metric for outcome in good.outcomes} == {"right", "pairs"}
    assert (good.exit, worse.exit) == (0, 3)
