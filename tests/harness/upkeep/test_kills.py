"""Joining and excluding, killed at their file operations: a few here, all by `python -m tests.harness.upkeep.kills`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.harness.upkeep.kills import COMMANDS


@pytest.mark.parametrize("command", COMMANDS)
def test_a_kill_leaves_nothing_wrong_and_nothing_stuck(command: str, tmp_path: Path) -> None:
    told = COMMANDS[command](tmp_path, 9)
    assert told["kills"] >= 5
    assert (told["wrong"], told["stuck"]) == (0, 0)
