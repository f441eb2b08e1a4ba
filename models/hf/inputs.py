"""What a processor made of requests, put side by side.

Tokens are padded on the left. Pictures, sounds and their masks follow each other; requests whose features have other
shapes are answered in a batch of their own, so that nothing is padded with what the model could see or hear.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

Features = Mapping[str, Any]


class Prepared(NamedTuple):
    """One request as its processor made it; every tensor has a first axis of requests, pictures or sounds."""

    features: Features
    n_tokens: int


def shape_key(features: Features) -> tuple[Any, ...]:
    """Features with equal keys, or without one that the other has, can follow each other."""
    return tuple((name, tuple(value.shape[1:])) for name, value in sorted(_media(features).items()))


def agree(first: Features, second: Features) -> bool:
    """Whether two requests can stand side by side."""
    one, other = dict(shape_key(first)), dict(shape_key(second))
    return all(one[name] == other[name] for name in one.keys() & other.keys())


def joined(batch: Sequence[Features], pad: int) -> dict[str, Any]:
    """Requests that agree, as one batch: tokens [B, S], `pad` on the left of the shorter ones."""
    if len(batch) == 1:
        return dict(batch[0])
    names = list(dict.fromkeys(name for features in batch for name in features))
    longest = max((features["input_ids"].shape[1] for features in batch if "input_ids" in features), default=0)
    found: dict[str, Any] = {}
    for name in names:
        having = [features for features in batch if name in features]
        values = [features[name] for features in having]
        if is_sequence(name, having[0]):  # of a request that does not have it every token is of sort 0
            values = [features.get(name, torch.zeros_like(features["input_ids"])) for features in batch]
            fill = pad if name == "input_ids" else 0
            values = [F.pad(value, (longest - value.shape[1], 0), value=fill) for value in values]
        found[name] = torch.cat(values) if isinstance(values[0], Tensor) else [one for value in values for one in value]
    return found


def is_sequence(name: str, features: Features) -> bool:
    """Whether a feature says something of every token: it is whole numbers of the tokens' shape."""
    ids, value = features.get("input_ids"), features.get(name)
    if ids is None or not isinstance(value, Tensor):
        return False
    return value.shape == ids.shape and not value.is_floating_point()


def placed(features: Features, device: Any, dtype: torch.dtype) -> dict[str, Any]:
    """On the model's device; what is no whole number in the model's type."""
    return {
        name: value.to(device, dtype if value.is_floating_point() else value.dtype)
        if isinstance(value, Tensor)
        else value
        for name, value in features.items()
    }


def _media(features: Features) -> dict[str, Tensor]:
    return {
        name: value for name, value in features.items() if isinstance(value, Tensor) and not is_sequence(name, features)
    }
