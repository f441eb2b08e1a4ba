"""A run's plan and log held against each other, against the manifest, and against the media that they name."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args

import msgspec

from harness.contracts import DataChoice
from harness.differences import Difference, Differences, fields
from harness.failures import UsageError
from harness.files import encoded
from harness.media import sha256_of
from harness.plan import TaskPlan, given_to_all, key, planned
from harness.schema import Manifest, PlannedRow, Record, StoredMessage, StoredPart
from harness.store import RunDir
from harness.task import Task
from harness.types import Channels, Generation, Pictures

SAME = ("messages", "doc", "cluster", "recordings", "audio_s")
"""Fields of a record that are its plan's."""
SPEECH = re.compile(r"media/([0-9a-f]{2})/(\1[0-9a-f]{62})\.flac")


@dataclass(slots=True)
class Media:
    """What was found of the media that a run names."""

    checked: int = 0
    missing: int = 0
    """Sources that are not at their paths on this machine."""
    speech: int = 0


class _Asked:
    """What a task's requests must have been, from the plan and the manifest's settings."""

    def __init__(self, run: RunDir, described: Manifest, task: Task) -> None:
        self.rows = {row.id: row for row in run.plan(task.name)}
        self._config = described.config
        self._task, self._entry = task, described.tasks[task.name]
        self.expected: dict[str, tuple[str, str, int]] = {}
        """Key of a sample -> its id, the request's hash, its seed."""

    def fit(self, sample: Record | None) -> None:
        """Compute every request. How the channels of a recording are mixed is not in the manifest: of the ways that
        there are, the one that a record was made by is taken."""
        for channels in get_args(Channels):
            self.expected = {
                item.key: (item.sample.id, item.fingerprint, item.request.generation.seed)
                for item in self._planned(channels)
            }
            if sample is None or self.expected.get(key(sample.id, sample.repeat), ("", ""))[1] == sample.request:
                return

    def _planned(self, channels: str) -> Iterator[Any]:
        entry = self._entry
        settings = {name: value for name, value in entry.generation.items() if name != "effective"}
        preset = replace(
            self._task.presets[entry.prompt],
            generation=msgspec.convert(settings, Generation),
            pictures=msgspec.convert(entry.pictures, Pictures),
        )
        chosen = TaskPlan(
            replace(self._task, presets={entry.prompt: preset}),
            DataChoice("mini"),
            entry.prompt,
            "",
            entry.profile,
            None,
            int(self._config.get("repeats", 1)),
            oracle_length_cap=bool(self._config.get("oracle_length_cap")) and self._task.reference is not None,
        )
        given = given_to_all(self._config.get("ablate"), channels)
        return planned(chosen, self.rows.values(), int(self._config.get("seed", 0)), given)


def check_log(run: RunDir, described: Manifest, task: Task, found: Differences) -> int:
    """Hold a task's log against its plan: every planned sample has one record, which was asked just what was planned.

    Returns how many records there are. Raises UsageError naming a line that cannot be read.
    """
    name = task.name
    plan, log = f"plan/{name}.jsonl", f"samples/{name}.jsonl"
    if changed := run.changed_plan(name):
        found.add(Difference(plan, "not the plan that the manifest names", name, stored=changed.partition(" is ")[2]))
    asked = _Asked(run, described, task)
    try:
        asked.fit(next((one for one in run.records(name) if one.id in asked.rows), None))
    except (KeyError, msgspec.ValidationError) as error:
        raise UsageError(f"manifest.json: the settings of task {name} cannot be used ({error})") from error
    seen: set[str] = set()
    count = 0
    for record in run.records(name):
        count += 1
        own = key(record.id, record.repeat)
        if own in seen:
            found.add(Difference(log, "a second record of a sample", name, record.id))
        seen.add(own)
        if own in asked.expected:
            _check_record(record, asked.rows[record.id], asked.expected[own], found, name)
        else:
            found.add(Difference(log, "a record that was not planned", name, record.id))
    for own, (identity, _, _) in asked.expected.items():
        if own not in seen:
            found.add(Difference(log, "a planned sample has no record", name, identity))
    return count


def _check_record(record: Record, row: PlannedRow, asked: tuple[str, str, int], found: Differences, task: str) -> None:
    log = f"samples/{task}.jsonl"
    for name in SAME:
        if encoded(getattr(record, name)) != encoded(getattr(row, name)):
            stored, made = (msgspec.to_builtins(getattr(one, name)) for one in (record, row))
            for field in fields(stored, made, exact=True, path=name):
                found.value(log, field, task, record.id)
    for name, ours, theirs in (("request", record.request, asked[1]), ("seed", record.seed, asked[2])):
        for field in fields(ours, theirs, exact=True, path=name):
            found.value(log, field, task, record.id)
    if (record.response is None) == (record.failure is None):
        found.add(Difference(log, "a record is an answer or a failure, and this is not", task, record.id))
    if row.failure is not None and record.failure != row.failure:
        found.add(Difference(log, "answered though it could not be asked", task, record.id, "failure"))


def check_media(run: RunDir, tasks: Sequence[str], found: Differences) -> tuple[Media, set[str]]:
    """Hold every medium against its hash. Returns what was checked, and the recordings that the log names."""
    told, seen, speech = Media(), set[tuple[str, str]](), set[str]()
    for task in tasks:
        for row in run.plan(task):
            for part in parts(row.messages, row.recordings):
                if (part.path, part.sha256) not in seen and part.sha256:
                    seen.add((part.path, part.sha256))
                    _check_source(part, task, row.id, told, found)
        for record in run.records(task):
            if record.response is not None and (own := record.response.speech) is not None:
                told.speech += 1
                speech.add(own.path)
                _check_speech(run.path, own.path, own.sha256, task, record.id, found)
    return told, speech


def parts(messages: Sequence[StoredMessage], recordings: dict[str, StoredPart]) -> Iterator[StoredPart]:
    """The media of a row."""
    for message in messages:
        yield from (part for part in message.parts if part.kind is not None)
    yield from recordings.values()


def _check_source(part: StoredPart, task: str, sample: str, told: Media, found: Differences) -> None:
    digest = sha256_of(Path(part.path))
    if not digest:
        told.missing += 1
        return
    told.checked += 1
    if digest != part.sha256:
        found.add(
            Difference(part.path, "not the file that was asked about", task, sample, "sha256", part.sha256, digest)
        )


def _check_speech(run: Path, path: str, sha256: str, task: str, sample: str, found: Differences) -> None:
    log = f"samples/{task}.jsonl"
    named = SPEECH.fullmatch(path)
    if named is None:
        found.add(Difference(log, "speech is not named as speech is", task, sample, "response.speech.path", repr(path)))
        return
    digest = sha256_of(run / path)
    if not digest:
        found.add(Difference(path, "generated speech is missing", task, sample))
    elif not digest == named[2] == sha256:
        found.add(Difference(path, "not the speech that was generated", task, sample, "sha256", sha256, digest))
