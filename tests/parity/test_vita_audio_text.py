"""The parity components of VITA-Audio's prompts and training targets notice a changed golden."""

from __future__ import annotations

import json
from pathlib import Path

from tests.parity.__main__ import DEFAULT_GOLDENS
from tests.parity.vita_audio_text import COMPONENTS


def test_a_changed_token_is_noticed(tmp_path: Path) -> None:
    content = json.loads((DEFAULT_GOLDENS / "vita_audio" / "interleave.json").read_text())
    content["cases"][3]["output"][2] += 1
    (tmp_path / "interleave.json").write_text(json.dumps(content))
    assert COMPONENTS["vita_audio_interleave"](tmp_path).failed == 1


def test_a_changed_character_is_noticed(tmp_path: Path) -> None:
    content = json.loads((DEFAULT_GOLDENS / "vita_audio" / "chat_template.json").read_text())
    content[2]["rendered"] = content[2]["rendered"].replace("male\n\n", "male\n")
    (tmp_path / "chat_template.json").write_text(json.dumps(content))
    assert COMPONENTS["vita_audio_chat_template"](tmp_path).failed == 1
