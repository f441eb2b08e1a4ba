"""A killed run loses nothing and ends like an undisturbed one."""

from __future__ import annotations

from pathlib import Path

from tests.harness.crash import kill_and_resume


def test_sigkill_and_resume_give_the_results_of_an_undisturbed_run(tmp_path: Path) -> None:
    told = kill_and_resume(tmp_path, kills=3, samples=600, seed=1)
    assert told["kills"] >= 1
    assert told["samples"] == 600
    assert told["repeated"] == 0
    assert told["equal"]
    assert told["kept"] == sorted(told["kept"]), "a resume lost records"
