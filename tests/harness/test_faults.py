"""Commands that are killed at their file operations: a few of them here, all by `python -m tests.harness.faults`."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from harness import registry
from tests.harness.faults import COMMANDS

EVERY = {"run": 9, "resume": 7, "score": 4, "judge": 16, "report": 7}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_kill_leaves_nothing_wrong_and_nothing_stuck(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TOY_JUDGE_LOG", "")
    monkeypatch.setattr("sys.path", [*sys.path])
    told = COMMANDS[command](tmp_path, EVERY[command])
    registry._addresses.cache_clear()
    assert told["kills"] >= 5
    assert (told["wrong"], told["stuck"]) == (0, 0)
