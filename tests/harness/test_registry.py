"""Names: built in, from plugins, and mistyped."""

from __future__ import annotations

import pytest

from harness import registry
from harness.failures import UsageError
from tests.harness.conftest import Install
from tests.harness.toy import TASK, ToyModel


def test_plugins_add_names_and_cannot_take_built_in_ones(install: Install) -> None:
    model = "tests.harness.toy:ToyModel"
    install({"tasks": {"my_task": "tests.harness.toy:TASK"}, "models": {"my-model": model, "echo": model}})
    assert registry.get_task("my_task") is TASK
    assert registry.get_model("my-model") is ToyModel
    assert registry.names("models")[-1] == "my-model"
    assert registry.get_model("echo") is not ToyModel


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


def test_a_prefix_stands_for_models_of_any_name() -> None:
    for prefix in registry.PREFIXES["models"]:
        assert registry.get_model(f"{prefix}any/name:at-all")
        with pytest.raises(UsageError, match=f"{prefix} names no model: write {prefix}NAME"):
            registry.get_model(prefix)
        for name in (prefix.removesuffix(":"), f"x{prefix}any"):
            with pytest.raises(UsageError, match="unknown model"):
                registry.get_model(name)
    with pytest.raises(UsageError, match=r"Did you mean transformers:"):
        registry.get_model("transformer:some")
