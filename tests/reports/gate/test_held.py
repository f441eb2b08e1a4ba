"""Gates from files to exit codes, on runs of the toy model."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from reports.gate.baseline import beside, open_baseline
from reports.gate.first import first_gates
from reports.gate.outputs import COMMENT, SUMMARY, cut
from reports.gate.side import side_of
from reports.runs import load
from tests.harness.conftest import call, install, toys
from tests.reports.fake_run import entry, metric, sample, write_run
from tests.reports.toy_runs import Call, answered, made, worsened

__all__ = ["call", "install", "toys"]
pytestmark = pytest.mark.usefixtures("toys")

ONE = "{task: toy, metric: accuracy, abs_tol: 1.0, test: paired_bootstrap}"


@pytest.fixture
def run(call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    return made(call, tmp_path / "before")


@pytest.fixture
def baseline(call: Call, run: Path) -> Path:
    assert call("baseline", "update", run, "--reason", "a first one").code == 0
    return Path("baselines/toy-model.json")


def gates(*lines: str, head: str = "version: 1\n") -> Path:
    path = Path("gates.yaml")
    path.write_text(head + "gates:\n" + "".join(f"- {line}\n" for line in lines))
    return path


def outcomes() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(Path("gate/gate.json").read_text())["gates"]
    return found


def test_a_worse_run_fails_and_leaves_what_a_ci_reads(
    call: Call, run: Path, baseline: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "summary.md")
    worse = worsened(call, run, tmp_path / "worse", range(20))
    gates(ONE)
    assert call("gate", worse, "--baseline", baseline).code == 3
    (outcome,) = outcomes()
    assert (outcome["status"], outcome["baseline"], outcome["value"], outcome["worse"]) == ("fail", 100, 50, 50)
    suite = ElementTree.parse("gate/junit.xml").getroot()[0]
    assert (suite.get("tests"), suite.get("failures")) == ("1", "1")
    assert suite[0].get("name") == "toy.accuracy" and "significant" in str(suite[0][0].get("message"))
    assert "| toy.accuracy | fail |" in Path("gate/gate.md").read_text()
    assert Path("summary.md").read_text() == Path("gate/gate.md").read_text()
    assert call("gate", worse, "--baseline", baseline).code == 3
    assert Path("summary.md").read_text() == 2 * Path("gate/gate.md").read_text(), "a summary is added to"


def test_the_same_run_passes_against_its_baseline_and_against_itself(call: Call, run: Path, baseline: Path) -> None:
    gates(ONE)
    assert call("gate", run, "--baseline", baseline).code == 0
    told = call("gate", "check", run, "--baseline", run, "--json")
    assert told.code == 0 and json.loads(told.out)["exit"] == 0


def test_a_baseline_file_gives_the_same_verdict_as_the_run_that_it_is_made_of(
    call: Call, run: Path, tmp_path: Path
) -> None:
    middling = worsened(call, run, tmp_path / "middling", range(0, 40, 7))
    assert call("baseline", "update", middling, "--reason", "r", "-o", "b.json").code == 0
    worse = worsened(call, run, tmp_path / "worse", range(0, 40, 5))
    gates(ONE)
    found = []
    for before in (middling, Path("b.json")):
        call("gate", worse, "--baseline", before)
        found.append(outcomes())
    assert found[0] == found[1] and found[0][0]["p"] is not None


def test_a_changed_question_is_seen_and_fails(call: Call, run: Path, baseline: Path, tmp_path: Path) -> None:
    made(call, tmp_path / "short", "--prompt", "toy=short")
    gates(ONE)
    assert call("gate", tmp_path / "short", "--baseline", baseline).code == 3
    assert "prompt: 'plain' -> 'short'" in outcomes()[0]["reason"] and "in other words" in outcomes()[0]["reason"]


def test_part_of_the_samples_does_not_pass_for_all(call: Call, run: Path, baseline: Path, tmp_path: Path) -> None:
    made(call, tmp_path / "part", "--limit", 12)
    gates(ONE)
    assert call("gate", tmp_path / "part", "--baseline", baseline).code == 3
    assert "other samples (40 -> 12)" in outcomes()[0]["reason"]


def test_a_number_that_was_edited_does_not_pass(call: Call, run: Path, baseline: Path, tmp_path: Path) -> None:
    worse = worsened(call, run, tmp_path / "worse", range(20))
    path = worse / "results.json"
    results = json.loads(path.read_text())
    results["tasks"]["toy"]["scores"]["exact"][""]["metrics"]["accuracy"]["value"] = 100.0
    path.write_text(json.dumps(results))
    for rule in (ONE, "{task: toy, metric: accuracy}", "{task: toy, metric: accuracy, floor: 90}"):
        gates(rule)
        assert call("gate", worse, "--baseline", baseline).code == 3
        assert "its samples give 50 and not 100" in outcomes()[0]["reason"]


def test_an_unfinished_run_is_4_and_decides_nothing(call: Call, run: Path, baseline: Path) -> None:
    (run / "finished.json").unlink()
    gates(ONE)
    told = call("gate", run, "--baseline", baseline)
    assert told.code == 4 and "harness resume" in told.err and not Path("gate").exists()


def test_where_every_gate_is_skipped_nothing_passes(call: Call, run: Path, baseline: Path) -> None:
    kept = json.loads(baseline.read_text())
    baseline.write_text(json.dumps(kept | {"device": "bfloat16 on cuda:0, Linux"}))
    gates("{task: toy, metric: accuracy, same_device: true}")
    told = call("gate", run, "--baseline", baseline)
    assert told.code == 2 and "no gate was evaluated" in told.err


@pytest.mark.parametrize(("policy", "code"), [("fail", 2), ("warn", 0)])
def test_a_first_run_without_baseline(call: Call, run: Path, policy: str, code: int) -> None:
    gates(ONE, head=f"version: 1\nmissing_baseline: {policy}\n")
    assert call("gate", run, "--baseline", "absent.json").code == code
    assert call("gate", run).code == (3 if policy == "fail" else 0)


def test_an_accepted_regression_passes_until_its_day_and_only_as_bad_as_it_was(
    call: Call, run: Path, baseline: Path, tmp_path: Path
) -> None:
    worse = worsened(call, run, tmp_path / "worse", range(20))
    gates(ONE)
    told = call("gate", worse, "--baseline", baseline, "--accept", "toy.accuracy", "--reason", "new data")
    assert told.code == 0 and outcomes()[0]["status"] == "accepted"
    assert call("gate", worse, "--baseline", baseline).code == 0
    worst = worsened(call, run, tmp_path / "worst", range(28))
    assert call("gate", worst, "--baseline", baseline).code == 3
    assert "worse than what" in outcomes()[0]["reason"]
    path = Path("gates.accepted.json")
    (kept,) = json.loads(path.read_text())
    assert kept["until"] == str(date.today() + timedelta(days=30)) and kept["reason"] == "new data"
    path.write_text(json.dumps([kept | {"until": "2020-01-01"}]))
    assert call("gate", worse, "--baseline", baseline).code == 3
    assert "expired on 2020-01-01" in outcomes()[0]["reason"]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--accept", "toy.accuracy", "--reason", "r"), "only a number that got worse"),
        (("--accept", "toy.wer", "--reason", "r"), "no such gate; there are toy.accuracy"),
        (("--accept", "toy.accuracy", "--reason", "r", "--until", "soon"), "2026-12-31"),
        (("--reason", "r"), "belong to --accept"),
    ],
)
def test_what_cannot_be_accepted(call: Call, run: Path, baseline: Path, more: tuple[str, ...], said: str) -> None:
    gates(ONE)
    told = call("gate", run, "--baseline", baseline, *more)
    assert told.code == 2 and said in told.err and not Path("gates.accepted.json").exists()


def test_an_acceptance_needs_a_reason_and_a_day_to_come(call: Call, run: Path, baseline: Path, tmp_path: Path) -> None:
    worse = worsened(call, run, tmp_path / "worse", range(20))
    gates(ONE)
    accepting = ("gate", worse, "--baseline", baseline, "--accept", "toy.accuracy")
    assert "needs a --reason" in call(*accepting).err
    assert "that day is past" in call(*accepting, "--reason", "r", "--until", "2020-01-01").err


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "gates file must hold a mapping"),
        ("version: 1\n", "at least one gate"),
        ("version: 1\ngates: []\n", "at least one gate"),
        ("version: 2\ngates:\n- {task: toy, metric: accuracy}\n", "version 2 is not known"),
        ("version: 1\ngates:\n- {task: toy, metric: accuracy, abs_tolerance: 1}\n", "is abs_tol meant?"),
        ("version: 1\ngate:\n- {task: toy, metric: accuracy}\n", "is gates meant?"),
        ("version: 1\ngates:\n- {task: toy, metric: accuracy, abs_tol: much}\n", "abs_tol"),
        ("version: 1\ngates:\n- {task: toy, metric: accuracy, abs_tol: -1}\n", "must not be negative"),
        ("version: 1\ngates:\n- {task: toy, metric: accuracy, abs_tol: .nan}\n", "must not be negative or infinite"),
        ("version: 1\ngates:\n- {task: toy, metric: accuracy, alpha: 5}\n", "alpha must be between"),
        ("version: 1\ngates:\n- {task: toy, metric: accuracy, test: t}\n", "test"),
        ("version: 1\ngates:\n- toy\n", "gate 1: a gate is a mapping"),
        ("version: 1\ngates:\n- {task: toy, metric: accuracy}\n- {task: toy, metric: accuracy}\n", "keep one"),
        ("gates: [\n", "is not YAML"),
        ("version: 1\ngates:\n- {task: 2026-13-45, metric: accuracy}\n", "is not YAML"),
        ("version: 1\ngates: []\ngates:\n- {task: toy, metric: accuracy}\n", "'gates' occurs twice"),
        ("version: 1\ngates:\n- {task: toy, metric: accuracy, abs_tol: 1, abs_tol: 200}\n", "'abs_tol' occurs twice"),
        ("version: 1\ngates:\n- {task: toy, metric: accuracy, floor: .nan}\n", "floor must be a number"),
        ("version: 1\ngates:\n- {task: toy, metric: accuracy, rel_tol: 20}\n", "rel_tol is a share"),
    ],
)
def test_a_gates_file_at_fault_is_told_by_gate_and_field(call: Call, run: Path, content: str, said: str) -> None:
    Path("gates.yaml").write_text(content)
    told = call("gate", run, "--baseline", run)
    assert told.code == 2 and "gates.yaml" in told.err and said in told.err


def test_a_first_gates_file_passes_on_its_own_run(call: Call, run: Path, tmp_path: Path) -> None:
    assert call("gate", "init", run).code == 0
    assert call("gate", run, "--baseline", run).code == 0
    assert call("gate", "init", run).code == 2, "it is there already"
    half = worsened(call, run, tmp_path / "half", range(20))
    assert call("gate", half, "--baseline", run).code == 3


def test_a_baseline_keeps_its_history_and_shows_what_changes(
    call: Call, run: Path, baseline: Path, tmp_path: Path
) -> None:
    worse = worsened(call, run, tmp_path / "worse", range(4))
    told = call("baseline", "update", worse, "--reason", "the questions got harder")
    assert "toy accuracy: 100.00 % -> 90.00 %" in told.out
    shown = call("baseline", "show").out
    assert "a first one" in shown and "the questions got harder" in shown and "90.00 %" in shown
    assert len(json.loads(call("baseline", "show", baseline, "--json").out)[str(baseline)]["history"]) == 2


def test_a_baseline_is_made_by_hand_of_valid_finished_runs(
    call: Call, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as ci:
        ci.setenv("CI", "true")
        assert "not updated in CI" in call("baseline", "update", run, "--reason", "r").err
    assert "must say why" in call("baseline", "update", run, "--reason", " ").err
    log = run / "samples" / "toy.jsonl"
    log.write_text("".join(log.read_text().splitlines(keepends=True)[:-1]))
    assert "invalid" in call("baseline", "update", run, "--reason", "r").err
    (run / "finished.json").unlink()
    assert "not finished" in call("baseline", "update", run, "--reason", "r").err
    assert not Path("baselines").exists()


def test_without_the_parts_beside_it_a_baseline_has_no_test(call: Call, run: Path, baseline: Path) -> None:
    beside(baseline).unlink()
    gates(ONE)
    assert call("gate", run, "--baseline", baseline).code == 3
    assert "parts of samples are missing" in outcomes()[0]["reason"]
    gates("{task: toy, metric: accuracy, abs_tol: 1.0}")
    assert call("gate", run, "--baseline", baseline).code == 0


def test_the_parts_of_a_baseline_are_those_of_its_run(run: Path, baseline: Path) -> None:
    kept, own = open_baseline(baseline).parts("toy", ""), side_of(load(run)).parts("toy", "")
    assert kept is not None and own is not None and len(own) == 1
    assert [list(table.rows()) for table in kept] == [list(table.rows()) for table in own]


def test_parts_of_another_run_are_no_parts_of_a_baseline(call: Call, run: Path, baseline: Path, tmp_path: Path) -> None:
    worse = worsened(call, run, tmp_path / "worse", range(20))
    assert call("baseline", "update", worse, "--reason", "r", "-o", "other.json").code == 0
    gates(ONE)
    for content in (beside(Path("other.json")).read_bytes(), b"", b"version https://git-lfs"):
        beside(baseline).write_bytes(content)
        told = call("gate", worse, "--baseline", baseline)
        assert told.code == 2 and "commit both" in told.err


def test_a_baselines_number_that_was_edited_does_not_pass(
    call: Call, run: Path, baseline: Path, tmp_path: Path
) -> None:
    worse = worsened(call, run, tmp_path / "worse", range(20))
    kept = json.loads(baseline.read_text())
    kept["tasks"]["toy"]["metrics"][""]["accuracy"]["value"] = 50.0
    baseline.write_text(json.dumps(kept))
    gates(ONE)
    assert call("gate", worse, "--baseline", baseline).code == 3 and "was it edited?" in outcomes()[0]["reason"]


def test_a_run_directory_is_a_baseline_where_it_is_finished_and_valid(call: Call, run: Path, tmp_path: Path) -> None:
    worse = worsened(call, run, tmp_path / "worse", range(20))
    gates(ONE)
    log = worse / "samples" / "toy.jsonl"
    log.write_text("".join(log.read_text().splitlines(keepends=True)[:-1]))
    assert "invalid" in call("gate", run, "--baseline", worse).err
    (worse / "finished.json").unlink()
    assert "not finished" in call("gate", run, "--baseline", worse).err


def test_other_samples_that_are_left_out_are_other_samples(call: Call, run: Path, tmp_path: Path) -> None:
    worse = worsened(call, run, tmp_path / "worse", range(20))
    Path("ids.txt").write_text("".join(f"{n}\n" for n in range(20)))
    assert call("exclude", worse, "--ids", "ids.txt", "--reason", "r").code == 0
    Path("ids.txt").write_text("".join(f"{n}\n" for n in range(20, 40)))
    assert call("exclude", run, "--ids", "ids.txt", "--reason", "r").code == 0
    gates("{task: toy, metric: accuracy}")
    assert call("gate", worse, "--baseline", run).code == 3 and "other samples" in outcomes()[0]["reason"]


def test_an_acceptance_does_not_slip_with_the_baseline(call: Call, run: Path, baseline: Path, tmp_path: Path) -> None:
    worse = worsened(call, run, tmp_path / "worse", range(20))
    worst = worsened(call, run, tmp_path / "worst", range(32))
    gates("{task: toy, metric: accuracy, abs_tol: 1.0}")
    assert call("gate", worse, "--baseline", baseline, "--accept", "toy.accuracy", "--reason", "r").code == 0
    assert call("gate", worst, "--baseline", worse).code == 3


def test_what_a_model_is_called_reaches_no_markup(call: Call, run: Path, tmp_path: Path) -> None:
    hostile = answered(call, run, tmp_path / "<script>|x", {"1": "</td>"})
    gates(ONE)
    call("gate", hostile, "--baseline", run)
    told = Path("gate/gate.md").read_text()
    assert "<script>" not in told and "\\|x" in told


@pytest.mark.parametrize("most", [COMMENT, SUMMARY])
def test_a_long_summary_is_cut_at_a_line_and_says_so(most: int) -> None:
    text = "| é | b |\n" * (most // 5)
    found = cut(text, most)
    assert len(found.encode()) <= most and found.endswith("gate.json has all gates\n")
    assert text.startswith(found.partition("\n\n...")[0]) and cut("short\n", most) == "short\n"


def test_a_first_gates_file_tests_no_number_that_too_few_units_stand_behind(tmp_path: Path) -> None:
    score = {"parts": {"errors": 1.0, "units": 3.0}, "wrong": True}
    task, one = "librispeech_test_clean", [sample("a", 1 / 3, score=score)]
    results = entry({"wer": metric(33.3)}, n_expected=1, n_scored=1, version="2")
    gates = first_gates(load(write_run(tmp_path / "one", {task: results}, {task: one}, data="hub")))
    assert "rel_tol: 0.02, min_samples: 1}" in gates and "test:" not in gates
