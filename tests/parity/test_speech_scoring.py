"""The speech scorers against the recorded reference outputs."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.parity.__main__ import DEFAULT_GOLDENS
from tests.parity.speech_scoring import COMPONENTS


@pytest.mark.parametrize("name", COMPONENTS)
def test_a_changed_number_is_noticed(name: str, tmp_path: Path) -> None:
    shutil.copytree(DEFAULT_GOLDENS / "speech", tmp_path / "speech")
    path = tmp_path / "speech" / f"{name}.json"
    golden = json.loads(path.read_text(encoding="utf-8"))
    scorer = next(s for s in golden["results"] if s.startswith(("kimi", "vita")))
    row = golden["results"][scorer]["per_utt"][0]
    row["ref_len"] += 1
    path.chmod(0o644)
    path.write_text(json.dumps(golden), encoding="utf-8")
    assert COMPONENTS[name](tmp_path).failed > 0
