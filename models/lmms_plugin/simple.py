"""Our models as lmms-eval's simple models: a class for each, made when it is named."""

from __future__ import annotations

from typing import Any

from models.lmms_plugin.adapter import Simple, class_of


def __getattr__(name: str) -> Any:
    return class_of(Simple, name)
