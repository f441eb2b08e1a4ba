"""Options of the model alone: from flags, `--mode` and a YAML file alike."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.config import gather, own_options
from harness.failures import UsageError

GIVEN = {"model": "vita-audio-tiny", "tasks": ["mme"]}


def options(tmp_path: Path, text: str, **flags: Any) -> dict[str, str]:
    (tmp_path / "run.yaml").write_text(text, encoding="utf-8")
    return gather(GIVEN | flags, tmp_path / "run.yaml").option


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("mode: turbo", {"mode": "turbo"}),
        ("mode: [1, 10]", {"mode": "1,10"}),
        ("option: {mode: [1, 4, 3, 8], chunks: released}", {"mode": "1,4,3,8", "chunks": "released"}),
        ("option: {audio_pool: 2}", {"audio_pool": "2"}),
        ("option: [mode=boost]", {"mode": "boost"}),
        ("option: mode=boost", {"mode": "boost"}),
        ("mode: boost\noption: {mode: boost}", {"mode": "boost"}),
        ("seed: 1", {}),
    ],
)
def test_a_file_states_options_in_any_way_that_is_plain(tmp_path: Path, text: str, want: dict[str, str]) -> None:
    assert options(tmp_path, text) == want


def test_flags_win_option_by_option(tmp_path: Path) -> None:
    text = "mode: boost\noption: {chunks: released}"
    assert options(tmp_path, text, mode="turbo") == {"mode": "turbo", "chunks": "released"}
    assert options(tmp_path, text, option=["mode=turbo", "chunks=clean"]) == {"mode": "turbo", "chunks": "clean"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("mode: {a: 1}", "option mode is {'a': 1}: expected a text"),
        ("option: {chunks: true}", "option chunks is True: expected a text"),
        ("option: {mode: [[1], 2]}", "option mode is [[1], 2]"),
        ("option: {mode: ''}", "option mode is empty"),
        ("option: 5", "option is 5: expected a mapping such as option: {mode: turbo}"),
        ("option: [{mode: turbo}]", "expected a mapping such as option: {mode: turbo}"),
        ("option: [mode]", "--option mode: expected NAME=VALUE"),
        ("mode: boost\noption: {mode: turbo}", "mode is given twice"),
    ],
)
def test_an_option_that_is_none_is_named_with_the_file_and_the_remedy(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UsageError) as error:
        options(tmp_path, text)
    assert said in str(error.value) and "run.yaml" in str(error.value)


def test_a_mode_beside_options_is_one_of_them() -> None:
    assert own_options(["chunks=clean"], "1,10") == {"chunks": "clean", "mode": "1,10"}
    assert own_options([], None) == {}
