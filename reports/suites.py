"""The suites of tasks as reports name them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.registry import SUITES

TITLES: Mapping[str, str] = {
    "asr": "ASR",
    "tts": "TTS",
    "s2tt": "Speech translation",
    "sqa": "Spoken QA",
    "image": "Image",
    "video": "Video",
    "latency": "Latency",
    "other": "Other",
}
HEADINGS: Mapping[str, str] = {
    "asr": "speech recognition",
    "tts": "speech synthesis",
    "s2tt": "speech translation",
    "sqa": "spoken questions",
    "image": "pictures",
    "video": "videos",
    "latency": "latency",
}


def heading_of(suite: str) -> str:
    """What a suite is about, in capitals, with its name: "SPEECH RECOGNITION (asr)"."""
    return f"{HEADINGS[suite].upper()} ({suite})" if suite in HEADINGS else "OTHER TASKS"


def suite_of(task: str, inputs: Sequence[str]) -> str:
    """The suite that a task is in, else what it is about by its inputs.

    >>> suite_of("aishell1", ["audio"]), suite_of("mmbench_en_test", ["image", "text"])
    ('asr', 'image')
    """
    if named := [suite for suite, tasks in SUITES.items() if task in tasks]:
        return named[0]
    return next((kind for kind in ("video", "image") if kind in inputs), "other")
