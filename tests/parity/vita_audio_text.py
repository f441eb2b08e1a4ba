"""Parity of VITA-Audio's prompts and training targets with recorded reference outputs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness.types import Media, Message, Part, Text
from models.vita_audio.interleave import BOOST_RATIO, interleave
from models.vita_audio.prompts import as_text, conversation
from models.vita_audio.tokens import TAG
from tests.parity.check import Check
from tests.parity.goldens import locate

FOLDER = "vita_audio"


def _golden(goldens: Path, name: str) -> Any:
    return json.loads(locate(goldens, FOLDER, name).read_text(encoding="utf-8"))


def interleaved(goldens: Path) -> Check:
    check = Check("vita_audio_interleave")
    content = _golden(goldens, "interleave.json")
    for number, case in enumerate(content["cases"]):
        ratio: Sequence[int] = BOOST_RATIO if case["ratio"] is None else case["ratio"]
        got = interleave(case["input"], content["begin"], content["end"], ratio)
        check.equal(f"case {number}, ratio {case['ratio']}", got, case["output"])
    return check


def chat_template(goldens: Path) -> Check:
    check = Check("vita_audio_chat_template")
    for number, case in enumerate(_golden(goldens, "chat_template.json")):
        messages = [Message(said["role"], _parts(said["content"])) for said in case["messages"]]
        check.equal(f"conversation {number}", as_text(conversation(messages)), case["rendered"])
    return check


def _parts(content: str) -> tuple[Part, ...]:
    """A recording at each tag, text between."""
    first, *rest = content.split(TAG)
    parts: list[Part] = [Text(first)]
    for text in rest:
        parts += [Media("audio", "a.wav"), Text(text)]
    return tuple(parts)


COMPONENTS = {"vita_audio_interleave": interleaved, "vita_audio_chat_template": chat_template}
