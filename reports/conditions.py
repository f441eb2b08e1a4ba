"""What decides a number besides the model: two numbers are compared only where all of it agrees."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec

from harness.files import encoded
from harness.schema import StoredMessage
from harness.store import lines_of
from reports.runs import Run

DECODING = "decoding"
"""Among the conditions that a baseline keeps: what `decoding_of` gives."""


class _Asked(msgspec.Struct):
    """As much of a planned row, or of a record, as says what was asked."""

    id: str
    messages: list[StoredMessage]


def conditions_of(run: Run, task: str) -> dict[str, Any]:
    """Data, prompt, scoring and judges of a task's headline, as plain values: what a baseline keeps."""
    described, entry, config = run.manifest.tasks[task], run.results.tasks[task], run.manifest.config
    data = dict(described.data)
    return {
        "data": data,
        "task version": entry.version,
        "prompt": entry.prompt,
        "generation": {name: one for name, one in described.generation.items() if name not in ("effective", "seed")},
        "pictures": described.pictures,
        "profile": entry.profile,
        "channel": entry.channel,
        "signature": described.signatures.get(entry.profile, ""),
        "judges": dict(entry.judges),
        "repeats": entry.repeats,
        "excluded": dict(entry.excluded),
        "ablation": config.get("ablate") or "",
        "oracle length cap": bool(config.get("oracle_length_cap")),
    }


def decoding_of(run: Run, task: str) -> dict[str, Any]:
    """How the model decoded a task, as far as it is not what was asked: the options that were set, and settings that
    the model or its checkpoint decided, such as a mode or a penalty."""
    stated = run.manifest.tasks[task].generation
    used = {name: value for name, value in stated.get("effective", {}).items() if stated.get(name) != value}
    return used | {f"option {name}": value for name, value in (run.manifest.config.get("option") or {}).items()}


def asked(run: Run, task: str) -> dict[str, str]:
    """Sample id -> a short hash of what was asked: texts, and media by content and cut."""
    path = run.directory.path / "plan" / f"{task}.jsonl"
    if not path.is_file():  # a run of format 1
        return {record.id: _hash(record.messages) for record in run.directory.records(task)}
    return {row.id: _hash(row.messages) for row in lines_of(path, _Asked)}


def digest(asked: Mapping[str, str]) -> str:
    """One hash over all that was asked, whatever the order."""
    return hashlib.sha256(encoded(sorted(asked.items()))).hexdigest()


def _hash(messages: list[StoredMessage]) -> str:
    told = [
        [message.role, *((part.text or "") if part.kind is None else _cut(part) for part in message.parts)]
        for message in messages
    ]
    return hashlib.sha256(encoded(told)).hexdigest()[:16]


def _cut(part: Any) -> list[Any]:
    return [part.kind, part.sha256, part.start_s, part.end_s]
