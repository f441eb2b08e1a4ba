"""What lmms-eval finds under the entry point `lmms_eval.models`: every model of the registry, by its own name."""

from __future__ import annotations

from typing import Any

from harness import registry

ANY = "omni_harness"
"""The model that takes any name of ours: `--model omni_harness --model_args model=NAME`."""


def manifests() -> list[Any]:
    """One for each model, both as a chat model and as a simple one."""
    from lmms_eval.models.registry_v2 import ModelManifest

    named = [ANY, *(name for name in registry.names("models") if "." not in name)]
    here = __name__.rpartition(".")[0]
    return [ModelManifest(name, f"{here}.simple.{name}", f"{here}.chat.{name}") for name in named]
