"""The files of a run directory as types: what is written, what is read back, and which format it has.

Decoding checks every field, so a line that is JSON but no record is refused by name and place. Each file names its
format; `harness.migrations` reads the older ones. JSON schemas of these types are in docs/schemas/.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from harness.failures import UsageError
from harness.types import (
    Channel,
    Failure,
    Media,
    MediaKind,
    Message,
    Part,
    Role,
    Score,
    Text,
    Timings,
    Usage,
)

FORMAT = 2
"""Of everything here. Raised when a field changes its meaning or goes; a new field with a default needs no raise."""

T = TypeVar("T")


class StoredPart(msgspec.Struct, omit_defaults=True):
    """A text, or a reference to a medium with its cut."""

    text: str | None = None
    kind: MediaKind | None = None
    path: str = ""
    sha256: str = ""
    start_s: float | None = None
    end_s: float | None = None


class StoredMessage(msgspec.Struct):
    role: Role
    parts: list[StoredPart]


class StoredSpeech(msgspec.Struct):
    """Generated speech: a file of the run directory, named by the hash of its content."""

    path: str
    sha256: str
    seconds: float


class StoredResponse(msgspec.Struct, omit_defaults=True):
    text: str
    raw_text: str | None = None
    truncated: bool = False
    speech: StoredSpeech | None = None
    timings: Timings | None = None
    usage: Usage = msgspec.field(default_factory=Usage)


class PlannedRow(msgspec.Struct, omit_defaults=True):
    """A line of `plan/<task>.jsonl`: a sample as it will be asked, or why it cannot be."""

    id: str
    messages: list[StoredMessage]
    doc: dict[str, Any]
    prompt_tokens: int
    cluster: str | None = None
    failure: Failure | None = None
    recordings: dict[str, StoredPart] = msgspec.field(default_factory=dict)
    audio_s: float = 0.0
    place: int | None = None
    """Of the row in the benchmark's order, from 0, where only a part of the rows is asked."""


class Record(msgspec.Struct, omit_defaults=True):
    """A line of `samples/<task>.jsonl`: what was asked and what came back. Never changed once it is written."""

    id: str
    request: str
    """SHA-256 of all that the model was given: texts, media contents and cuts, every decoding setting, the seed."""
    seed: int
    messages: list[StoredMessage]
    doc: dict[str, Any]
    repeat: int = 0
    cluster: str | None = None
    response: StoredResponse | None = None
    failure: Failure | None = None
    stretch: int = 0
    """In which uninterrupted piece of the run it was answered, from 0."""
    took: float = 0.0
    """Seconds since the answer before it in that stretch: over all records they add up to the time of answering."""
    cached: bool = False
    """The answer was kept from an earlier run."""
    recordings: dict[str, StoredPart] = msgspec.field(default_factory=dict)
    """What the row has beside what is asked: the voice that was given to the model, a reference recording."""
    audio_s: float = 0.0
    """Seconds of sound that were asked about."""


class Scored(msgspec.Struct, omit_defaults=True):
    """A line of `scores/<n>/<task>.jsonl`: the scores of one record, by profile and channel."""

    id: str
    scores: dict[str, dict[Channel, Score]]
    repeat: int = 0
    answer: str | None = None
    """The answer as it was scored, where a step took it out of the response's text."""
    steps: list[str] = msgspec.field(default_factory=list)
    """The steps that changed it."""
    judgements: dict[str, str] = msgspec.field(default_factory=dict)
    """What judges said, by role."""
    failure: Failure | None = None


class MetricResult(msgspec.Struct):
    """A number: its value (None where undefined), its interval, and what both rest on."""

    value: float | None
    unit: str
    higher_is_better: bool
    headline: bool
    n: int
    """Units (clusters or samples) that count in it."""
    ci: tuple[float, float] | None = None
    ci_method: str = ""
    ci_unit: str = "sample"


class GroupResult(msgspec.Struct):
    """A sub-score: the samples with one value of a tag."""

    n_samples: int
    metrics: dict[str, MetricResult]


class ScoreResult(msgspec.Struct):
    """The numbers of one profile and channel."""

    n_scored: int
    n_failed: int
    n_unscored: int
    coverage: float
    """Share of the samples that can be scored at all that have a score."""
    valid: bool
    metrics: dict[str, MetricResult]
    groups: dict[str, dict[str, GroupResult]] = msgspec.field(default_factory=dict)
    """Tag -> value -> sub-score."""
    n_incomplete_groups: int = 0
    """Groups (both questions on a picture) that lack a member: they are in no group score."""
    constant: tuple[str, float] | None = None
    """The commonest answer and what giving it to everything would score, where answers are few and short."""
    constant_metric: str = ""


class JudgeUsage(msgspec.Struct):
    """What a task's judgements took, each counted once, whichever run asked for it."""

    judgements: int = 0
    prompt_tokens: int = 0
    new_tokens: int = 0
    cost: float | None = None
    """None unless it is known of every one."""


class TaskResult(msgspec.Struct):
    """A task's entry in `results.json`. The counts and `valid` are those of the headline (profile, channel)."""

    version: str
    prompt: str
    profile: str
    channel: Channel
    n_expected: int
    """Planned samples, times repeats."""
    n_scored: int
    n_failed: int
    n_unscored: int
    coverage: float
    valid: bool
    scores: dict[str, dict[Channel, ScoreResult]]
    n_published: int | None = None
    """Rows that the benchmark publishes."""
    n_rows: int = 0
    """Rows that were planned, each once whatever the repeats."""
    n_missing: int = 0
    n_repeated: int = 0
    """Records that the log lacks, and that it has twice: each makes the result invalid."""
    n_excluded: int = 0
    """Of `n_expected`, the samples that are left out of every number (`harness exclude`)."""
    excluded: dict[str, int] = msgspec.field(default_factory=dict)
    """Why -> how many rows, each once whatever the repeats."""
    problems: list[str] = msgspec.field(default_factory=list)
    """Why it is invalid, or what else has to be said beside the numbers."""
    failures: dict[str, int] = msgspec.field(default_factory=dict)
    truncated: int = 0
    steps: dict[str, int] = msgspec.field(default_factory=dict)
    """Step -> how many answers it changed."""
    gap: dict[str, float] = msgspec.field(default_factory=dict)
    """Metric -> text channel minus speech channel, of the headline profile."""
    repeats: int = 1
    spread: dict[str, list[float]] = msgspec.field(default_factory=dict)
    """Metric -> its value in each repeat, of the headline."""
    pass_at: dict[str, float] = msgspec.field(default_factory=dict)
    """k -> share of the samples that k of the repeats are expected to solve, in percent."""
    judges: dict[str, str] = msgspec.field(default_factory=dict)
    """Role -> judge's name, its model and short digest."""
    judge_usage: dict[str, JudgeUsage] = msgspec.field(default_factory=dict)
    """Role -> what it took."""
    by_rule: bool = False
    """The headline asks no judge though the task's own does: published values are of another kind."""
    answers: dict[str, int] = msgspec.field(default_factory=dict)
    """Extracted answers and how often each was given, where there are few."""
    seconds: float = 0.0
    audio_s: float = 0.0
    """Seconds of sound that were asked about and answered in `seconds`; 0 where an answer was kept from another run."""

    @property
    def headline(self) -> ScoreResult:
        return self.scores[self.profile][self.channel]

    @property
    def n_counted(self) -> int:
        """Rows that count in the numbers: those that were planned and not left out."""
        return self.n_rows - sum(self.excluded.values())


class ModelResult(msgspec.Struct):
    name: str
    label: str
    note: str
    released: bool = False
    """The weights are the release's own: published values may stand beside these numbers."""


class Stretch(msgspec.Struct):
    """One uninterrupted piece of a run."""

    start: str
    seconds: float
    answered: int
    device: str
    cached: int = 0
    """How many of the answers were kept from earlier runs: no speed can be read from them."""


class Results(msgspec.Struct):
    """`results.json`: derived from plan, log and judgements alone; written in one atomic step."""

    model: ModelResult
    data: str
    valid: bool
    tasks: dict[str, TaskResult]
    scores: str = ""
    """The folder below the run that holds the scores of the samples."""
    stretches: list[Stretch] = msgspec.field(default_factory=list)
    format: int = FORMAT


class PlannedTask(msgspec.Struct):
    """What was planned, told before the first answer."""

    rows: int
    ids_sha256: str
    strays: list[str] = msgspec.field(default_factory=list)
    n_strays: int = 0


class TaskManifest(msgspec.Struct):
    version: str
    inputs: list[str]
    outputs: list[str]
    prompt: str
    prompt_note: str
    profiles: list[str]
    profile: str
    channel: Channel
    generation: dict[str, Any]
    """As the request has it, and under "effective" as the model uses it."""
    pictures: dict[str, Any]
    data: dict[str, Any]
    cluster: str | None
    citation: str
    licence: str
    n_published: int | None = None
    benchmark: str | None = None
    split: str = ""
    splits: dict[Channel, str] = msgspec.field(default_factory=dict)
    """Of channels beside the headline's."""
    published_metrics: dict[str, str] = msgspec.field(default_factory=dict)
    judges: dict[str, str] = msgspec.field(default_factory=dict)
    signatures: dict[str, str] = msgspec.field(default_factory=dict)
    max_batch: int | None = None


class ModelManifest(msgspec.Struct):
    name: str
    label: str
    note: str
    prompt_styles: list[str]
    inputs: list[str]
    outputs: list[str]
    fingerprint: dict[str, Any]


class Shard(msgspec.Struct):
    """A run that was joined with others into this one; its stretches follow those of the shards before it."""

    run: str
    part: str
    device: str
    stretches: int
    harness: dict[str, Any]


class Manifest(msgspec.Struct):
    """`manifest.json`: what was run, on what, with what; the first file of a run."""

    created: str
    harness: dict[str, Any]
    versions: dict[str, str | None]
    platform: str
    config: dict[str, Any]
    model: ModelManifest
    device: str
    dtype: str
    threads: int | None
    tasks: dict[str, TaskManifest]
    planned: dict[str, PlannedTask] | None = None
    """None until every task's plan is written."""
    resumed: list[dict[str, Any]] = msgspec.field(default_factory=list)
    kind: str = "evaluation"
    format: int = FORMAT
    merged: list[Shard] = msgspec.field(default_factory=list)
    """What `harness merge` joined; [] for a run that was made in one place."""
    left_out: dict[str, str] = msgspec.field(default_factory=dict)
    """Task that was named and skipped -> what the model lacks for it."""


TOLD = 1000
"""Characters of a value that a message quotes."""


def decoded(content: bytes, kind: type[T], where: str) -> T:
    """JSON as a typed value. Raises UsageError naming file (and line) and the field at fault."""
    try:
        return msgspec.json.decode(content, type=kind)
    except (msgspec.ValidationError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"{where}: {str(error)[:TOLD]}; was the file edited?") from error


def converted(content: Mapping[str, Any], kind: type[T], where: str) -> T:
    """A mapping as a typed value. Raises UsageError naming the file and the field at fault."""
    try:
        return msgspec.convert(content, kind)
    except msgspec.ValidationError as error:
        raise UsageError(f"{where}: {str(error)[:TOLD]}; was the file edited?") from error


def stored_messages(messages: Sequence[Message]) -> list[StoredMessage]:
    return [StoredMessage(message.role, [_stored_part(part) for part in message.parts]) for message in messages]


def messages_of(stored: Sequence[StoredMessage]) -> tuple[Message, ...]:
    return tuple(Message(message.role, tuple(_part(part) for part in message.parts)) for message in stored)


def stored_recordings(recordings: Mapping[str, Media]) -> dict[str, StoredPart]:
    return {name: _stored_part(media) for name, media in recordings.items()}


def recordings_of(stored: Mapping[str, StoredPart]) -> dict[str, Media]:
    return {name: part for name, kept in stored.items() if isinstance(part := _part(kept), Media)}


def _stored_part(part: Part) -> StoredPart:
    if isinstance(part, Text):
        return StoredPart(part.text)
    return StoredPart(None, part.kind, part.path, part.sha256, part.start_s, part.end_s)


def _part(stored: StoredPart) -> Part:
    if stored.kind is None:
        return Text(stored.text or "")
    return Media(stored.kind, stored.path, stored.sha256, stored.start_s, stored.end_s)


def speech_media(run: Path, speech: StoredSpeech) -> Media:
    """A stored recording as a reference that can be opened."""
    return Media("audio", str(run / speech.path), speech.sha256)
