"""Parity of the presets `vita_audio` with conversations that VITA-Audio's evaluation makes (`chat_template.json`)."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from harness.registry import ASR, SUITES, get_task
from harness.types import Message, Text
from tests.parity.check import Check

GOLDEN = "vita_audio/chat_template.json"
AUDIO = "<|audio|>"
RECORDED = (ASR, SUITES["tts"], ("latency_spoken",), SUITES["sqa"])
"""The tasks that are asked by each recorded conversation, in the file's order."""


def content(message: Message) -> str:
    return "".join(part.text if isinstance(part, Text) else AUDIO for part in message.parts)


def chat_ml(messages: Sequence[Message]) -> str:
    """The conversation with the answer left open."""
    turns = (f"<|im_start|>{message.role}\n{content(message)}<|im_end|>\n" for message in messages)
    return "".join(turns) + "<|im_start|>assistant\n"


def vita_audio_prompts(goldens: Path) -> Check:
    check = Check("vita_audio_prompts")
    path = goldens / GOLDEN
    recorded: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    for tasks, conversation in zip(RECORDED, recorded, strict=True):
        said = conversation["messages"][-1]["content"].rpartition("\n")[2]
        row = {"audio": path, "target_text": said, "text_normalized": said}  # no file is opened: any will do
        for name in tasks:
            messages = get_task(name).presets["vita_audio"].messages(row)
            made = [{"role": message.role, "content": content(message)} for message in messages]
            check.equal(f"{name} messages", made, conversation["messages"])
            check.equal(f"{name} rendered", chat_ml(messages), conversation["rendered"])
    return check


COMPONENTS: dict[str, Callable[[Path], Check]] = {"vita_audio_prompts": vita_audio_prompts}
