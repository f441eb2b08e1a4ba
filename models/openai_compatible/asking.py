"""One request to an endpoint: its tries, and the answer that its pieces make up."""

from __future__ import annotations

import time
from collections.abc import Generator
from dataclasses import dataclass, replace
from threading import Event, Lock
from typing import TYPE_CHECKING, Any

from harness.contracts import answer_of
from harness.endpoints.patience import TRIES, Garbled, Trouble, patience, trouble_of
from harness.failures import SampleError
from harness.types import Chunk, Failure, FailureKind, Ready, Response, Timings, Usage
from models.openai_compatible.budget import Budget
from models.openai_compatible.gate import Gate
from models.openai_compatible.options import Settings
from models.openai_compatible.replies import EVENT, Piece, streamed, whole
from models.openai_compatible.requests import Body, least, settings_of

if TYPE_CHECKING:
    from openai import OpenAI

FOR_ALL = (401, 402, 403, 404)
"""Refusals of the key, the purse or the model, which every request would meet."""
OF_A_REQUEST = (400, 413, 422)
"""Refusals of what a request holds, be it this one's length or what all of them have."""

LEAST_TOKENS = 64
"""About what the least request takes."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """What `prepare` makes: messages with their media as data, and about how many tokens the prompt has."""

    messages: list[Body]
    tokens: int


@dataclass(frozen=True, slots=True)
class Stopped:
    """Nothing more can be asked, and why; this request has no answer and is not to be taken for a failure."""

    reason: str


@dataclass(frozen=True, slots=True)
class Silent:
    """All tries were in vain for reasons that may not be this request's own."""

    failure: Failure


Outcome = Response | Failure | Silent | Stopped


class Asker:
    """Asks an endpoint; used by several threads."""

    def __init__(self, chosen: Settings, client: OpenAI, budget: Budget) -> None:
        self._settings, self._client, self._budget = chosen, client, budget
        self._answered = False
        """Whether any request had a reply: what is refused before may be refused to all."""
        self._least = Lock(), Event()
        """Held while the least request is asked, set once it was."""

    def ask(self, ready: Ready, gate: Gate, held: Usage) -> Outcome | None:
        """The outcome of a request after its tries; None where the gate was closed before.

        `held` is what was set aside for it; what other tries took may leave too little for another one.
        """
        met = Trouble("")
        for attempt in range(TRIES):
            if attempt and not self._budget.fits():
                return Stopped(self._budget.told())
            entered = gate.enter()
            if entered is None:
                return None
            try:
                answer = self._tried(ready, held, gate, entered)
            except SampleError as error:
                return self._failure(str(error), error.kind)
            if not isinstance(answer, Trouble):
                return answer
            met = answer
            if not met.passing:
                if met.status in OF_A_REQUEST and not self._answered:
                    self._ask_the_least(ready, held)
                return self._refused(met)
            if attempt + 1 < TRIES and not gate.wait(patience(attempt, met.retry_after, time.time())):
                return None
        return Silent(self._failure(f"{met.message} ({TRIES} tries)", "transient"))

    def stream(self, ready: Ready) -> Generator[Chunk, None, Response]:
        """The chunks of an answer, tried again while nothing of it is there. Raises SampleError."""
        for attempt in range(TRIES):
            begun = False
            try:
                chunks = self._chunks(ready)
                while True:
                    try:
                        chunk = next(chunks)
                    except StopIteration as end:
                        return end.value  # type: ignore[no-any-return]
                    begun = True
                    yield chunk
            except SampleError as error:
                raise SampleError(self._told(str(error)), error.kind) from error
            except Exception as error:
                met = trouble_of(error, self._settings.timeout_s)
                if met is None:
                    raise
                if begun or not met.passing or attempt + 1 == TRIES:
                    raise SampleError(self._told(met.message), "transient" if met.passing else "permanent") from error
                time.sleep(patience(attempt, met.retry_after, time.time()))
        raise AssertionError("the last try returns or raises")

    def _tried(self, ready: Ready, held: Usage, gate: Gate, entered: float) -> Response | Trouble:
        good, busy, pause_s = False, False, 0.0
        try:
            answer = answer_of(self._chunks(ready))
            good = self._answered = True
            self._budget.spend(answer.usage if answer.usage != Usage() else held, ready.inputs.tokens)
            return answer
        except SampleError:  # there was a reply, if not an answer
            good = self._answered = True
            self._budget.spend(held, ready.inputs.tokens)
            raise
        except Exception as error:
            met = trouble_of(error, self._settings.timeout_s)
            if met is None:
                raise
            if met.begun:  # half an answer is paid for too, and does not say how much
                self._budget.spend(held, ready.inputs.tokens)
            busy = met.busy or met.status is None
            pause_s = patience(0, met.retry_after, time.time()) if met.busy and met.retry_after else 0.0
            return met
        finally:
            gate.leave(entered, good, busy, pause_s)

    def _ask_the_least(self, ready: Ready, held: Usage) -> None:
        """Find out, once, whether the endpoint answers anything like a request that it refused: if so, that is this
        request's own failure. What was set aside for that one, which took nothing, is there for this one."""
        lock, asked = self._least
        with lock:
            if asked.is_set() or self._answered:
                return
            asked.set()
            messages = least(ready.inputs.messages, self._settings)
            try:
                answer = answer_of(self._chunks(replace(ready, inputs=Prepared(messages, LEAST_TOKENS))))
                self._budget.spend(answer.usage if answer.usage != Usage() else held, ready.inputs.tokens)
            except SampleError:
                self._budget.spend(held, ready.inputs.tokens)
            except Exception as error:
                if (met := trouble_of(error, self._settings.timeout_s)) is None:
                    raise
                if met.begun:
                    self._budget.spend(held, ready.inputs.tokens)
                return
            self._answered = True

    def _chunks(self, ready: Ready) -> Generator[Chunk, None, Response]:
        """Ask once. Raises what `trouble_of` knows, and SampleError for a refusal."""
        start = time.monotonic() - ready.prepare_s
        made: list[Chunk] = []
        reason, refusal, usage, timed = "", "", Usage(), False
        shown = self._settings.place.answers()
        for piece in self._pieces(ready):
            reason, usage, timed = piece.reason or reason, piece.usage or usage, timed or piece.streamed
            refusal += piece.refusal
            text = shown(piece.text)
            if text or (piece.speech is not None and len(piece.speech.samples)):
                made.append(Chunk(time.monotonic() - start, text, piece.speech))
                yield made[-1]
        if rest := shown.rest():
            made.append(Chunk(time.monotonic() - start, rest))
            yield made[-1]
        if reason == "content_filter":
            raise SampleError("the endpoint's content filter ended the answer")
        if refusal and not made:
            raise SampleError(f"the model refused: {refusal}")
        answer = response(made, time.monotonic() - start, usage, timed)
        return replace(answer, truncated=reason == "length")

    def _pieces(self, ready: Ready) -> Generator[Piece, None, None]:
        prepared, chosen = ready.inputs, self._settings
        assert isinstance(prepared, Prepared)
        until = time.monotonic() + chosen.timeout_s
        settings: dict[str, Any] = settings_of(ready.request.generation, ready.request.outputs, chosen)
        create = self._client.chat.completions.with_streaming_response.create
        with create(model=chosen.model, messages=prepared.messages, extra_body=settings) as sent:  # type: ignore[call-overload]

            def blocks() -> Generator[bytes, None, None]:
                try:
                    for block in sent.iter_bytes():
                        if time.monotonic() > until:
                            raise TimeoutError
                        yield block
                except Exception as error:
                    if (met := trouble_of(error, chosen.timeout_s)) is None:
                        raise
                    raise Garbled(f"half an answer, then: {met.message}") from error

            if "event-stream" in sent.headers.get("content-type", ""):
                yield from streamed(blocks())
                return
            body = b"".join(blocks())
            if body.lstrip().startswith(EVENT):
                yield from (replace(piece, streamed=False) for piece in streamed([body]))
            else:
                yield whole(body)

    def _refused(self, met: Trouble) -> Failure | Silent | Stopped:
        """No money is told as 429. A 403 may be about one prompt where others were answered."""
        for_all = met.status in FOR_ALL or met.status == 429
        if for_all and not (met.status == 403 and self._answered):
            return Stopped(self._told(f"{met.message}; is the key in {self._settings.key_env} good for this model?"))
        failure = self._failure(met.message, "permanent")
        return failure if self._answered else Silent(failure)

    def _failure(self, message: str, kind: FailureKind) -> Failure:
        return Failure("generate", kind, self._told(message))

    def _told(self, message: str) -> str:
        place = self._settings.place
        return f"{self._settings.model} at {place.url}: {place.scrubbed(message)[:500]}"


def response(made: list[Chunk], end: float, usage: Usage, timed: bool) -> Response:
    """Chunks as one answer; when its parts came is known only of a stream (`timed`)."""
    spoken = [chunk for chunk in made if chunk.speech is not None]
    first = next((chunk.at for chunk in made if chunk.text), None)
    timings = Timings(end, first_token=first if timed else None)
    if not spoken:
        return Response("".join(chunk.text for chunk in made), None, timings, usage)
    from models.streams import joined, underruns  # they import torch

    speech = joined(spoken)
    timings = Timings(
        end,
        first_token=first if timed else None,
        first_audio=spoken[0].at if timed else None,
        audio_s=None if speech is None else speech.seconds,
        first_chunk_s=spoken[0].speech.seconds if timed and spoken[0].speech else None,
        underruns=underruns(spoken) if timed else None,
    )
    return Response("".join(chunk.text for chunk in made), speech, timings, usage)
