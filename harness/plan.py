"""Tasks x model -> requests, in the benchmark's order.

A plan is made once, from one reading of the data, and stored (`plan/<task>.jsonl`): answering and resuming read it and
not the data again, so that what is asked cannot change on the way.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from harness import media as media_files
from harness.contracts import Capabilities, DataChoice, Model
from harness.failures import UsageError, failure_from
from harness.files import encoded
from harness.idset import IdSet
from harness.part import Dealer, Part
from harness.profiles import headline, scored_task
from harness.schema import PlannedRow, messages_of, recordings_of, stored_messages, stored_recordings
from harness.task import Preset, Row, Task
from harness.types import Doc, Failure, Generation, Media, MediaKind, Message, Request, Sample, Text

CAP_MARGIN = 10
ANSWER_TOKENS = 128
"""How much of an answer's limit a batch makes room for: few answers come near a limit of thousands."""


@dataclass(frozen=True, slots=True)
class TaskPlan:
    """A task with everything that is chosen about it for this run."""

    task: Task
    data: DataChoice
    prompt: str
    prompt_note: str
    """Why this preset, where the model's own is not there."""
    profile: str
    limit: int | None
    repeats: int = 1
    profiles: tuple[str, ...] = ()
    """Those that are scored."""
    oracle_length_cap: bool = False
    """Answers end `CAP_MARGIN` tokens after the length of their reference: what no model knows."""
    part: Part | None = None
    """What of the rows is asked, where it is not all."""

    @property
    def name(self) -> str:
        return self.task.name

    @property
    def preset(self) -> Preset:
        return self.task.presets[self.prompt]


@dataclass(frozen=True, slots=True)
class Planned:
    """One sample ready to be asked, or the failure that keeps it from being asked."""

    plan: TaskPlan
    sample: Sample
    request: Request
    fingerprint: str
    """SHA-256 of all that the model is given."""
    tokens: int
    """Length of the prompt and of the answer as far as a batch makes room for it."""
    repeat: int = 0
    failure: Failure | None = None
    audio_s: float = 0.0
    """Seconds of sound that it asks about."""

    @property
    def key(self) -> str:
        return key(self.sample.id, self.repeat)


def key(sample_id: str, repeat: int = 0) -> str:
    """What a resume knows a finished sample by, whatever the number of workers."""
    return f"{repeat}/{sample_id}"


def choose(
    task: Task,
    data: DataChoice,
    *,
    prompt: str | None,
    styles: Sequence[str],
    profile: str | None,
    limit: int | None,
    repeats: int,
    roles: Collection[str] = (),
    oracle_length_cap: bool = False,
    part: Part | None = None,
) -> TaskPlan:
    """Fix prompt preset and headline profile; unknown names are a UsageError that lists the known ones.

    `roles` are those of the judges that are named.
    """
    if prompt is not None and prompt not in task.presets:
        raise UsageError(f"task {task.name} has no prompt preset {prompt!r}; it has {', '.join(task.presets)}")
    head = headline(task, roles, profile)
    own = next((style for style in styles if style in task.presets), None)
    note = f"{styles[0]} is not there" if prompt is None and styles and own != styles[0] else ""
    preset = prompt or own or task.default_preset
    if repeats > 1 and task.presets[preset].generation.temperature == 0:
        raise UsageError(f"--repeats {repeats}: {task.name} is answered greedily, so that every repeat is the same")
    capped = oracle_length_cap and task.reference is not None
    return TaskPlan(
        task, data, preset, note, head, limit, repeats, tuple(scored_task(task, roles).profiles), capped, part
    )


def check_capabilities(tasks: Iterable[Task], model_name: str, capabilities: Capabilities) -> None:
    """Raise UsageError with all tasks that need an input or output which the model lacks, and those that it can run."""
    able: list[str] = []
    refused: list[str] = []
    for task in tasks:
        if missing := lacking(task, capabilities):
            refused.append(f"model {model_name} cannot run task {task.name}: it has no {missing}.")
        else:
            able.append(task.name)
    if refused:
        takes = f"It takes {', '.join(sorted(capabilities.inputs))}."
        remedy = f" What it can run of these (or add --skip-unable): --tasks {','.join(able)}" if able else ""
        raise UsageError("\n".join(refused) + f" {takes}{remedy}")


def lacking(task: Task, capabilities: Capabilities) -> str:
    """What the model lacks for a task: "image, speech output"; "" where it can run it."""
    missing = [str(name) for name in sorted(set(task.inputs) - capabilities.inputs)]
    missing += [f"{output} output" for output in task.outputs if output not in capabilities.outputs]
    return ", ".join(missing)


def skipping(
    tasks: Sequence[Task], model_name: str, capabilities: Capabilities, skip_unable: bool
) -> tuple[list[Task], dict[str, str]]:
    """The tasks that the model can run, and of each of the others what it lacks. Raises UsageError where there are
    others and they are not to be skipped, or nothing is left."""
    lacks = {task.name: missing for task in tasks if (missing := lacking(task, capabilities))}
    if not skip_unable or len(lacks) == len(tasks):
        check_capabilities(tasks, model_name, capabilities)
    return [task for task in tasks if task.name not in lacks], lacks


def rows_of(
    chosen: TaskPlan, rows: Iterable[Row], model: Model, capabilities: Capabilities | None = None
) -> Iterator[PlannedRow]:
    """The samples of a task. A malformed row or a repeated id becomes a planned failure, never an exception.

    The rows of other parts are read too: a row has the same id and number in a part as in the whole. `capabilities` are
    those of the opened weights, where the model here is not opened.
    """
    able = capabilities or model.capabilities
    seen = IdSet()
    dealer = None if chosen.part is None else Dealer(chosen.part)
    for index, row in enumerate(islice(rows, chosen.limit)):
        sample, failure = _sample(chosen, row, index)
        if not seen.add(sample.id):
            failure = Failure("load", "permanent", f"duplicate id {sample.id!r}: an earlier row has it too")
            sample = replace(sample, id=_free_id(sample.id, seen))
        if failure is None and (lacking := {m.kind for m in sample.media} - able.inputs):
            why = f"row {index}: model {model.name} takes no {', '.join(sorted(lacking))}"
            failure = Failure("load", "unsupported", why)
        if dealer and not dealer.takes(sample.cluster if chosen.task.group is not None else None):
            continue
        recordings = dict(sample.recordings)
        if not able.clones_voice:
            recordings.pop("voice", None)
        sample = replace(sample, recordings=recordings)
        request = _request(chosen, sample, chosen.preset.generation)
        extents = [media_files.probe(media) for media in request.media]
        tokens = 0 if failure else model.prompt_tokens(request, extents)
        audio_s = sum(e.seconds for media, e in zip(request.media, extents, strict=True) if media.kind == "audio")
        yield PlannedRow(
            sample.id,
            stored_messages(sample.messages),
            dict(sample.doc),
            tokens,
            sample.cluster,
            failure,
            stored_recordings(recordings),
            round(audio_s, 3),
            index if dealer else None,
        )


def planned(chosen: TaskPlan, rows: Iterable[PlannedRow], seed: int, given: Mapping[str, Any]) -> Iterator[Planned]:
    """Requests from a stored plan: each repeat of each sample with a seed of its own.

    `given` is what else decides what the model is given: the blanked input, the channel mix.
    """
    generation = chosen.preset.generation
    capped = chosen.task.reference if chosen.oracle_length_cap else None
    room = min(generation.max_new_tokens, ANSWER_TOKENS)
    for row in rows:
        sample = Sample(row.id, messages_of(row.messages), row.doc, row.cluster, recordings_of(row.recordings))
        for repeat in range(chosen.repeats):
            own = replace(generation, seed=request_seed(seed, chosen.name, row.id, repeat))
            if capped is not None and row.failure is None:
                own = replace(own, max_new_tokens=len(capped(row.doc)) + CAP_MARGIN)
            request = _request(chosen, sample, own)
            digest = fingerprint(request, given)
            tokens = row.prompt_tokens + room
            yield Planned(chosen, sample, request, digest, tokens, repeat, row.failure, row.audio_s)


def _request(chosen: TaskPlan, sample: Sample, generation: Generation) -> Request:
    task, voice = chosen.task, sample.recordings.get("voice")
    return Request(
        sample.id, sample.messages, generation, task.outputs, chosen.preset.pictures, voice, timed=task.timed
    )


def request_seed(seed: int, task: str, sample_id: str, repeat: int) -> int:
    """The seed of one request: rows of one distribution must not share one noise.

    Repeat 0 of the same sample has the same seed in every run with the same run seed.
    """
    content = f"{seed}/{task}/{repeat}/{sample_id}".encode(errors="surrogatepass")
    return int.from_bytes(hashlib.sha256(content).digest()[:6], "little")


def _sample(chosen: TaskPlan, row: Row, index: int) -> tuple[Sample, Failure | None]:
    """A row as a sample. What of it cannot be had is left out: a broken row keeps its cluster where that is known."""
    task = chosen.task
    problem: Exception | None = None
    doc: Doc = {name: value for name, value in row.items() if isinstance(value, (str, int, float, bool))}
    cluster: str | None = None
    messages: tuple[Message, ...] = ()
    recordings: Mapping[str, Media] = {}
    identity = str(row.get("sample_id") or row.get("id") or row.get("question_id") or f"row-{index}")
    try:
        doc = task.doc(row)
    except UsageError:  # the machine's trouble, not the row's
        raise
    except Exception as error:  # a plug-in's row function may raise anything
        problem = error
    try:
        found = task.cluster(doc)
        if found is not None and not isinstance(found, str):
            raise ValueError(f"the task gave {found!r:.80} as the row's cluster, which is no text")
        cluster = found
    except Exception as error:
        problem = problem or error
    if "error" in row:
        problem = ValueError(row["error"])
    elif problem is None:
        try:
            messages, recordings = tuple(chosen.preset.messages(row)), task.recordings(row)
        except UsageError:
            raise
        except Exception as error:
            problem = error
    sample = Sample(identity, messages, doc, cluster, recordings)
    if problem is None:
        return sample, None
    detail = f"field {problem} is missing" if isinstance(problem, KeyError) else failure_from(problem, "load").message
    return sample, Failure("load", "permanent", f"row {index}: {detail}")


def _free_id(taken: str, seen: IdSet) -> str:
    number = 2
    while not seen.add(f"{taken}#{number}"):
        number += 1
    return f"{taken}#{number}"


def fingerprint(request: Request, given: Mapping[str, Any]) -> str:
    """Hash of what the model is given: texts, media contents with their cuts, and every decoding setting."""
    messages = [
        [m.role, *((p.text,) if isinstance(p, Text) else (p.kind, p.sha256, p.start_s, p.end_s) for p in m.parts)]
        for m in request.messages
    ]
    content: list[object] = [messages, request.generation, request.outputs, request.pictures, given]
    if request.voice is not None:
        content.append(["voice", request.voice.sha256, request.voice.start_s, request.voice.end_s])
    if request.timed:
        content.append("timed")
    return hashlib.sha256(encoded(content)).hexdigest()


def given_to_all(ablate: MediaKind | None, channels: str) -> dict[str, Any]:
    """What decides how media reach the model, the same for all requests of a run."""
    return {"ablate": ablate, "channels": channels}
