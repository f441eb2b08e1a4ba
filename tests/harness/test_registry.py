"""Names: built in, from plugins, and mistyped."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness import registry
from harness.failures import UsageError


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An installed distribution that brings a task and a model, one of them under a built-in name."""
    (tmp_path / "omni_plugin.py").write_text("TASK = 'a task'\nMODEL = 'a model'\n")
    info = tmp_path / "omni_plugin-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: omni-plugin\nVersion: 1\n")
    (info / "entry_points.txt").write_text(
        "[harness.tasks]\nmy_task = omni_plugin:TASK\n\n"
        "[harness.models]\nmy-model = omni_plugin:MODEL\necho = omni_plugin:MODEL\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    registry._addresses.cache_clear()
    yield
    registry._addresses.cache_clear()
    sys.modules.pop("omni_plugin", None)


def test_plugins_add_names_and_cannot_take_built_in_ones(plugin: None) -> None:
    assert registry.get_task("my_task") == "a task"  # type: ignore[comparison-overlap]
    assert registry.get_model("my-model") == "a model"  # type: ignore[comparison-overlap]
    assert registry.names("models")[-1] == "my-model"
    assert registry.get_model("echo") != "a model"  # type: ignore[comparison-overlap]


def test_suites_and_tasks_expand_once_and_in_order() -> None:
    assert registry.expand_tasks("mme,asr,mme") == ["mme", *registry.ASR]


@pytest.mark.parametrize(("name", "guess"), [("aishel1", "aishell1"), ("librispeech_clean", "librispeech_dev_clean")])
def test_a_mistyped_name_is_guessed(name: str, guess: str) -> None:
    with pytest.raises(UsageError, match=rf"Did you mean .*{guess}"):
        registry.expand_tasks(name)
    with pytest.raises(UsageError, match=guess):
        registry.get_task(name)


def test_every_built_in_name_leads_somewhere() -> None:
    for name in registry.names("tasks"):
        assert registry.get_task(name).name == name
    for name in registry.names("models"):
        assert callable(registry.get_model(name))
