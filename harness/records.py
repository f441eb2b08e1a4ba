"""An answered sample as a record of the log, and back to what a scorer needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from harness.contracts import TaskLike
from harness.failures import failure_from
from harness.plan import Planned
from harness.store import RunDir
from harness.types import Doc, Failure, Response, Score, Timings, Usage, text_of


def record(planned: Planned, outcome: Response | Failure, task: TaskLike, profile: str, run: RunDir) -> dict[str, Any]:
    """The record of one sample: what was asked, what came back, and its score."""
    sample = planned.sample
    base: dict[str, Any] = {
        "id": sample.id,
        "repeat": 0,
        "request": planned.fingerprint,
        "cluster": sample.cluster,
        "prompt": text_of(sample.messages),
        "media": [{"kind": m.kind, "path": m.path, "sha256": m.sha256} for m in sample.media],
        "doc": dict(sample.doc),
    }
    if isinstance(outcome, Response):
        base["response"] = _response(outcome, run)
    return base | scored(task, sample.doc, profile, outcome)


def scored(task: TaskLike, doc: Doc, profile: str, outcome: Response | Failure) -> dict[str, Any]:
    """The fields "score" and, if the sample or its scorer failed, "failure"."""
    failure = outcome if isinstance(outcome, Failure) else None
    response = outcome if isinstance(outcome, Response) else None
    try:
        score = task.score(doc, response, profile)
    except Exception as error:
        failure = failure or failure_from(error, "score")
        score = _wrong(task, doc, profile)
    if failure is None:
        return {"score": _score(score)}
    if score.status == "ok":
        score = Score(score.name, score.value, score.parts, "failed", score.extracted, failure.message)
    return {"failure": asdict(failure), "score": _score(score)}


def _wrong(task: TaskLike, doc: Doc, profile: str) -> Score:
    """The score of no answer; a row that cannot even say what would be right has no parts."""
    try:
        return task.score(doc, None, profile)
    except Exception:
        return Score(task.name, None, {}, "failed")


def _response(response: Response, run: RunDir) -> dict[str, Any]:
    found: dict[str, Any] = {"text": response.text}
    if response.raw_text is not None and response.raw_text != response.text:
        found["raw_text"] = response.raw_text
    if response.truncated:
        found["truncated"] = True
    if response.speech is not None:
        found["speech"] = run.add_speech(response.speech)
    if response.timings is not None:
        found["timings"] = asdict(response.timings)
    found["usage"] = asdict(response.usage)
    return found


def _score(score: Score) -> dict[str, Any]:
    return {
        "name": score.name,
        "value": score.value,
        "parts": dict(score.parts),
        "status": score.status,
        "extracted": score.extracted,
        "reason": score.reason,
    }


def outcome_of(stored: Mapping[str, Any]) -> Response | Failure:
    """What a stored sample has to be scored: its answer (speech stays in its file), or why there is none."""
    if (found := stored.get("response")) is None:
        return Failure(**stored["failure"])
    timings = found.get("timings")
    return Response(
        found["text"],
        timings=None if timings is None else Timings(**timings),
        usage=Usage(**found.get("usage", {})),
        raw_text=found.get("raw_text"),
        truncated=found.get("truncated", False),
    )
