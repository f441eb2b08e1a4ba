"""Which profiles are scored, and under which the headline stands, with and without a judge."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.failures import UsageError
from harness.files import read_json
from harness.run import score_again, start
from harness.schema import Results, TaskResult
from harness.store import RunDir
from reports import leaderboard, runs
from tests.harness.conftest import Call
from tests.harness.test_judging import count, responses
from tests.harness.toy import ToyModel, config, objects
from tests.harness.toy_judge import EITHER, GRADED, HEARD, JUDGED, LOG

TOLD = "no judge was asked: scored by rule alone (profile exact); `--judge toy-judge:MODEL` asks one"


@pytest.fixture(autouse=True)
def asked(toys: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The toys are installed, the cache is the test's own; returns the file of all that was judged."""
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv(LOG, str(tmp_path / "asked"))
    return tmp_path / "asked"


def run(task: Any, out: Path, **fields: object) -> Results:
    return start(config(task, **fields), out, objects(task, model=ToyModel())).results()


def shown(entry: TaskResult) -> tuple[str, set[str], list[str]]:
    return entry.profile, set(entry.scores), entry.problems


@pytest.mark.parametrize("judge", [{}, {"judge": "none"}])
def test_without_a_judge_the_rule_stands_in_and_this_is_told(
    asked: Path, tmp_path: Path, judge: dict[str, str]
) -> None:
    entry = run(EITHER, tmp_path / "run", **judge).tasks["toy_either"]
    assert shown(entry) == ("exact", {"exact"}, [TOLD])
    assert entry.valid and entry.by_rule and entry.judges == {} and entry.failures == {}
    assert count(asked) == 0, "a judge costs money"
    described = read_json(tmp_path / "run" / "manifest.json")["tasks"]["toy_either"]
    assert (described["profile"], described["profiles"]) == ("exact", ["exact"])


def test_a_judge_that_is_named_makes_the_tasks_own_headline(asked: Path, tmp_path: Path) -> None:
    entry = run(EITHER, tmp_path / "run", judge="toy-judge").tasks["toy_either"]
    assert shown(entry) == ("loose", {"exact", "loose"}, [])
    assert not entry.by_rule and entry.judges["llm"].startswith("toy-judge (")
    assert count(asked) == 12


def test_a_headline_by_rule_stays_where_it_is_the_tasks_own(asked: Path, tmp_path: Path) -> None:
    alone = run(GRADED, tmp_path / "alone").tasks["toy_graded"]
    assert shown(alone) == ("exact", {"exact"}, []) and not alone.by_rule
    assert count(asked) == 0
    beside = run(GRADED, tmp_path / "beside", judge="toy-judge").tasks["toy_graded"]
    assert shown(beside) == ("exact", {"exact", "loose"}, []) and count(asked) == 12


def test_a_judge_of_another_role_is_no_judge_of_this_task(asked: Path, tmp_path: Path) -> None:
    both = config(EITHER, HEARD, judge="toy-ear")
    results = start(both, tmp_path / "run", objects(EITHER, HEARD, model=ToyModel())).results()
    assert shown(results.tasks["toy_either"]) == ("exact", {"exact"}, [TOLD])
    assert results.tasks["toy_heard"].judges["recogniser-en"].startswith("toy-ear (")


def test_a_judge_that_is_named_later_grades_a_run_and_makes_its_headline(
    call: Call, asked: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    assert call("run", "-m", "toy-model", "-t", "toy_either", "--data", "mini", "--out", out).code == 0
    told = call("judge", out, "--judge", "toy-judge", "--json")
    assert told.code == 0
    assert shown(RunDir.open(out).results().tasks["toy_either"]) == ("loose", {"exact", "loose"}, [])
    assert count(asked) == 12
    score_again(out, {}, ["none"])
    assert shown(RunDir.open(out).results().tasks["toy_either"]) == ("exact", {"exact"}, [TOLD])


def test_a_profile_that_was_chosen_stays_the_headline(tmp_path: Path) -> None:
    out = tmp_path / "run"
    entry = run(EITHER, out, profile={"toy_either": "exact"}).tasks["toy_either"]
    assert shown(entry) == ("exact", {"exact"}, [])
    assert entry.by_rule, "a published value of a judge does not stand beside it"
    score_again(out, {}, ["toy-judge"])
    assert shown(RunDir.open(out).results().tasks["toy_either"]) == ("exact", {"exact", "loose"}, [])
    score_again(out, {"toy_either": "loose"}, ["toy-judge"])
    assert RunDir.open(out).results().tasks["toy_either"].profile == "loose"


def test_a_profile_that_asks_a_judge_needs_one_before_any_model_is_loaded(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def opened(self: ToyModel) -> None:
        raise AssertionError("the model was loaded")

    monkeypatch.setattr(ToyModel, "open", opened)
    command = ("run", "-m", "toy-model", "-t", "toy_either", "--data", "mini", "--profile", "loose")
    for judge in ((), ("--judge", "none")):
        told = call(*command, *judge, "--out", tmp_path / "run")
        assert told.code == 2 and "--judge toy-judge:MODEL" in told.err and "asks none: exact" in told.err
    assert not (tmp_path / "run").exists()


def test_scoring_again_by_a_profile_that_asks_a_judge_leaves_the_run_as_it_is(tmp_path: Path) -> None:
    run(EITHER, tmp_path / "run")
    before = (tmp_path / "run" / "results.json").read_bytes()
    for wanted, message in (("loose", "asks a judge"), ("nonesuch", "no profile")):
        with pytest.raises(UsageError, match=message):
            score_again(tmp_path / "run", {"toy_either": wanted})
    assert (tmp_path / "run" / "results.json").read_bytes() == before
    assert len(list((tmp_path / "run" / "scores").iterdir())) == 1


def test_a_task_that_cannot_do_without_asks_its_own_judge(asked: Path, tmp_path: Path) -> None:
    both = config(EITHER, JUDGED)
    results = start(both, tmp_path / "run", objects(EITHER, JUDGED, model=ToyModel())).results()
    assert results.tasks["toy_judged"].profile == "loose"
    assert shown(results.tasks["toy_either"]) == ("exact", {"exact"}, [TOLD])
    assert count(asked) == 12, "of the one task alone"


def test_saved_responses_are_scored_by_rule_unless_a_judge_spoke_or_is_named(
    call: Call, asked: Path, tmp_path: Path
) -> None:
    def scored(path: Path, *flags: str) -> dict[str, Any]:
        told = call("score", "--task", "toy_either", "--responses", path, "--json", *flags)
        return dict(json.loads(told.out))

    alone = scored(responses(tmp_path))
    assert (alone["profile"], list(alone["scores"]), alone["problems"]) == ("exact", ["exact"], [TOLD])
    replayed = scored(responses(tmp_path, judge_replies=["yes"]))
    assert (replayed["profile"], list(replayed["scores"]), replayed["problems"]) == ("loose", ["exact", "loose"], [])
    assert replayed["scores"]["loose"][""]["metrics"]["accuracy"]["value"] == 100
    assert count(asked) == 0
    judged = scored(responses(tmp_path), "--judge", "toy-judge")
    assert judged["profile"] == "loose" and judged["judges"]["llm"].startswith("toy-judge (")
    assert count(asked) == 4


def test_lines_without_replies_beside_lines_with_them_are_not_judged_unasked(
    call: Call, asked: Path, tmp_path: Path
) -> None:
    path = responses(tmp_path)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    lines[0]["judge_replies"] = ["yes"]
    path.write_text("\n".join(map(json.dumps, lines)))
    entry = json.loads(call("score", "--task", "toy_either", "--responses", path, "--json").out)
    assert entry["failures"] == {"judge/unsupported": 3} and entry["n_scored"] == 1
    assert count(asked) == 0


def test_saved_responses_need_a_judge_for_a_profile_that_asks_one(call: Call, tmp_path: Path) -> None:
    told = call("score", "--task", "toy_either", "--responses", responses(tmp_path), "--profile", "loose")
    assert told.code == 2 and "--judge toy-judge:MODEL" in told.err


def test_the_papers_value_stands_beside_the_judges_number_only(tmp_path: Path) -> None:
    class Released(ToyModel):
        name = label = "vita15"

        def fingerprint(self) -> dict[str, Any]:
            return {"digest": "0", "released": True}

    task = replace(EITHER, benchmark="MM-Vet", split="all 218", published_metrics={"accuracy": "judge score /100"})
    for judge, there in (("none", False), ("toy-judge", True)):
        fields = config(task, judge=judge, data=str(tmp_path))
        out = start(fields, tmp_path / judge, objects(task, model=Released())).path
        (first,) = (row for row in leaderboard.rows(runs.load(out)) if row.headline)
        assert (first.published is not None) == there
