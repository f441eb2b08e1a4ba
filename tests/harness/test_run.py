"""Runs from config to results, with a toy task and model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from harness.config import RunConfig
from harness.contracts import Capabilities
from harness.failures import Exit, UsageError
from harness.plan import check_capabilities
from harness.registry import get_task
from harness.run import exit_code, resume, score_again, start
from harness.store import RunDir
from harness.types import Failure, LoadedRequest, Response
from tests.harness.toy import TASK, ToyModel, ToyTask, fake_audio, register

CONFIG = RunConfig(model="toy-model", tasks=("toy",), data="mini")


def results(run: RunDir) -> dict:
    return run.results()["tasks"]["toy"]


def test_a_run_scores_every_sample_and_says_how(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch, TASK)
    run = start(CONFIG, tmp_path / "run")
    found = results(run)
    assert (found["n_expected"], found["n_scored"], found["n_failed"], found["n_unscored"]) == (40, 40, 0, 0)
    assert found["metrics"]["accuracy"]["value"] == 100
    assert found["metrics"]["accuracy"]["ci_unit"] == "group"
    assert found["metrics"]["accuracy"]["n_clusters"] == 10
    assert exit_code(run) is Exit.GOOD
    described = run.manifest()
    assert described["tasks"]["toy"]["prompt"] == "plain"
    assert described["tasks"]["toy"]["prompt_text"] == "what is 0?"
    assert (run.path / "samples.parquet").is_file() and (run.path / "finished.json").is_file()


def test_limit_takes_the_first_samples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch, TASK)
    run = start(CONFIG.model_copy(update={"limit": 3}), tmp_path / "run")
    assert sorted(r["id"] for r in run.records("toy")) == ["0", "1", "2"]


def test_a_failed_sample_counts_as_wrong_and_the_run_is_invalid(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Refuses(ToyModel):
        def answer(self, request: LoadedRequest) -> Response | Failure:
            if request.request.sample_id == "7":
                return Failure("generate", "limit", "too long")
            return super().answer(request)

    register(monkeypatch, TASK, Refuses)
    run = start(CONFIG, tmp_path / "run")
    found = results(run)
    assert (found["n_scored"], found["n_failed"]) == (39, 1)
    assert found["failures"] == {"generate/limit": 1}
    assert found["metrics"]["accuracy"]["value"] == pytest.approx(100 * 39 / 40)
    assert not found["valid"]
    assert exit_code(run) is Exit.INCOMPLETE


def test_what_goes_wrong_with_one_sample_stays_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [
        {"i": 0},
        {"i": 1, "media": str(tmp_path / "absent.flac")},
        {"i": 2, "media": str(fake_audio(tmp_path))},
        {"wrong column": 3},
        {"i": 4, "id": "0"},
        {"i": 5, "empty": True},
        {"i": 6},
    ]

    class Crashes(ToyModel):
        def answer(self, request: LoadedRequest) -> Response | Failure:
            if request.request.sample_id == "6":
                return Response("crash the scorer")
            return super().answer(request)

    register(monkeypatch, ToyTask(rows), Crashes)
    run = start(CONFIG, tmp_path / "run")
    records = {r["id"]: r for r in run.records("toy")}
    assert records["0"]["score"]["status"] == "ok"
    assert "is missing" in records["1"]["failure"]["message"]
    assert "cannot be decoded" in records["2"]["failure"]["message"]
    assert "field 'i' is missing" in records["row-3"]["failure"]["message"]
    assert "duplicate id '0'" in records["0#2"]["failure"]["message"]
    assert records["5"]["score"]["status"] == "unscored"
    assert records["6"]["failure"]["stage"] == "score"
    found = results(run)
    assert found["failures"] == {"load/permanent": 4, "score/permanent": 1}
    assert (found["n_expected"], found["n_scored"], found["n_failed"], found["n_unscored"]) == (7, 1, 5, 1)


def test_out_of_memory_halves_the_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Small(ToyModel):
        def generate(self, batch: Sequence[LoadedRequest]) -> Iterator[tuple[int, Response | Failure]]:
            self.batches.append(len(batch))
            if len(batch) > 3:
                raise MemoryError("more than three rows")
            for index, request in enumerate(batch):
                yield index, self.answer(request)

    made = register(monkeypatch, TASK, Small)
    run = start(CONFIG, tmp_path / "run")
    assert results(run)["n_scored"] == 40
    assert max(made[-1].batches) > 3 >= min(made[-1].batches)


def test_one_bad_request_does_not_take_its_batch_along(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Fragile(ToyModel):
        def answer(self, request: LoadedRequest) -> Response | Failure:
            if request.request.sample_id == "9":
                raise RuntimeError("index out of range")
            return super().answer(request)

    register(monkeypatch, TASK, Fragile)
    run = start(CONFIG, tmp_path / "run")
    failed = [r for r in run.records("toy") if "failure" in r]
    assert [r["id"] for r in failed] == ["9"]
    assert failed[0]["failure"] == {
        "stage": "generate",
        "kind": "permanent",
        "message": "RuntimeError: index out of range",
    }


def test_resume_asks_only_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Interrupted(ToyModel):
        def answer(self, request: LoadedRequest) -> Response | Failure:
            if request.request.sample_id == "25":
                raise KeyboardInterrupt
            return super().answer(request)

    register(monkeypatch, TASK, Interrupted)
    with pytest.raises(KeyboardInterrupt):
        start(CONFIG, tmp_path / "run")
    before = len(RunDir(tmp_path / "run").done("toy"))
    assert 0 < before < 40
    with pytest.raises(UsageError, match="harness resume"):
        RunDir(tmp_path / "run").results()

    made = register(monkeypatch, TASK)
    run = resume(tmp_path / "run")
    assert sum(made[-1].batches) == 40 - before
    whole = start(CONFIG, tmp_path / "whole")
    assert run.results()["tasks"] == whole.results()["tasks"]


def test_resume_refuses_what_has_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch, TASK)
    run = start(CONFIG, tmp_path / "run")
    (run.path / "finished.json").unlink()
    register(monkeypatch, ToyTask([{"i": i} for i in range(41)]))
    with pytest.raises(UsageError, match=r"tasks\.toy\.data\.rows: 40 -> 41"):
        resume(run.path)


def test_out_is_never_overwritten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch, TASK)
    start(CONFIG, tmp_path / "run")
    with pytest.raises(UsageError, match=r"already holds this run; `harness resume"):
        start(CONFIG, tmp_path / "run")
    with pytest.raises(UsageError, match=r"another configuration(.|\n)*limit: None -> 3"):
        start(CONFIG.model_copy(update={"limit": 3}), tmp_path / "run")


def test_scoring_again_needs_no_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Wordy(ToyModel):
        def answer(self, request: LoadedRequest) -> Response | Failure:
            return Response(f"it is {super().answer(request).text}")  # type: ignore[union-attr]

    register(monkeypatch, TASK, Wordy)
    run = start(CONFIG, tmp_path / "run")
    assert results(run)["metrics"]["accuracy"]["value"] == 0
    made = register(monkeypatch, TASK)
    again = score_again(run.path, {"toy": "loose"})
    assert results(again)["metrics"]["accuracy"]["value"] == 100
    assert again.manifest()["tasks"]["toy"]["profile"] == "loose"
    assert made == []
    with pytest.raises(UsageError, match="no profile 'nope'"):
        score_again(run.path, {"toy": "nope"})
    assert run.finished, "a wrong name must not cost the run anything"


def test_a_capability_that_is_missing_is_told_before_anything_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Speaks(ToyTask):
        outputs = ("speech",)  # type: ignore[assignment]

    register(monkeypatch, Speaks([{"i": 1}]))
    with pytest.raises(UsageError, match="it has no speech output"):
        start(CONFIG, tmp_path / "run")
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


def test_an_empty_task_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch, ToyTask([]))
    with pytest.raises(UsageError, match="has no rows"):
        start(CONFIG, tmp_path / "run")
