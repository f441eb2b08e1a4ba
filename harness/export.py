"""The sample logs of a finished run as one `samples.parquet`, for pandas and DuckDB."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

import orjson

from harness.store import RunDir

ROW_GROUP = 8192


def write_parquet(run: RunDir, tasks: list[str]) -> None:
    """Flatten every record into a row; `doc` and `parts` are JSON text. Written by row groups, then renamed."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    text, number = pa.string(), pa.float64()
    columns = dict.fromkeys(("task", "id", "cluster", "prompt", "response", "extracted", "status"), text)
    columns |= {"value": number, "failure_stage": text, "failure_kind": text, "failure_message": text}
    columns |= {
        "first_token_s": number,
        "end_s": number,
        "new_tokens": pa.int64(),
        "doc": text,
        "parts": text,
    }
    schema = pa.schema(list(columns.items()))

    path = run.path / "samples.parquet"
    partial = path.with_name("samples.parquet.part")
    with pq.ParquetWriter(partial, schema, compression="zstd") as writer:
        rows = (_row(task, record) for task in tasks for record in run.records(task))
        for group in _groups(rows):
            writer.write_table(pa.Table.from_pylist(group, schema=schema))
    partial.replace(path)


def _groups(rows: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    while group := list(islice(rows, ROW_GROUP)):
        yield group


def _row(task: str, record: dict[str, Any]) -> dict[str, Any]:
    response, failure, score = record.get("response", {}), record.get("failure", {}), record["score"]
    timings = response.get("timings") or {}
    return {
        "task": task,
        "id": record["id"],
        "cluster": record["cluster"],
        "prompt": record["prompt"],
        "response": response.get("text"),
        "extracted": score["extracted"],
        "status": score["status"],
        "value": score["value"],
        "failure_stage": failure.get("stage"),
        "failure_kind": failure.get("kind"),
        "failure_message": failure.get("message"),
        "first_token_s": timings.get("first_token"),
        "end_s": timings.get("end"),
        "new_tokens": response.get("usage", {}).get("new_tokens"),
        "doc": orjson.dumps(record["doc"]).decode(),
        "parts": orjson.dumps(score["parts"]).decode(),
    }
