"""`--model openai:NAME --base-url URL`: an endpoint as a model. Implements `harness.contracts.StreamingModel`."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from harness.contracts import Capabilities, ModelOptions
from harness.endpoints.place import HOSTED
from harness.failures import ModelStopped, UsageError, failure_from
from harness.files import encoded
from harness.media import Extent
from harness.types import Chunk, Failure, Generation, LoadedRequest, Ready, Request, Response, Usage
from models.openai_compatible.asking import Asker, Outcome, Prepared, Silent, Stopped
from models.openai_compatible.budget import Budget
from models.openai_compatible.gate import FIRST, Gate
from models.openai_compatible.options import Settings, settings
from models.openai_compatible.requests import REQUEST, estimate, messages_of, settings_of, unsent
from models.openai_compatible.served import answers_at_all, served

if TYPE_CHECKING:
    from openai import OpenAI

SILENT = 8
"""Requests in a row that were all in vain, before an endpoint that still answers is given up."""


class Endpoint:
    """Its weights cannot be known: it is identified by its URL, the model's name, and what it says that it serves."""

    note = "asked over HTTP: which weights answer cannot be checked"
    prompt_styles: tuple[str, ...] = ()

    def __init__(self, chosen: Settings) -> None:
        self.name = f"openai:{chosen.model}"
        self.label = f"{self.name} at {urlsplit(chosen.place.url).netloc}"
        self.capabilities = Capabilities(
            frozenset(chosen.inputs),  # type: ignore[arg-type]
            frozenset({"text", "speech"} if chosen.speech else {"text"}),
            stream=chosen.stream,
            remote=True,
        )
        self._settings = chosen
        self._budget = Budget(chosen.max_tokens, chosen.max_cost, chosen.prices)
        self._client: OpenAI | None = None
        self._in_vain = 0
        """Requests in vain since the last answer."""
        self._width = FIRST
        """How many requests the last group had under way: the next one begins with as many."""
        self._served: dict[str, Any] | None = None

    def open(self) -> None:
        """Ask what is served. Raises UsageError where there is no key, or nothing is reached."""
        if self._client is not None:
            return
        chosen = self._settings
        if not chosen.place.key and chosen.place.url == HOSTED:
            raise UsageError(f"{self.name}: no key; set {chosen.key_env}, or name another endpoint with --base-url")
        client = chosen.place.client(chosen.timeout_s)
        try:
            self._served = served(chosen, client)
        except UsageError:
            client.close()
            raise
        self._client = client

    def close(self) -> None:
        if self._client is not None:
            self._client.close()
        self._client = None

    def fingerprint(self) -> Mapping[str, Any]:
        self.open()
        chosen = self._settings
        identity = {
            "endpoint": chosen.place.url,
            "model": chosen.model,
            "served": self._served,
            "request": REQUEST,
            "settings": {
                name: value
                for name, value in asdict(chosen).items()
                if name in ("speech", "voice", "audio_format", "image_format", "frames", "dialect", "omit")
            },
        }
        told = [] if self._served else ["the endpoint does not say what it serves under this name"]
        digest = hashlib.sha256(encoded(identity)).hexdigest()
        return {**identity, "digest": digest, "released": False, "told": told}

    def effective(self, generation: Generation) -> Mapping[str, Any]:
        """What of the settings is sent, and which of those asked for are not."""
        sent = settings_of(generation, ("text",), self._settings)
        sent.pop("seed", None)
        return sent | {"not_sent": unsent(generation, self._settings)}

    def prompt_tokens(self, request: Request, extents: Sequence[Extent]) -> int:
        return estimate(request, extents, self._settings.frames)

    def prepare(self, loaded: LoadedRequest) -> Prepared:
        """Media as data in the messages. Raises ValueError for what cannot be sent."""
        sizes = [_extent(content) for content in loaded.media]
        return Prepared(messages_of(loaded, self._settings), estimate(loaded.request, sizes, self._settings.frames))

    def stream(self, ready: Ready) -> Generator[Chunk, None, Response]:
        return self._asker().stream(ready)

    def generate(self, batch: Iterable[Ready], rows: int) -> Iterator[tuple[int, Response | Failure]]:
        """At most `rows` side by side, fewer while the endpoint is busy.

        Raises ModelStopped where nothing more can be asked: the key is refused, the endpoint is gone, what may be
        spent is spent. What was under way and is answered is yielded before.
        """
        asker, gate = self._asker(), Gate(min(rows, self._settings.concurrency), self._width)
        items, done = enumerate(batch), SimpleQueue[tuple[int, Usage, Outcome | None]]()
        waiting: tuple[int, Ready] | None = None
        silent: list[tuple[int, Failure]] = []
        under_way, reason = 0, ""

        def work(index: int, ready: Ready, held: Usage) -> None:
            try:
                outcome = asker.ask(ready, gate, held)
            except Exception as error:
                failure = failure_from(error, "generate")
                outcome = replace(failure, message=self._settings.place.scrubbed(failure.message))
            done.put((index, held, outcome))

        try:
            while True:
                while not reason and under_way < gate.width:
                    waiting = waiting or next(items, None)
                    if waiting is None:
                        break
                    held = self._budget.hold(waiting[1].inputs.tokens, waiting[1].request.generation.max_new_tokens)
                    if held is None:
                        reason = "" if under_way else self._budget.told()
                        break
                    Thread(target=work, args=(*waiting, held), daemon=True).start()
                    waiting, under_way = None, under_way + 1
                if not under_way:
                    break
                index, held, outcome = done.get()
                under_way -= 1
                self._budget.release(held)
                if isinstance(outcome, Stopped):
                    reason = reason or outcome.reason
                    gate.close()
                elif isinstance(outcome, Silent):
                    silent.append((index, outcome.failure))
                    self._in_vain += 1
                    if self._in_vain >= SILENT:
                        told = f"{self._in_vain} requests in a row were in vain, the last: {outcome.failure.message}"
                        reason = reason or told
                        gate.close()
                elif outcome is not None:
                    yield from silent if isinstance(outcome, Response) else ()
                    if isinstance(outcome, Response):
                        silent, self._in_vain = [], 0
                    yield index, outcome
            if silent and not reason and not self._answers():
                reason = f"{silent[-1][1].message}: nothing answers there any more"
            if reason:
                raise ModelStopped(reason)
            yield from silent
        finally:
            self._width = gate.width
            gate.close()

    def _answers(self) -> bool:
        assert self._client is not None
        return answers_at_all(self._client, self._settings.timeout_s)

    def _asker(self) -> Asker:
        self.open()
        assert self._client is not None
        return Asker(self._settings, self._client, self._budget)


def _extent(content: Any) -> Extent:
    if hasattr(content, "pixels"):
        height, width = content.pixels.shape[:2]
        return Extent(0.0, width, height)
    if hasattr(content, "seconds"):
        return Extent(content.seconds)
    return Extent(0.0, 640, 360, content.n_frames, content.fps)


def openai_model(name: str, options: ModelOptions) -> Endpoint:
    """`--model openai:NAME`. Raises UsageError for an option that is unknown or wrong."""
    if options.weights is not None:
        raise UsageError(f"openai:{name} has its weights elsewhere; leave out --weights")
    return Endpoint(settings(name, options.own, os.environ))
