"""The component of VITA-Audio's prompts notices a changed word, and a conversation that it has no preset for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.parity.__main__ import DEFAULT_GOLDENS
from tests.parity.vita_audio_prompts import GOLDEN, vita_audio_prompts

RECORDED = json.loads((DEFAULT_GOLDENS / GOLDEN).read_text(encoding="utf-8"))


def written(folder: Path, recorded: object) -> Path:
    (folder / GOLDEN).parent.mkdir()
    (folder / GOLDEN).write_text(json.dumps(recorded), encoding="utf-8")
    return folder


@pytest.mark.parametrize("place", range(len(RECORDED)))
def test_a_blank_too_many_is_noticed(place: int, tmp_path: Path) -> None:
    changed = RECORDED[place] | {"rendered": RECORDED[place]["rendered"].replace("\n", "\n\n", 1)}
    assert vita_audio_prompts(written(tmp_path, [*RECORDED[:place], changed, *RECORDED[place + 1 :]])).failed


def test_a_conversation_more_is_told(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="longer"):
        vita_audio_prompts(written(tmp_path, [*RECORDED, RECORDED[0]]))
