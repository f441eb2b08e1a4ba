"""Names of tasks, models and suites -> where they live.

A name maps to "package.module:attribute" and is imported when it is asked for, so that listing names costs
nothing. Other packages add theirs with entry points in the groups `harness.tasks`, `harness.models` and
`harness.judges` (recognisers and language models that score answers); an entry point's value has the same form.
"""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Mapping
from functools import cache
from importlib.metadata import entry_points
from typing import Any, Literal, cast

from harness.contracts import ModelFactory, TaskLike
from harness.failures import UsageError

Group = Literal["tasks", "models", "judges"]

ASR = (
    "librispeech_dev_clean",
    "librispeech_dev_other",
    "librispeech_test_clean",
    "librispeech_test_other",
    "aishell1",
    "aishell2_ios",
    "aishell2_android",
    "aishell2_mic",
    "wenetspeech_net",
    "wenetspeech_meeting",
    "fleurs_en",
    "fleurs_zh",
)

_BUILT_IN: dict[Group, dict[str, str]] = {
    "tasks": {
        "librispeech_dev_clean": "tasks.speech.librispeech:DEV_CLEAN",
        "librispeech_dev_other": "tasks.speech.librispeech:DEV_OTHER",
        "librispeech_test_clean": "tasks.speech.librispeech:TEST_CLEAN",
        "librispeech_test_other": "tasks.speech.librispeech:TEST_OTHER",
        "aishell1": "tasks.speech.aishell1:AISHELL1",
        "aishell2_ios": "tasks.speech.aishell2:IOS",
        "aishell2_android": "tasks.speech.aishell2:ANDROID",
        "aishell2_mic": "tasks.speech.aishell2:MIC",
        "wenetspeech_net": "tasks.speech.wenetspeech:NET",
        "wenetspeech_meeting": "tasks.speech.wenetspeech:MEETING",
        "fleurs_en": "tasks.speech.fleurs:EN",
        "fleurs_zh": "tasks.speech.fleurs:ZH",
        "mme": "tasks.image.mme:MME",
        "latency_fixed": "tasks.latency:FIXED",
        "latency_spoken": "tasks.latency:SPOKEN",
    },
    "models": {
        "vita15": "models.vita15.adapter:vita15",
        "vita15-mini": "models.vita15.adapter:vita15_mini",
        "vita15-tiny": "models.vita15.adapter:vita15_tiny",
        "echo": "models.echo:echo",
    },
    "judges": {},
}

SUITES: Mapping[str, tuple[str, ...]] = {
    "asr": ASR,
    "image": ("mme",),
    "latency": ("latency_fixed", "latency_spoken"),
}


@cache
def _addresses(group: Group) -> dict[str, str]:
    """Name -> address; an entry point cannot take the place of a built-in name."""
    plugins = {e.name: e.value for e in entry_points(group=f"harness.{group}")}
    return plugins | _BUILT_IN[group]


def names(group: Group) -> list[str]:
    """All names of a group, the built-in ones first and in their own order."""
    built_in = list(_BUILT_IN[group])
    return built_in + sorted(set(_addresses(group)) - set(built_in))


def get_task(name: str) -> TaskLike:
    return cast(TaskLike, _load("tasks", name))


def get_model(name: str) -> ModelFactory:
    return cast(ModelFactory, _load("models", name))


def expand_tasks(text: str) -> list[str]:
    """Comma-separated task and suite names as task names, each once, in the order given."""
    chosen: dict[str, None] = {}
    known = {*names("tasks"), *SUITES}
    for name in filter(None, (piece.strip() for piece in text.split(","))):
        if name not in known:
            raise UsageError(_unknown("task or suite", name, [*SUITES, *names("tasks")]))
        chosen |= dict.fromkeys(SUITES.get(name, (name,)))
    if not chosen:
        raise UsageError(f"no task named. Suites: {', '.join(SUITES)}. `harness list tasks` shows all.")
    return list(chosen)


def load_address(address: str) -> Any:
    """The object at "package.module:attribute"."""
    module, _, attribute = address.partition(":")
    return getattr(importlib.import_module(module), attribute)


def _load(group: Group, name: str) -> Any:
    try:
        address = _addresses(group)[name]
    except KeyError:
        raise UsageError(_unknown(group.removesuffix("s"), name, names(group))) from None
    return load_address(address)


def _unknown(what: str, name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    guess = f" Did you mean {' or '.join(close)}?" if close else ""
    return f"unknown {what} {name!r}.{guess} Known: {', '.join(known)}."
