"""Settings of a config.json that make another network of the same tensors: what is not built here is refused.

Their names are those of transformers' Qwen2, whose blocks all language models here have.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any


def check_network(settings: Mapping[str, Any], hidden_size: int, heads: int, rope: Collection[str] = ()) -> None:
    """Raise ValueError naming a field that asks for other blocks than Qwen2.5's; a field that is absent asks nothing.

    `rope` are types of rotary positions that are built beside the default one.
    """
    check_stated(settings, "hidden_act", "silu")
    check_stated(settings, "attention_bias", True)
    check_stated(settings, "use_sliding_window", False)
    check_stated(settings, "head_dim", hidden_size // heads)
    for name in ("rope_scaling", "rope_parameters"):
        stated = settings.get(name)
        if not stated:
            continue
        kind = stated.get("rope_type", stated.get("type")) if isinstance(stated, Mapping) else stated
        if not isinstance(stated, Mapping) or kind not in (None, "default", *rope) or "factor" in stated:
            raise ValueError(f"{name} is {stated!r}: expected none, or of type {' or '.join(('default', *rope))}")


def check_stated(settings: Mapping[str, Any], name: str, expected: Any, section: str = "") -> None:
    """Raise ValueError where a field is there, is not null and is not what is built here."""
    stated = settings.get(name)
    if stated is not None and (stated != expected or isinstance(stated, bool) != isinstance(expected, bool)):
        raise ValueError(f"{section}{name} is {stated!r}: only {expected!r} is supported")
