"""An answered request as a record of the log."""

from __future__ import annotations

from harness.engines import Answer
from harness.schema import Record, StoredResponse, stored_messages, stored_recordings
from harness.store import RunDir
from harness.types import Failure, Response


def record(answer: Answer, run: RunDir, stretch: int, took: float) -> Record:
    """What was asked and what came back; speech goes into the run's media.

    `took` is the time since the answer before it in this stretch of the run: they add up to the time of answering.
    """
    planned, outcome = answer.planned, answer.outcome
    sample = planned.sample
    return Record(
        id=sample.id,
        request=planned.fingerprint,
        seed=planned.request.generation.seed,
        messages=stored_messages(sample.messages),
        doc=dict(sample.doc),
        repeat=planned.repeat,
        cluster=sample.cluster,
        response=_response(outcome, run) if isinstance(outcome, Response) else None,
        failure=outcome if isinstance(outcome, Failure) else None,
        stretch=stretch,
        took=round(took, 6),
        cached=answer.cached,
        recordings=stored_recordings(sample.recordings),
        audio_s=planned.audio_s,
    )


def _response(response: Response, run: RunDir) -> StoredResponse:
    raw = response.raw_text
    return StoredResponse(
        text=response.text,
        raw_text=raw if raw != response.text else None,
        truncated=response.truncated,
        speech=None if response.speech is None else run.add_speech(response.speech),
        timings=response.timings,
        usage=response.usage,
    )
