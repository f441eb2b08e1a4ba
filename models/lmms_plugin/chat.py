"""Our models as lmms-eval's chat models: a class for each, made when it is named."""

from __future__ import annotations

from typing import Any

from models.lmms_plugin.adapter import Chat, class_of


def __getattr__(name: str) -> Any:
    return class_of(Chat, name)
