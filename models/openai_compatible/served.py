"""What an endpoint says that it serves: part of a model's identity."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import msgspec

from harness.endpoints.patience import patience, trouble_of
from harness.failures import UsageError
from models.openai_compatible.options import Settings

if TYPE_CHECKING:
    from openai import OpenAI

TRIES = 3
KEPT = ("id", "root", "owned_by", "max_model_len")
"""Not "created", which some servers set to the time of asking."""


def served(chosen: Settings, client: OpenAI) -> dict[str, Any] | None:
    """What the endpoint's list says of the model; None where it has no list, or the model is not in it.

    Raises UsageError for an endpoint that cannot be reached or takes no key.
    """
    told, place = "", chosen.place
    for attempt in range(TRIES):
        try:
            return _entry(client.models.with_raw_response.list().content, chosen.model)
        except Exception as error:
            met = trouble_of(error, chosen.timeout_s)
            if met is None:
                raise
            told = f"openai:{chosen.model}: {place.url} gives no list of models: {place.scrubbed(met.message)[:300]}"
            if met.status in (401, 403):
                raise UsageError(f"{told}. Set {chosen.key_env} to a key that it takes") from error
            if not met.passing or met.status == 501:
                return None
            if attempt + 1 < TRIES:
                time.sleep(patience(attempt, met.retry_after, time.time()))
    raise UsageError(f"{told}. Is it running? --base-url names another")


def answers_at_all(client: OpenAI, timeout_s: float) -> bool:
    """Whether anything speaks HTTP there."""
    try:
        client.models.with_raw_response.list()
    except Exception as error:
        met = trouble_of(error, timeout_s)
        return met is None or met.status is not None
    return True


def _entry(body: bytes, model: str) -> dict[str, Any] | None:
    try:
        listed = msgspec.json.decode(body)["data"]
        entry = next((one for one in listed if one.get("id") == model), None)
    except (msgspec.DecodeError, UnicodeDecodeError, KeyError, TypeError, AttributeError):
        return None
    return None if entry is None else {name: entry[name] for name in KEPT if entry.get(name) is not None}
