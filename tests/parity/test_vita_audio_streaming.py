"""The streaming parity component of VITA-Audio notices every kind of changed golden."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.parity.__main__ import DEFAULT_GOLDENS
from tests.parity.vita_audio_streaming import vita_audio_streaming


@pytest.mark.parametrize("field", ["codes", "first_code", "flow_steps", "samples_sent"])
def test_one_changed_number_is_noticed(field: str, tmp_path: Path) -> None:
    cases = json.loads((DEFAULT_GOLDENS / "vita_audio" / "streaming.json").read_text(encoding="utf-8"))
    cases[6]["decodes"][20][field] += 1
    (tmp_path / "streaming.json").write_text(json.dumps(cases), encoding="utf-8")
    assert vita_audio_streaming(tmp_path).failed == 1


def test_a_missing_decode_is_noticed(tmp_path: Path) -> None:
    cases = json.loads((DEFAULT_GOLDENS / "vita_audio" / "streaming.json").read_text(encoding="utf-8"))
    del cases[0]["decodes"][-1]
    (tmp_path / "streaming.json").write_text(json.dumps(cases), encoding="utf-8")
    assert vita_audio_streaming(tmp_path).failed == 1
