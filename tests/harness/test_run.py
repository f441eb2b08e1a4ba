"""Runs from config to results, with a toy task and model."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from harness.failures import RunStopped, UsageError
from harness.plan import request_seed
from harness.run import resume, score_again, start
from harness.schema import Record, TaskResult
from harness.store import RunDir
from harness.task import Ratio
from harness.types import Failure, Generation, Ready, Request, Response
from reports import leaderboard
from reports.runs import caveats, load
from tests.harness.toy import (
    ACCURACY,
    TASK,
    Rows,
    ToyModel,
    accuracy,
    config,
    fake_audio,
    numbered,
    objects,
    timed,
    toy_task,
)


def result(run: RunDir) -> TaskResult:
    return run.results().tasks["toy"]


def records(run: RunDir) -> dict[str, Record]:
    return {record.id: record for record in run.records("toy")}


def test_a_run_scores_every_sample_and_says_how(tmp_path: Path) -> None:
    run = start(config(), tmp_path / "run", objects(TASK))
    found = result(run)
    assert (found.n_expected, found.n_scored, found.n_failed, found.n_unscored) == (40, 40, 0, 0)
    metric = found.headline.metrics["accuracy"]
    assert (metric.value, metric.ci_unit, metric.n) == (100, "group", 10)
    assert metric.ci is not None and metric.ci[0] < 100 == metric.ci[1], "40 of 40 is no certainty"
    assert run.finished and run.results().valid
    described = run.manifest()
    assert described.tasks["toy"].prompt == "plain"
    assert described.planned is not None and described.planned["toy"].rows == 40
    assert (run.path / run.results().scores / "samples.parquet").is_file() and run.finished


def test_every_profile_is_scored_and_the_default_is_the_headline(tmp_path: Path) -> None:
    class Wordy(ToyModel):
        def answer(self, request: Request) -> Response | Failure:
            said = super().answer(request)
            assert isinstance(said, Response)
            return Response(f"it is {said.text}")

    run = start(config(), tmp_path / "run", objects(TASK, model=Wordy()))
    found = run.results()
    assert found.tasks["toy"].profile == "exact"
    assert (accuracy(found), accuracy(found, "exact"), accuracy(found, "loose")) == (0, 0, 100)
    separate = start(config(profile={"toy": "loose"}), tmp_path / "loose", objects(TASK, model=Wordy())).results()
    assert separate.tasks["toy"].scores == found.tasks["toy"].scores
    assert accuracy(separate) == 100


def test_sub_scores_have_their_own_samples_and_intervals(tmp_path: Path) -> None:
    run = start(config(), tmp_path / "run", objects(toy_task(numbered(41))))
    groups = result(run).headline.groups["parity"]
    assert {name: group.n_samples for name, group in groups.items()} == {"even": 21, "odd": 20}
    assert groups["odd"].metrics["accuracy"].n == 10


def test_limit_takes_the_first_samples_and_a_part_says_that_it_is_one(tmp_path: Path) -> None:
    task = toy_task([], source=Rows(numbered(40), published=40))
    run = start(config(limit=3, data=str(tmp_path)), tmp_path / "run", objects(task))
    assert sorted(records(run)) == ["0", "1", "2"]
    found = result(run)
    assert (found.n_rows, found.n_published) == (3, 40)
    assert "3 of 40 published rows" in found.problems


def test_a_failed_sample_counts_as_wrong_and_the_run_is_invalid(tmp_path: Path) -> None:
    class Refuses(ToyModel):
        def answer(self, request: Request) -> Response | Failure:
            return Failure("generate", "limit", "too long") if request.sample_id == "7" else super().answer(request)

    run = start(config(), tmp_path / "run", objects(TASK, model=Refuses()))
    found = result(run)
    assert (found.n_scored, found.n_failed) == (39, 1)
    assert found.failures == {"generate/limit": 1}
    assert accuracy(run.results()) == pytest.approx(100 * 39 / 40)
    assert not found.valid and "coverage 97.5 %" in found.problems[0]
    assert not run.results().valid


def test_what_goes_wrong_with_one_sample_stays_with_it(tmp_path: Path) -> None:
    rows = [
        *numbered(1),
        {"i": 1, "sample_id": "1", "media": str(tmp_path / "absent.flac")},
        {"i": 2, "sample_id": "2", "media": str(fake_audio(tmp_path))},
        {"wrong column": 3},
        {"i": 4, "sample_id": "0"},
        {"i": 5, "sample_id": "5", "empty": True},
        {"i": 6, "sample_id": "6"},
        {"i": 7, "sample_id": "7", "error": "table.tsv:9: the line has no tab"},
        {"i": 8, "sample_id": "8\ud800"},
    ]

    class Crashes(ToyModel):
        def answer(self, request: Request) -> Response | Failure:
            return Response("crash the scorer") if request.sample_id == "6" else super().answer(request)

    run = start(config(), tmp_path / "run", objects(toy_task(rows), model=Crashes()))
    found = records(run)
    said = {name: record.failure.message for name, record in found.items() if record.failure}
    assert "is missing" in said["1"]
    assert "cannot be decoded" in said["2"]
    assert "field 'i' is missing" in said["row-3"]
    assert "duplicate id '0'" in said["0#2"]
    assert said["7"] == "row 7: table.tsv:9: the line has no tab"
    scored = {one.id: one for one in run.scored("toy")}
    assert scored["6"].failure is not None and scored["6"].failure.stage == "score"
    assert scored["5"].scores["exact"][""].status == "unscored"
    assert scored["8\ufffd"].scores["exact"][""].status == "ok"
    entry = result(run)
    assert entry.failures == {"load/permanent": 5, "score/permanent": 1}
    assert (entry.n_expected, entry.n_scored, entry.n_failed, entry.n_unscored) == (9, 2, 6, 1)
    assert "1 failed rows count nowhere" in " ".join(entry.problems)


@pytest.mark.parametrize("broken", [{"gold": "unreadable"}, {"media": "absent.flac"}, {"error": "cannot be read"}])
def test_a_broken_row_keeps_its_cluster_and_counts_as_wrong(tmp_path: Path, broken: dict) -> None:
    rows = numbered(40)
    for row in rows[:10]:
        row.update(broken)
    run = start(config(), tmp_path / "run", objects(toy_task(rows)))
    assert result(run).n_failed == 10
    assert accuracy(run.results()) == 75
    assert {record.cluster for record in run.records("toy")} == {str(i) for i in range(10)}


def test_unscorable_references_are_not_held_against_the_model(tmp_path: Path) -> None:
    rows = [*numbered(98), *({"i": i, "sample_id": str(i), "empty": True} for i in (98, 99))]
    run = start(config(), tmp_path / "run", objects(toy_task(rows)))
    found = result(run)
    assert (found.n_scored, found.n_unscored, found.coverage, found.valid) == (98, 2, 1.0, True)
    assert any(said.startswith("2 samples are unscored and in no number") for said in found.problems)


def test_out_of_memory_asks_for_fewer_rows(tmp_path: Path) -> None:
    class Small(ToyModel):
        def generate(self, batch: Iterable[Ready], rows: int) -> Iterator[tuple[int, Response | Failure]]:
            self.rows.append(rows)
            for index, ready in enumerate(batch):
                if rows > 3:
                    raise MemoryError("more than three rows")
                yield index, self.answer(ready.request)

    model = Small()
    run = start(config(), tmp_path / "run", objects(TASK, model=model))
    assert result(run).n_scored == 40
    assert max(model.rows) > 3 >= min(model.rows)


def test_one_bad_request_does_not_take_its_batch_along(tmp_path: Path) -> None:
    class Fragile(ToyModel):
        def answer(self, request: Request) -> Response | Failure:
            if request.sample_id == "9":
                raise RuntimeError("index out of range")
            return super().answer(request)

    run = start(config(), tmp_path / "run", objects(TASK, model=Fragile()))
    failed = [record for record in run.records("toy") if record.failure]
    assert [record.id for record in failed] == ["9"]
    assert failed[0].failure == Failure("generate", "permanent", "RuntimeError: index out of range")


class Interrupted(ToyModel):
    def answer(self, request: Request) -> Response | Failure:
        if request.sample_id == "25":
            raise KeyboardInterrupt
        return super().answer(request)


def test_ctrl_c_names_the_command_that_goes_on_and_resume_asks_only_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(RunStopped, match=f"harness resume {tmp_path / 'run'}"):
        start(config(), tmp_path / "run", objects(TASK, model=Interrupted()))
    before = len(RunDir(tmp_path / "run").done("toy"))
    assert 0 < before < 40
    with pytest.raises(UsageError, match="harness resume"):
        RunDir(tmp_path / "run").results()

    model = ToyModel()
    run = resume(tmp_path / "run", objects(TASK, model=model))
    assert len(model.asked) == 40 - before
    whole = start(config(), tmp_path / "whole", objects(TASK)).results()
    assert run.results().tasks["toy"].scores == whole.tasks["toy"].scores


def test_times_survive_a_stop_and_a_rescoring(tmp_path: Path) -> None:
    with pytest.raises(RunStopped):
        start(config(), tmp_path / "run", objects(TASK, model=Interrupted()))
    run = resume(tmp_path / "run", objects(TASK))
    stretches = run.results().stretches
    assert len(stretches) == 2 and sum(stretch.answered for stretch in stretches) == 40
    assert all(stretch.seconds > 0 for stretch in stretches)
    seconds = result(run).seconds
    assert seconds == pytest.approx(sum(stretch.seconds for stretch in stretches), abs=0.01)
    again = score_again(run.path, {"toy": "loose"}, objects=objects(TASK))
    assert (again.results().stretches, result(again).seconds) == (stretches, seconds)


def test_rows_are_read_once_and_not_at_all_by_a_resume(tmp_path: Path) -> None:
    opened: list[None] = []
    task = toy_task([], source=Rows(numbered(40), opened=(opened,)))
    with pytest.raises(RunStopped):
        start(config(), tmp_path / "run", objects(task, model=Interrupted()))
    assert len(opened) == 1
    resume(tmp_path / "run", objects(task))
    assert len(opened) == 1


def test_resume_refuses_what_has_changed(tmp_path: Path) -> None:
    run = start(config(), tmp_path / "run", objects(TASK))
    (run.path / "finished.json").unlink()
    with pytest.raises(UsageError, match=r"tasks\.toy\.data\.rows: 40 -> 41"):
        resume(run.path, objects(toy_task(numbered(41))))


def test_a_plan_that_was_edited_is_told(tmp_path: Path) -> None:
    run = start(config(), tmp_path / "run", objects(TASK))
    (run.path / "finished.json").unlink()
    log = run.samples_path("toy")
    log.write_bytes(b"".join(log.read_bytes().splitlines(keepends=True)[:-1]))
    plan = run.path / "plan" / "toy.jsonl"
    plan.write_text(plan.read_text().replace("what is 0?", "what is 1?"))
    with pytest.raises(UsageError, match="was asked something else"):
        resume(run.path, objects(TASK))


@pytest.mark.parametrize("change", ["cut", "double"])
def test_a_log_that_lost_or_doubled_lines_makes_the_result_invalid(tmp_path: Path, change: str) -> None:
    run = start(config(), tmp_path / "run", objects(TASK))
    log = run.samples_path("toy")
    lines = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(b"".join(lines[:15] if change == "cut" else [*lines, lines[3]]))
    again = score_again(run.path, {}, objects=objects(TASK))
    found = result(again)
    assert (found.n_expected, found.valid) == (40, False)
    assert (found.n_missing, found.n_repeated) == ((25, 0) if change == "cut" else (0, 1))
    assert found.n_scored == (15 if change == "cut" else 40)
    assert not again.results().valid


@pytest.mark.parametrize("change", ["gone", "cut", "renamed"])
def test_a_plan_that_was_changed_makes_a_rescoring_invalid(tmp_path: Path, change: str) -> None:
    run = start(config(), tmp_path / "run", objects(TASK))
    plan = run.path / "plan" / "toy.jsonl"
    lines = plan.read_bytes().splitlines(keepends=True)
    changed = {
        "gone": b"",
        "cut": b"".join(lines[:20]),
        "renamed": lines[0].replace(b'"0"', b'"x"') + b"".join(lines[1:]),
    }
    plan.write_bytes(changed[change])
    entry = score_again(run.path, {}, objects=objects(TASK)).results().tasks["toy"]
    assert not entry.valid
    assert entry.problems[0].startswith(f"invalid: {plan} is not the plan that was made")


def test_out_is_never_overwritten(tmp_path: Path) -> None:
    start(config(), tmp_path / "run", objects(TASK))
    with pytest.raises(UsageError, match=r"already holds this run; `harness resume"):
        start(config(), tmp_path / "run", objects(TASK))
    with pytest.raises(UsageError, match=r"another configuration(.|\n)*limit: None -> 3"):
        start(config(limit=3), tmp_path / "run", objects(TASK))


def test_a_newer_run_is_neither_read_nor_rewritten(tmp_path: Path) -> None:
    run = start(config(), tmp_path / "run", objects(TASK))
    for name in ("manifest.json", "results.json"):
        path = run.path / name
        path.write_text(path.read_text().replace('"format": 2', '"format": 99'))
        before = path.read_bytes()
        with pytest.raises(UsageError, match="format is 99"):
            score_again(run.path, {}, objects=objects(TASK))
        assert path.read_bytes() == before
        path.write_text(path.read_text().replace('"format": 99', '"format": 2'))


def test_scoring_again_needs_no_model(tmp_path: Path) -> None:
    run = start(config(), tmp_path / "run", objects(TASK))
    model = ToyModel()
    again = score_again(run.path, {"toy": "loose"}, objects=objects(TASK, model=model))
    assert (result(again).profile, model.asked) == ("loose", [])
    assert again.manifest().tasks["toy"].profile == "exact", "what was run stays as it was"
    with pytest.raises(UsageError, match="no profile 'nope'"):
        score_again(run.path, {"toy": "nope"}, objects=objects(TASK))
    assert run.finished, "a wrong name must not cost the run anything"


def test_each_request_has_a_seed_of_its_own_that_follows_the_run_seed(tmp_path: Path) -> None:
    sampled = toy_task(numbered(8), generation=Generation(max_new_tokens=4, temperature=1.0))
    seeds = {}
    for seed in (7, 8):
        model = ToyModel()
        start(config(seed=seed, repeats=2), tmp_path / str(seed), objects(sampled, model=model))
        seeds[seed] = [request.generation.seed for request in model.asked]
    assert len({*seeds[7], *seeds[8]}) == 32
    assert request_seed(7, "toy", "0", 1) in seeds[7]


def test_repeats_give_spread_and_pass_at_k_and_never_raise_n(tmp_path: Path) -> None:
    class Unsteady(ToyModel):
        """Right in the second repeat only, for even numbers."""

        def answer(self, request: Request) -> Response | Failure:
            right = request.generation.seed == request_seed(0, "toy", request.sample_id, 1)
            even = int(request.sample_id) % 2 == 0
            return super().answer(request) if right and even else Response("?")

    sampled = toy_task(numbered(40), generation=Generation(max_new_tokens=4, temperature=1.0))
    found = result(start(config(repeats=2), tmp_path / "run", objects(sampled, model=Unsteady())))
    assert (found.n_rows, found.n_expected, found.repeats) == (40, 80, 2)
    assert found.headline.metrics["accuracy"].value == 25
    assert found.headline.metrics["accuracy"].n == 10
    assert found.spread == {"accuracy": [0, 50]}
    assert found.pass_at == {"1": 25, "2": 50}
    with pytest.raises(UsageError, match="answered greedily"):
        start(config(repeats=2), tmp_path / "greedy", objects(TASK))


def test_timed_requests_are_warmed_up_and_asked_alone(tmp_path: Path) -> None:
    model = ToyModel()
    start(config(), tmp_path / "run", objects(timed(TASK), model=model))
    assert len(model.asked) == 43, "three samples are answered before the first that counts"
    assert set(model.rows) == {1}


def test_the_manifest_holds_the_settings_as_they_are_used(tmp_path: Path) -> None:
    run = start(config(), tmp_path / "run", objects(TASK))
    generation = run.manifest().tasks["toy"].generation
    assert generation["repetition_penalty"] is None and generation["effective"] == {"repetition_penalty": 1.0}


def test_two_tasks_share_a_batch_where_their_settings_agree(tmp_path: Path) -> None:
    other = dataclasses.replace(toy_task(numbered(5)), name="other")
    model = ToyModel()
    run = start(config(TASK, other), tmp_path / "run", objects(TASK, other, model=model))
    assert len(model.rows) == 1
    assert {name: entry.n_scored for name, entry in run.results().tasks.items()} == {"toy": 40, "other": 5}


def test_an_empty_task_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="has no rows"):
        start(config(), tmp_path / "run", objects(toy_task([])))


def test_results_are_what_the_schema_says(tmp_path: Path) -> None:
    run = start(config(), tmp_path / "run", objects(TASK))
    content = msgspec.json.decode((run.path / "results.json").read_bytes())
    assert content["format"] == 2 and content["tasks"]["toy"]["scores"]["exact"][""]["metrics"]["accuracy"]["n"] == 10


@pytest.mark.parametrize("marked", [True, False])
def test_the_best_constant_answer_is_what_a_number_is_held_against(marked: bool, tmp_path: Path) -> None:
    class Wavers(ToyModel):
        def answer(self, request: Request) -> Response:
            return Response("30" if int(request.sample_id) % 3 else "7")

    rows = [{"i": 7 if i < 8 else i, "sample_id": str(i)} for i in range(20)]
    by_parity = Ratio("by_parity", "%", True, "right", "n", by=("parity",), overall=False)
    task = toy_task(rows, metrics=(replace(ACCURACY, headline=marked), replace(by_parity, headline=marked)))
    run = start(config(limit=20), tmp_path / "run", objects(task, model=Wavers()))
    entry = run.results().tasks["toy"]
    assert entry.answers == {"30": 13, "7": 7}
    assert (entry.headline.constant, entry.headline.constant_metric) == (("7", 40.0), "accuracy")
    assert not any("too few samples" in said for said in caveats(load(run.path)))
    assert [row.headline for row in leaderboard.rows(load(run.path)) if row.profile == "exact"] == [True]


def test_a_task_without_a_headline_has_the_spread_of_all_its_metrics(tmp_path: Path) -> None:
    metrics = (replace(ACCURACY, headline=False), Ratio("error", "%", False, "right", "n", complement=True))
    sampled = toy_task(numbered(8), generation=Generation(max_new_tokens=4, temperature=1.0), metrics=metrics)
    found = result(start(config(repeats=2), tmp_path / "run", objects(sampled)))
    assert found.spread == {"accuracy": [100, 100], "error": [0, 0]}
