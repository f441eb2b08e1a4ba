"""Tasks x model -> requests, lazily and in the benchmark's order."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import count, islice

import orjson

from harness import media as media_files
from harness.contracts import Capabilities, DataChoice, PromptFn, Row, TaskLike, TokenRates
from harness.failures import UsageError
from harness.idset import IdSet
from harness.types import Failure, Media, Request, Sample, Text

VIDEO_FPS = 1.0
"""Frames a second that video models look at, up to their limit: for the estimate of a prompt's length only."""


@dataclass(frozen=True, slots=True)
class TaskPlan:
    """A task with everything that is chosen about it for this run."""

    task: TaskLike
    data: DataChoice
    prompt: str
    profile: str
    limit: int | None

    @property
    def prompt_fn(self) -> PromptFn:
        return self.task.prompts[self.prompt]


@dataclass(frozen=True, slots=True)
class Planned:
    """One sample ready to be asked, or the failure that keeps it from being asked."""

    task: str
    sample: Sample
    request: Request
    fingerprint: str
    """First 16 hex digits of the SHA-256 of all that the model is given."""
    tokens: int
    """Estimated prompt length plus the answer's limit, in tokens."""
    failure: Failure | None = None


def choose(
    task: TaskLike,
    data: DataChoice,
    *,
    prompt: str | None,
    prompt_style: str,
    profile: str | None,
    limit: int | None,
) -> TaskPlan:
    """Fix prompt preset and scoring profile; unknown names are a UsageError that lists the known ones."""
    if prompt is not None and prompt not in task.prompts:
        raise UsageError(f"task {task.name} has no prompt preset {prompt!r}; it has {', '.join(task.prompts)}")
    if profile is not None and profile not in task.profiles:
        raise UsageError(f"task {task.name} has no profile {profile!r}; it has {', '.join(task.profiles)}")
    preset = prompt or (prompt_style if prompt_style in task.prompts else task.default_prompt)
    return TaskPlan(task, data, preset, profile or task.default_profile, limit)


def check_capabilities(tasks: Iterable[TaskLike], model_name: str, capabilities: Capabilities) -> None:
    """Raise UsageError with all tasks that need an input or output which the model lacks, and those that it can run."""
    able: list[str] = []
    refused: list[str] = []
    for task in tasks:
        missing = [str(name) for name in sorted(set(task.inputs) - capabilities.inputs)]
        missing += [f"{output} output" for output in task.outputs if output not in capabilities.outputs]
        if missing:
            refused.append(f"model {model_name} cannot run task {task.name}: it has no {', '.join(missing)}.")
        else:
            able.append(task.name)
    if refused:
        takes = f"It takes {', '.join(sorted(capabilities.inputs))}."
        remedy = f" What it can run of these: --tasks {','.join(able)}" if able else ""
        raise UsageError("\n".join(refused) + f" {takes}{remedy}")


def plan(chosen: TaskPlan, rates: TokenRates) -> Iterator[Planned]:
    """The requests of a task. A malformed row or a repeated id becomes a planned failure, never an exception."""
    seen = IdSet()
    for index, row in enumerate(islice(chosen.task.rows(chosen.data), chosen.limit)):
        sample, failure = _sample(chosen, row, index)
        if not seen.add(sample.id):
            failure = Failure("load", "permanent", f"duplicate id {sample.id!r}: an earlier row has it too")
            sample = Sample(_free_id(sample.id, seen), sample.messages, sample.doc, sample.cluster)
        request = Request(
            sample.id, sample.messages, chosen.task.generation, chosen.task.outputs, chosen.task.image_tiles
        )
        yield Planned(chosen.task.name, sample, request, fingerprint(request), estimate_tokens(request, rates), failure)


def _sample(chosen: TaskPlan, row: Row, index: int) -> tuple[Sample, Failure | None]:
    try:
        return chosen.task.to_sample(row, chosen.prompt_fn), None
    except (ValueError, KeyError, TypeError) as error:
        detail = f"field {error} is missing" if isinstance(error, KeyError) else str(error)
        doc = {name: value for name, value in row.items() if isinstance(value, (str, int, float, bool))}
        identity = str(row.get("sample_id") or row.get("id") or row.get("question_id") or f"row-{index}")
        return Sample(identity, (), doc), Failure("load", "permanent", f"row {index}: {detail}")


def _free_id(taken: str, seen: IdSet) -> str:
    return next(name for n in count(2) if seen.add(name := f"{taken}#{n}"))


def fingerprint(request: Request) -> str:
    """Hash of what the model is given: texts, media contents and every decoding setting."""
    messages = [
        [
            m.role,
            *((p.text,) if isinstance(p, Text) else (p.kind, p.sha256, p.start_s, p.end_s) for p in m.parts),
        ]
        for m in request.messages
    ]
    content = [messages, asdict(request.generation), request.outputs, request.image_tiles]
    return hashlib.sha256(orjson.dumps(content)).hexdigest()[:16]


def estimate_tokens(request: Request, rates: TokenRates) -> int:
    """A prompt's length in tokens plus the answer's limit, from file headers only."""
    total = float(request.generation.max_new_tokens)
    for message in request.messages:
        for part in message.parts:
            if isinstance(part, Text):
                total += len(part.text) / rates.characters_per_token
            else:
                total += _media_tokens(part, rates, request.image_tiles or 1)
    return int(total) + 1


def _media_tokens(media: Media, rates: TokenRates, tiles: int) -> float:
    if media.kind == "image":
        return rates.image * (tiles + 1 if tiles > 1 else 1)
    seconds = media_files.probe(media).seconds
    if media.kind == "audio":
        return seconds * rates.audio_per_s
    return rates.video_frame * min(rates.video_frames, max(1.0, seconds * VIDEO_FPS))
