"""A language model as a judge: any endpoint that speaks OpenAI's chat completions, hosted or local.

The one user message is what a scorer asks, at the temperature that it asks for. What may pass (a busy or unreachable
endpoint, a torn body) is tried again, and again by a later pass. A reply that cannot be used (empty, cut off) is asked
for a few times and then kept as such. A refusal is told at once, and of a key or a model it holds for all that follows.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from time import sleep
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from harness.contracts import JudgeOptions
from harness.endpoints.patience import PASSING, TRIES, patience, trouble_of
from harness.failures import UsageError, failure_from
from harness.needs import Need, says
from harness.offline import is_local, is_offline
from harness.types import Ask, Failure, FailureKind, Media, Unusable, Usage, Verdict
from tasks.judges.replies import Reply, reply
from tasks.judges.settings import Settings, settings

if TYPE_CHECKING:
    from openai import OpenAI

REQUEST = 1
"""Raised when a request is put together in another way: what was judged before is then judged anew."""
UNUSABLE = 3
"""Replies to one ask that cannot be used, before it is kept that there is none."""
SILENT = 16
"""Asks in a row that got no reply in all their tries, before the endpoint is given up for this pass."""
FOR_ALL = {
    401: "OPENAI_API_KEY is not taken there",
    403: "OPENAI_API_KEY may not use this model",
    404: "no such model there: --judge llm:MODEL names another, OPENAI_BASE_URL another endpoint",
}
"""Refusals of the key or the model, which the next ask would meet again, and what is to be mended."""

Said = Verdict | Unusable | Failure


class Llm:
    """Asks `Settings.concurrency` things side by side; used by one thread."""

    name, roles = "llm", ("llm",)
    over_network = True

    def __init__(self, chosen: Settings) -> None:
        self._settings = chosen
        self._client: OpenAI | None = None
        self._over: Failure | None = None
        """Why nothing more is asked."""
        self._silent = 0

    def fingerprint(self) -> Mapping[str, Any]:
        return {"endpoint": self._settings.place.url, "model": self._settings.model, "request": REQUEST}

    def open(self) -> None:
        self._client = self._settings.place.client(self._settings.timeout_s)

    def close(self) -> None:
        if self._client is not None:
            self._client.close()

    def judge(self, asks: Sequence[Ask]) -> Iterator[tuple[int, Said]]:
        """Yields each as it comes. The threads hold up nobody: whoever stops here waits for none of them."""
        waiting, done = deque(enumerate(asks)), SimpleQueue[tuple[int, Said]]()

        def work() -> None:
            while True:
                try:
                    index, ask = waiting.popleft()
                except IndexError:
                    return
                done.put((index, self._said(ask)))

        try:
            for _ in range(min(self._settings.concurrency, len(asks))):
                Thread(target=work, daemon=True).start()
            for _ in asks:
                yield done.get()
        finally:
            waiting.clear()

    def _said(self, ask: Ask) -> Said:
        if self._over is not None:
            return self._over
        try:
            return self._tried(ask)
        except Exception as error:
            return self._failure("permanent", failure_from(error, "judge").message)

    def _tried(self, ask: Ask) -> Said:
        usage, known, unusable, wait, trouble = Usage(), True, 0, 0.0, ""
        for attempt in range(TRIES):
            if attempt:
                sleep(wait)
            wait = patience(attempt, None, 0.0)
            try:
                found = self._request(ask)
            except Exception as error:
                met = trouble_of(error, self._settings.timeout_s)
                if met is None:
                    raise
                trouble = met.message
                if not met.passing and met.status is not None:
                    return self._refusal(met.status, trouble)
                wait = patience(attempt, met.retry_after, time.time())
            else:
                self._silent = 0
                known = known and found.usage is not None
                usage = _sum(usage, found.usage or Usage())
                cost = self._cost(usage) if known else None
                if not found.fault:
                    return Verdict(self._settings.place.answer(found.text), usage, cost)
                unusable, trouble = unusable + 1, found.fault
                if unusable == UNUSABLE:
                    return Unusable(f"{found.fault}, {UNUSABLE} times", usage, cost)
        return self._silence(trouble)

    def _request(self, ask: Ask) -> Reply:
        assert self._client is not None, "the judge is not open"
        if isinstance(ask.content, Media):
            raise ValueError(f"the judge llm reads text; it was asked about a {ask.content.kind}")
        text = ask.content.encode("utf-8", "replace").decode()  # half a surrogate cannot be sent
        sent = self._client.chat.completions.with_raw_response.create(
            model=self._settings.model,
            messages=[{"role": "user", "content": text}],
            temperature=float(dict(ask.settings).get("temperature", "0")),
        )
        return reply(sent.content)

    def _cost(self, usage: Usage) -> float | None:
        if self._settings.prices is None:
            return None
        read, written = self._settings.prices
        return (usage.prompt_tokens * read + usage.new_tokens * written) / 1e6

    def _refusal(self, status: int, trouble: str) -> Failure:
        remedy = FOR_ALL.get(status)
        failure = self._failure("permanent", f"{remedy} ({trouble})" if remedy else trouble)
        if status in FOR_ALL or status in PASSING:  # no money left is told as "too many requests"
            self._over = failure
        return failure

    def _silence(self, trouble: str) -> Failure:
        failure = self._failure("transient", f"{trouble} ({TRIES} tries)")
        self._silent += 1
        if self._silent >= SILENT:
            self._over = failure
        return failure

    def _failure(self, kind: FailureKind, message: str) -> Failure:
        told = self._settings.place.scrubbed(message)[:500]
        return Failure("judge", kind, f"{self._settings.model} at {self._settings.place.url}: {told}")


def _needs(options: JudgeOptions) -> list[Need]:
    def lacks(_: Path) -> str:
        try:
            settings(options.weights, os.environ)
        except UsageError as error:
            return " ".join(str(error).split())
        return ""

    return [Need("judge", "nowhere", "an endpoint of a language model", lacks=lacks, remedy="see docs/judges.md")]


@says(_needs)
def llm(options: JudgeOptions) -> Llm:
    """`--judge llm:MODEL`. Raises UsageError where the model, the key or a setting is missing or wrong."""
    chosen = settings(options.weights, os.environ)
    if is_offline() and not is_local(urlsplit(chosen.place.url).hostname):
        raise UsageError(f"the judge llm asks {chosen.place.url}, and the network is switched off (--offline)")
    return Llm(chosen)


def _sum(one: Usage, other: Usage) -> Usage:
    return Usage(one.prompt_tokens + other.prompt_tokens, one.new_tokens + other.new_tokens)
