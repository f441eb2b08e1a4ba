"""Score saved answers of any origin: a JSONL file, no model needed.

A line is `{"id", "doc", "response"}`; `response` is text, or null for a missing answer, which counts as wrong. It may
have `speech`, the path of a recording from the file's own folder; `recordings`, paths of what the benchmark's row has
beside the question ("reference", "voice"); and `judge_replies`, what a judge said when it was asked, in that order:
they are replayed in its place. docs/responses.md tells more.
"""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from itertools import groupby
from pathlib import Path
from typing import Any, Literal

import msgspec

from harness import aggregate
from harness import media as media_files
from harness.failures import UsageError
from harness.files import is_there, need_file
from harness.judging import Bench, Replay, check_judges, open_bench
from harness.profiles import headline, scored_task, told
from harness.schema import FORMAT, Record, Scored, StoredResponse, StoredSpeech, stored_recordings
from harness.scoring import score_records
from harness.task import Preset, Task
from harness.types import Failure

NO_ANSWER = Failure("generate", "permanent", "the file gives no response")


class Line(msgspec.Struct):
    """A line of a responses file."""

    id: str | int
    doc: dict[str, Any]
    response: str | None
    speech: str | None = None
    recordings: dict[Literal["reference", "voice"], str] = msgspec.field(default_factory=dict)
    judge_replies: list[str] | None = None


def score_file(
    task: Task, path: Path, profile: str | None = None, *, prompt: str | None = None, judges: Sequence[str] = ()
) -> dict[str, Any]:
    """The task's entry as in `results.json`, its headline's numbers under "metrics" and each line's under "samples".

    `prompt` is the preset that the answers were made with: its form (JSON, a tag) is read. Raises UsageError naming
    the line at fault.
    """
    _check(task, profile, prompt)
    preset = None if prompt is None else task.presets[prompt]
    lines = list(read_lines(path))
    records = [_record(task, line, path.parent) for line in lines]
    task = task.asking(["speech"] if any(line.speech for line in lines) else [])
    asked = [task] if any(line.judge_replies is None for line in lines) else []
    roles = check_judges(asked or [task], judges) if asked or judges else frozenset[str]()
    roles |= set(task.judges) if any(line.judge_replies for line in lines) else set()
    chosen = headline(task, roles, profile)
    said = told(task, roles, chosen, profile)
    task = scored_task(task, roles)
    with open_bench([task] if asked else [], judges, None, "cpu") as bench:
        scored = list(_scored(task, preset, lines, records, path.parent, bench))
        planned = aggregate.Planned(
            prompt or "from file",
            chosen,
            n_published=task.source.published,
            judges=bench.names(task),
            usage=bench.spent(),
            told=said,
        )
        result = aggregate.task_result(task, planned, zip(records, scored, strict=True), None)
    if deaf := sum(line.speech is not None for line in lines if "speech" not in task.outputs):
        result.problems.append(f"the speech of {deaf} lines was not heard: {task.name} scores texts")
    samples = [_sample(task, chosen, record, one) for record, one in zip(records, scored, strict=True)]
    head = msgspec.to_builtins(result.headline.metrics)
    signature = {"signature": task.signatures[chosen]} if chosen in task.signatures else {}
    named = {"format": FORMAT, "task": task.name, "metrics": head, **signature}
    return {**named, **msgspec.to_builtins(result), "samples": samples}


def print_scores(result: Mapping[str, Any]) -> None:
    """A scored responses file as text."""
    from harness.texts import printable

    print(
        f"{result['task']}, profile {result['profile']}: {result['n_scored']} of {result['n_expected']} scored, "
        f"{result['n_failed']} failed, {result['n_unscored']} unscored"
    )
    for problem in result["problems"]:
        print(printable(f"  ! {problem}"))
    if failed := next(
        (row for row in result["samples"] if row.get("failure") and row.get("status") != "unscored"), None
    ):
        print(printable(f"  first failure, id {failed['id']}: {failed['failure']['message']}"))
    for channel, scored in result["scores"][result["profile"]].items():
        for name, metric in scored["metrics"].items():
            value = "–" if metric["value"] is None else f"{metric['value']:.4g} {metric['unit']}".rstrip()
            interval = "" if metric["ci"] is None else "  [{:.2f}, {:.2f}]".format(*metric["ci"])
            print(f"  {(channel + ' ' + name).strip():24} {value}{interval}")


def read_lines(path: Path) -> Iterator[Line]:
    """The lines of a responses file; one that is there again as it was is passed over.

    Raises UsageError naming the line and the field, and for an id that has two different lines.
    """
    seen: dict[str, int] = {}
    need_file(path, "responses file")
    try:
        file = path.open("rb")
    except OSError as error:
        raise UsageError(f"responses file cannot be read: {path}: {error.strerror}") from error
    decoder = msgspec.json.Decoder(Line)
    with file:
        for number, text in enumerate(file, start=1):
            if not text.strip():
                continue
            where = f"{path}, line {number}"
            try:
                line = decoder.decode(text.removeprefix(BOM_UTF8) if number == 1 else text)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
                raise UsageError(
                    f'{where}: {error}; a line is an object with "id", "doc" (an object) and "response" (text or null)'
                ) from error
            line.id = str(line.id)
            _check_names(text, where)
            content = hash(msgspec.json.encode(line))
            if seen.get(line.id, content) != content:
                raise UsageError(f"{where}: id {line.id!r} occurs twice; keep one line an id")
            if line.id not in seen:
                seen[line.id] = content
                yield line
    if not seen:
        raise UsageError(f"responses file holds no lines: {path}")


def _check(task: Task, profile: str | None, prompt: str | None) -> None:
    if profile is not None and profile not in task.profiles:
        raise UsageError(f"task {task.name} has no profile {profile!r}; it has {', '.join(task.profiles)}")
    if prompt is not None and prompt not in task.presets:
        raise UsageError(f"task {task.name} has no prompt preset {prompt!r}; it has {', '.join(task.presets)}")


def _check_names(text: bytes, where: str) -> None:
    """Raises UsageError for a field that is a known one misspelt; others are a file's own affair."""
    known = Line.__struct_fields__
    for name in msgspec.json.decode(text.removeprefix(BOM_UTF8), type=dict[str, msgspec.Raw]):
        if name not in known and (meant := get_close_matches(name, known, 1, 0.8)):
            raise UsageError(f"{where}: the field {name!r} is not known; is {meant[0]!r} meant?")


def _record(task: Task, line: Line, folder: Path) -> Record:
    record = Record(str(line.id), request="", seed=0, messages=[], doc=line.doc)
    try:
        record.cluster = task.cluster(line.doc)
    except Exception:  # a doc of another form: the scorer says what it lacks
        record.cluster = None
    if line.response is None:
        record.failure = NO_ANSWER
        return record
    record.response = StoredResponse(line.response)
    recordings = {str(name): media_files.reference("audio", folder / path) for name, path in line.recordings.items()}
    record.recordings = stored_recordings(recordings)
    if line.speech is not None:
        media = media_files.reference("audio", folder / line.speech)
        if not media.sha256:
            record.failure = Failure("load", "permanent", _no_speech(line.speech, Path(media.path)))
        record.response.speech = StoredSpeech(line.speech, media.sha256, media_files.probe(media).seconds)
    return record


def _no_speech(given: str, path: Path) -> str:
    if not given:
        return "speech is an empty text: give a file, or null where nothing was spoken"
    if re.match(r"\w+://", given):
        return f"speech is an address, and only files are read: {given}"
    return (
        f"speech is a folder: {path}"
        if is_there(path) and path.is_dir()
        else f"the speech of this answer is missing: {path}"
    )


def _scored(
    task: Task, preset: Preset | None, lines: Sequence[Line], records: Sequence[Record], folder: Path, bench: Bench
) -> Iterator[Scored]:
    """Lines with replies are each scored by their own; runs of lines without go to the judges together."""
    pairs = zip(lines, records, strict=True)
    for own, run in groupby(pairs, key=lambda pair: None if pair[0].judge_replies is None else pair[0].id):
        members = list(run)
        replies = members[0][0].judge_replies
        said = bench if own is None or replies is None else Replay(replies)
        yield from score_records(task, preset, [record for _, record in members], folder, said)


def _sample(task: Task, profile: str, record: Record, scored: Scored) -> dict[str, Any]:
    """The headline's score of a line, and under "scores" those of every profile and channel."""
    failure = record.failure or scored.failure
    return {
        "id": record.id,
        **msgspec.to_builtins(scored.scores[profile].get(task.default_channel)),
        "scores": msgspec.to_builtins(scored.scores),
        **({"failure": msgspec.to_builtins(failure)} if failure else {}),
    }
