"""The samples of a run as one `samples.parquet`, for pandas and DuckDB: a row for each sample, profile and channel."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.exclusions import excluded
from harness.files import encoded, told
from harness.schema import Record, Scored
from harness.store import RunDir, joined, lines_of

if TYPE_CHECKING:
    import pyarrow as pa

ROW_GROUP = 8192


def schema() -> pa.Schema:
    """`doc` is JSON text; `parts` and `tags` are maps; `excluded` is why a sample is left out of every number."""
    import pyarrow as pa

    text, number = pa.string(), pa.float64()
    columns: dict[str, Any] = dict.fromkeys(("task", "id"), text)
    columns |= {"repeat": pa.int64(), "profile": text, "channel": text, "cluster": text, "prompt": text}
    columns |= {"media": pa.list_(text), "response": text, "answer": text, "extracted": text, "status": text}
    columns |= {"value": number, "wrong": pa.bool_(), "reference": text, "hypothesis": text}
    columns |= {"failure_stage": text, "failure_kind": text, "failure_message": text}
    columns |= {"first_token_s": number, "first_audio_s": number, "end_s": number, "audio_s": number}
    columns |= {"prompt_tokens": pa.int64(), "new_tokens": pa.int64(), "speech_tokens": pa.int64(), "doc": text}
    columns |= {"parts": pa.map_(text, number), "tags": pa.map_(text, pa.list_(text)), "excluded": text}
    return pa.schema(list(columns.items()))


def write_samples(run: RunDir, folder: Path, tasks: list[str]) -> None:
    """Write the samples with the scores in `folder` to `samples.parquet` beside these."""
    path = folder / "samples.parquet"
    with told(path):
        write_parquet(run, folder, tasks, path)


def write_parquet(run: RunDir, folder: Path, tasks: list[str], path: Path) -> None:
    """Write the samples with the scores in `folder` to `path`, by row groups. Raises OSError."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = schema()
    with pq.ParquetWriter(path, columns, compression="zstd") as writer:
        rows = (row for task in tasks for row in _rows(run, folder, task))
        for group in _groups(rows):
            writer.write_table(pa.Table.from_pylist(group, schema=columns))


def _rows(run: RunDir, folder: Path, task: str) -> Iterator[dict[str, Any]]:
    reasons = excluded(run).reasons(task)
    for record, scored in joined(run.records(task), lines_of(folder / f"{task}.jsonl", Scored)):
        yield from flat(task, record, scored, reasons.get(record.id))


def flat(task: str, record: Record, scored: Scored, why_excluded: str | None = None) -> Iterator[dict[str, Any]]:
    """A sample as rows, one for each profile and channel."""
    response, failure = record.response, record.failure or scored.failure
    timings, usage = response and response.timings, response and response.usage
    texts = [part.text for message in record.messages for part in message.parts if part.text is not None]
    media = [part.path for message in record.messages for part in message.parts if part.kind is not None]
    common = {
        "task": task,
        "id": record.id,
        "repeat": record.repeat,
        "cluster": record.cluster,
        "prompt": "\n".join(texts),
        "media": media,
        "response": response and response.text,
        "answer": scored.answer if scored.answer is not None else response and response.text,
        "failure_stage": failure and failure.stage,
        "failure_kind": failure and failure.kind,
        "failure_message": failure and failure.message,
        "first_token_s": timings and timings.first_token,
        "first_audio_s": timings and timings.first_audio,
        "end_s": timings and timings.end,
        "audio_s": timings and timings.audio_s,
        "prompt_tokens": usage and usage.prompt_tokens,
        "new_tokens": usage and usage.new_tokens,
        "speech_tokens": usage and usage.speech_tokens,
        "doc": encoded(record.doc).decode(),
        "excluded": why_excluded,
    }
    for profile, channels in scored.scores.items():
        for channel, score in channels.items():
            yield common | {
                "profile": profile,
                "channel": channel,
                "extracted": score.extracted,
                "status": score.status,
                "value": score.value,
                "wrong": score.wrong,
                "reference": score.shown and score.shown[0],
                "hypothesis": score.shown and score.shown[1],
                "parts": list(score.parts.items()),
                "tags": [(tag, list(values)) for tag, values in score.tags.items()],
            }


def _groups(rows: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    waiting = iter(rows)
    while group := list(islice(waiting, ROW_GROUP)):
        yield group
