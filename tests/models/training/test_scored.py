"""What all release commands share: the stages of a training, runs that are made once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.config import RunConfig
from models.training.loop import REPORT
from models.training.scored import digest, ran, reports, stages


def test_a_stage_that_is_not_done_is_named_with_the_command_that_does_it(tmp_path: Path):
    (tmp_path / "stage-1").mkdir()
    (tmp_path / "stage-1" / REPORT).write_text('{"steps": 3}')
    assert reports(stages(tmp_path, ["1"], "python -m recipe")) == {"1": {"steps": 3}}
    with pytest.raises(FileNotFoundError, match=r"stage 2, 3 is not done; run python -m recipe"):
        stages(tmp_path, ["1", "2", "3"], "python -m recipe")


def test_other_weights_have_another_digest_whatever_the_order_of_their_files(tmp_path: Path):
    files = [tmp_path / "a", tmp_path / "b"]
    for place, path in enumerate(files):
        path.write_text(str(place))
    before = digest(files)
    assert before == digest(files[::-1])
    files[1].write_text("2")
    assert digest(files) != before


def test_a_finished_run_is_read_and_an_unfinished_one_is_made_anew(tmp_path: Path):
    config = RunConfig(model="echo", tasks=("mme",), data="mini", limit=2)
    first = ran(config, tmp_path / "run")
    assert "mme" in first["tasks"]
    written = tmp_path / "run" / "results.json"
    written.write_text(json.dumps({"tasks": "kept"}))
    assert ran(config, tmp_path / "run") == {"tasks": "kept"}
    (tmp_path / "run" / "finished.json").unlink()
    assert ran(config, tmp_path / "run")["tasks"].keys() == first["tasks"].keys()
