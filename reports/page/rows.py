"""Samples -> what a sample page loads: an index of all, and details in chunks, in script files that a page opened from
a disk may load."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from harness.files import encoded
from harness.schema import Record, Scored, StoredResponse, TaskResult
from harness.types import Score
from reports import figures
from reports.page.media import MediaChoice, MediaFolder, part_of_page, wanted
from reports.runs import Run

CHUNK = 200
"""Samples whose details one file holds."""


def write_samples(
    run: Run, task: str, folder: MediaFolder, choice: MediaChoice, data: Path
) -> list[tuple[str, str, str, str]]:
    """Write `data/index.js`, a line for each sample, and `data/<n>.js`, the details of `CHUNK` samples each.

    Returns (stage, kind, message, name of the sample) of the samples that failed.
    """
    entry = run.results.tasks[task]
    data.mkdir(parents=True)
    tags: dict[tuple[str, str], int] = {}
    lines: list[msgspec.Raw] = []
    failed: list[tuple[str, str, str, str]] = []
    samples = enumerate(run.samples(task))
    number = 0
    while chunk := list(islice(samples, CHUNK)):
        found = []
        for place, (record, scored) in chunk:
            shown = wanted(choice, place, record, scored)
            found.append(detail(run, entry, record, scored, folder, shown))
            if failure := record.failure or scored.failure:
                failed.append(
                    (failure.stage, failure.kind, failure.message, shown_name(record.id, record.repeat, entry))
                )
            lines.append(msgspec.Raw(msgspec.json.encode(index_line(entry, record, scored, tags))))
        _write(data / f"{number}.js", "__details", [number, found, f"data/{data.name}/"])
        number += 1
    leading = figures.headline(entry.headline.metrics).values()
    index = {
        "data": f"data/{data.name}/",
        "chunk": CHUNK,
        "higher": next((metric.higher_is_better for metric in leading), True),
        "tags": [list(tag) for tag in tags],
        "rows": lines,
    }
    _write(data / "index.js", "__index", [index])
    return failed


def index_line(entry: TaskResult, record: Record, scored: Scored, tags: dict[tuple[str, str], int]) -> list[Any]:
    """[id, value, wrong, status, tags]: what filtering and sorting need. `tags` numbers them as they come."""
    score = headline_score(entry, scored)
    name = shown_name(record.id, record.repeat, entry)
    if score is None:
        return [name, None, None, "unscored" if record.failure is None else "failed", []]
    own = [tags.setdefault((tag, value), len(tags)) for tag, values in score.tags.items() for value in values]
    return [name, score.value, score.wrong, score.status, own]


def shown_name(id: str, repeat: int, entry: TaskResult) -> str:
    """What a sample is called on its page: its id, and which repeat where there are several."""
    return id if entry.repeats == 1 else f"{id} #{repeat + 1}"


def headline_score(entry: TaskResult, scored: Scored) -> Score | None:
    return scored.scores.get(entry.profile, {}).get(entry.channel)


def detail(
    run: Run, entry: TaskResult, record: Record, scored: Scored, folder: MediaFolder, shown: bool
) -> dict[str, Any]:
    """Everything that the sample's scores came from."""
    response, failure = record.response, record.failure or scored.failure
    return {
        "messages": [
            {"role": message.role, "parts": [part_of_page(part, folder, shown) for part in message.parts]}
            for message in record.messages
        ],
        "answer": response and response.text,
        "raw": response and response.raw_text,
        "truncated": response is not None and response.truncated,
        "speech": _speech(run, response, folder, shown),
        "steps": scored.steps,
        "taken": scored.answer if scored.steps else None,
        "scores": _scores(entry, scored),
        "judgements": scored.judgements,
        "failure": failure and [failure.stage, failure.kind, failure.message],
        "row": {
            name: value if isinstance(value, str) else encoded(value).decode() for name, value in record.doc.items()
        },
        "cluster": record.cluster,
        "tags": _tags(entry, scored),
        "times": _times(response),
    }


def _tags(entry: TaskResult, scored: Scored) -> list[str]:
    """ "category: posters", for every sub-score that the sample counts in."""
    score = headline_score(entry, scored)
    return [f"{tag}: {value}" for tag, values in (score.tags if score else {}).items() for value in values]


def _scores(entry: TaskResult, scored: Scored) -> list[dict[str, Any]]:
    """The scores under every profile and channel, the headline's first."""
    found = [
        {
            "profile": profile,
            "channel": channel,
            "name": score.name,
            "value": score.value,
            "status": score.status,
            "wrong": score.wrong,
            "extracted": score.extracted,
            "reason": score.reason,
            "shown": score.shown,
            "parts": dict(score.parts),
        }
        for profile, channels in scored.scores.items()
        for channel, score in channels.items()
    ]
    head = entry.profile, entry.channel
    return sorted(found, key=lambda score: (score["profile"], score["channel"]) != head)


def _speech(run: Run, response: StoredResponse | None, folder: MediaFolder, shown: bool) -> dict[str, Any] | None:
    if response is None or response.speech is None:
        return None
    about = {"kind": "audio", "name": "spoken answer", "start": None, "end": None}
    path, inside = (run.path / response.speech.path).resolve(), run.path.resolve()
    if not path.is_relative_to(inside):  # a record names only speech of its own run
        return {**about, "note": "the record names a file outside of its run"}
    found = folder.place(path, "audio", response.speech.sha256) if shown else {"note": "left out by --media"}
    return {**about, **found}


def _times(response: StoredResponse | None) -> dict[str, float]:
    """Derived times: seconds in all, to the first token and first audio, real-time factor, tokens a second."""
    if response is None or response.timings is None:
        return {}
    timings, tokens = response.timings, response.usage.new_tokens
    seconds = timings.end - timings.start
    found = {
        "seconds": seconds,
        "TTFT s": timings.ttft,
        "TTFA s": timings.ttfa,
        "RTF": timings.rtf,
        "tokens/s": tokens / seconds if tokens and seconds > 0 else None,
        "prompt tokens": response.usage.prompt_tokens or None,
        "new tokens": tokens or None,
    }
    return {name: round(value, 4) for name, value in found.items() if value is not None}


def script(function: str, arguments: list[Any]) -> bytes:
    """A call of a page's function with JSON that cannot end a script, whatever the model said."""
    told = msgspec.json.encode(arguments)[1:-1]
    for c, escaped in (("<", "003c"), ("\u2028", "2028"), ("\u2029", "2029")):
        told = told.replace(c.encode(), b"\\u" + escaped.encode())
    return b"window." + function.encode() + b"(" + told + b");\n"


def _write(path: Path, function: str, arguments: list[Any]) -> None:
    path.write_bytes(script(function, arguments))
