"""The vision scorers against the recorded reference outputs."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.parity.__main__ import DEFAULT_GOLDENS
from tests.parity.vision_scoring import COMPONENTS


@pytest.mark.parametrize("name", COMPONENTS)
def test_a_changed_value_is_noticed(name: str, tmp_path: Path) -> None:
    shutil.copytree(DEFAULT_GOLDENS / "vision", tmp_path / "vision")
    path = tmp_path / "vision" / f"{name}.json"
    golden = json.loads(path.read_text(encoding="utf-8"))
    if name == "mme":
        golden["aggregate"]["vlmevalkit"]["total"] += 1
    else:
        golden["records"][0]["expected"]["vita_vlmevalkit"]["max_tiles"] += 1
    path.chmod(0o644)
    path.write_text(json.dumps(golden), encoding="utf-8")
    assert COMPONENTS[name](tmp_path).failed == 1
