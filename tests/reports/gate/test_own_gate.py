"""This repository's own gate (`make gate`): the shipped weights pass it, and a run made worse fails."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from harness import run as engine
from harness.config import make_config
from harness.failures import Exit
from reports.gate.held import hold

CI = Path(__file__).parents[3] / ".ci"
BASELINE, GATES = CI / "baselines" / "vita15-mini.json", CI / "gates.yaml"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tasks = "librispeech_test_clean,aishell1,mme"
    config = make_config({"model": "vita15-mini", "tasks": tasks.split(","), "data": "mini"})
    return engine.start(config, tmp_path_factory.mktemp("own") / "run").path


def test_the_shipped_weights_hold_their_baseline(whole: Path) -> None:
    held = hold(whole, BASELINE, GATES)
    assert held.exit == Exit.GOOD and len(held.outcomes) == 4
    assert {outcome.status for outcome in held.outcomes} <= {"pass", "improved"}, held.outcomes


def test_a_worse_run_fails_just_the_gate_of_what_got_worse(whole: Path, tmp_path: Path) -> None:
    worse = tmp_path / "worse"
    shutil.copytree(whole, worse)
    log = worse / "samples" / "librispeech_test_clean.jsonl"
    records = [json.loads(line) for line in log.read_text("utf-8").splitlines()]
    for record in records[:25]:
        record["response"]["text"] += " and so on"
    log.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    engine.score_again(worse, {})
    held = hold(worse, BASELINE, GATES)
    assert held.exit == Exit.GATE
    assert [outcome.gate.name for outcome in held.outcomes if outcome.status == "fail"] == [
        "librispeech_test_clean.wer"
    ]
