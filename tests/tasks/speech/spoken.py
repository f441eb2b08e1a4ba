"""Spoken answers and who hears them, without sound: a recording's hash is what it says."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from harness.registry import get_task
from harness.schema import Record, Scored, StoredPart, StoredResponse, StoredSpeech
from harness.scoring import score_records
from harness.task import Task
from harness.types import Ask, Failure, Media, Verdict

ABSENT = Failure("judge", "unsupported", "no judge takes the role")
DEAF = Failure("judge", "permanent", "nothing is heard")
BUSY = Failure("judge", "transient", "busy")


class Hearers:
    """Says what each recording's hash says, a voice's as its embedding; a hash that names a failure fails."""

    def __init__(self, failures: Mapping[str, Failure] | None = None, roles: Sequence[str] | None = None) -> None:
        self._failures, self._roles = failures or {}, roles
        self.asked: list[Ask] = []

    def roles(self, task: Task) -> frozenset[str]:
        return frozenset(role for role in task.judges if self._roles is None or role in self._roles)

    def ask(self, asks: Sequence[Ask]) -> list[Verdict | Failure]:
        self.asked += asks
        return [self._said(ask) for ask in asks]

    def _said(self, ask: Ask) -> Verdict | Failure:
        assert isinstance(ask.content, Media)
        if self._roles is not None and ask.role not in self._roles:
            return ABSENT
        return self._failures.get(ask.content.sha256) or Verdict(ask.content.sha256)


def said(task: str | Task, doc: Mapping[str, Any], text: str | None, speech: str | None, **recordings: str) -> Record:
    """A record of an answer with what its speech, and the row's other recordings, say."""
    kept = {name: StoredPart(None, "audio", f"{name}.wav", content) for name, content in recordings.items()}
    if text is None:
        return Record("1", "", 0, [], dict(doc), failure=Failure("generate", "permanent", "no"), recordings=kept)
    stored = None if speech is None else StoredSpeech("a.wav", speech, 1.0)
    return Record("1", "", 0, [], dict(doc), response=StoredResponse(text, speech=stored), recordings=kept)


def heard(name: str, records: Sequence[Record], hearers: Hearers | None = None, spoken: bool = True) -> list[Scored]:
    task = get_task(name).asking(["text", "speech"] if spoken else ["text"])
    bench = cast(Any, hearers or Hearers())
    return list(score_records(task, task.presets[task.default_preset], list(records), Path(), bench))


def voice(*values: float) -> str:
    return json.dumps(values)
