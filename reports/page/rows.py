"""Sample records -> the rows of a sample page, in script files that a page opened from a disk may load."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

from harness.types import Timings
from reports.page.media import MediaChoice, MediaFolder, wanted
from reports.runs import Run

CHUNK_BYTES = 5_000_000


def page_rows(run: Run, task: str, folder: MediaFolder, choice: MediaChoice) -> Iterator[dict[str, Any]]:
    """One row a sample, with everything that its score came from."""
    for number, record in enumerate(run.samples(task)):
        response = record.get("response") or {}
        score = record["score"]
        yield {
            "id": record["id"],
            "prompt": record.get("prompt", ""),
            "media": _media(record, run, folder) if wanted(choice, number, record) else _left_out(record),
            "text": response.get("text"),
            "raw": response.get("raw_text"),
            "truncated": bool(response.get("truncated")),
            "doc": record.get("doc", {}),
            "extracted": score.get("extracted"),
            "metric": score["name"],
            "value": score.get("value"),
            "status": score["status"],
            "reason": score.get("reason"),
            "parts": score.get("parts", {}),
            "failure": record.get("failure"),
            "times": _times(response),
        }


def write_chunks(rows: Iterable[Mapping[str, Any]], data: Path, name: str) -> list[str]:
    """Write `data/<name>.<n>.js`, each `window.__add([...])` and at most 5 MB; returns the file names."""
    names: list[str] = []
    waiting: list[bytes] = []
    size = 0
    for row in rows:
        line = script_json(row)
        if waiting and size + len(line) > CHUNK_BYTES:
            names.append(_write_chunk(data, f"{name}.{len(names)}.js", waiting))
            waiting, size = [], 0
        waiting.append(line)
        size += len(line) + 2
    if waiting:
        names.append(_write_chunk(data, f"{name}.{len(names)}.js", waiting))
    return names


def script_json(value: Any) -> bytes:
    """JSON that cannot end a script element, whatever the model said."""
    return orjson.dumps(value).replace(b"<", b"\\u003c").replace("\u2028".encode(), b"\\u2028")


def _write_chunk(data: Path, name: str, lines: list[bytes]) -> str:
    data.mkdir(parents=True, exist_ok=True)
    (data / name).write_bytes(b"window.__add([\n" + b",\n".join(lines) + b"\n]);\n")
    return name


def _media(record: Mapping[str, Any], run: Run, folder: MediaFolder) -> list[dict[str, str]]:
    found = [folder.place(Path(m["path"]), m["kind"], m.get("sha256", "")) for m in record.get("media", [])]
    if speech := (record.get("response") or {}).get("speech"):
        path = (run.path / speech["path"]).resolve()
        if path.is_relative_to(run.path.resolve()):  # a record names only speech of its own run
            found.append({**folder.place(path, "audio"), "name": "spoken answer"})
    return found


def _left_out(record: Mapping[str, Any]) -> list[dict[str, str]]:
    note = "left out by --media"
    return [{"kind": m["kind"], "name": Path(m["path"]).name, "note": note} for m in record.get("media", [])]


def _times(response: Mapping[str, Any]) -> dict[str, float]:
    """Derived times: seconds in all, to the first token and first audio, real-time factor, tokens a second."""
    if not response.get("timings"):
        return {}
    timings = Timings(**response["timings"])
    seconds = timings.end - timings.start
    tokens = (response.get("usage") or {}).get("new_tokens")
    found = {
        "seconds": seconds,
        "TTFT s": timings.ttft,
        "TTFA s": timings.ttfa,
        "RTF": timings.rtf,
        "tokens/s": tokens / seconds if tokens and seconds > 0 else None,
    }
    return {name: round(value, 4) for name, value in found.items() if value is not None}
