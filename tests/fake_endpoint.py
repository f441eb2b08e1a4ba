"""An endpoint of chat completions on this machine that sends what a test tells it to, faults included."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from time import sleep
from typing import Any

KEY = "sk-a-secret-of-the-test"


@dataclass(frozen=True)
class Sends:
    """A response; of its body only the first `cut` bytes arrive, and `hangs` sends nothing before the test ends."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: int | None = None
    hangs: bool = False
    events: tuple[bytes, ...] = ()
    """Sent instead of the body, one after the other, `beat_s` seconds apart."""
    beat_s: float = 0.0


@dataclass(frozen=True)
class Asked:
    """A request as it came."""

    path: str
    key: str
    body: dict[str, Any]

    @property
    def last(self) -> str:
        """The text of the last turn."""
        content = self.body["messages"][-1]["content"]
        texts = [content] if isinstance(content, str) else [part["text"] for part in content if "text" in part]
        return " ".join(texts)

    @property
    def prompt(self) -> str:
        return str(self.body["messages"][0]["content"])


def says(text: str | None, reason: str = "stop", **more: object) -> Sends:
    """A chat completion of 100 tokens in and 10 out."""
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": reason}
    usage = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}
    return Sends(json.dumps({"object": "chat.completion", "choices": [choice], "usage": usage, **more}).encode())


def streams(*texts: str, reason: str | None = "stop", usage: bool = True, beat_s: float = 0.0, **more: object) -> Sends:
    """The same as events, a text each; `more` are further fields of the first delta. Without a reason it is torn."""
    deltas: list[dict[str, object]] = [{"content": text} for text in texts] or [{}]
    deltas[0] |= more
    chunks: list[dict[str, object]] = [{"choices": [{"index": 0, "delta": delta}]} for delta in deltas]
    if reason is not None:
        chunks.append({"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]})
        if usage:
            chunks.append({"choices": [], "usage": {"prompt_tokens": 100, "completion_tokens": 10}})
    events = [b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in chunks]
    events += [b"data: [DONE]\n\n"] if reason is not None else []
    return Sends(events=tuple(events), headers={"Content-Type": "text/event-stream"}, beat_s=beat_s)


def refuses(status: int, message: str, **headers: str) -> Sends:
    return Sends(json.dumps({"error": {"message": message}}).encode(), status, headers)


def lists(*names: str) -> Sends:
    """The models that are served."""
    return Sends(json.dumps({"object": "list", "data": [{"id": name, "owned_by": "test"} for name in names]}).encode())


@dataclass
class Endpoint:
    """`answer` makes the response to a request; `asked` are all that came."""

    url: str
    answer: Callable[[Asked], Sends]
    asked: list[Asked] = field(default_factory=list)
    over: Event = field(default_factory=Event)
    lock: Lock = field(default_factory=Lock)
    models: Sends = field(default_factory=lambda: lists("fake"))
    stop: Callable[[], None] = lambda: None

    def die(self) -> None:
        """Take no connection any more."""
        Thread(target=self.stop, daemon=True).start()

    @property
    def port(self) -> int:
        return int(self.url.split(":")[2].split("/")[0])

    def script(self, *responses: Sends) -> None:
        """Send these one after the other, the last one for ever."""
        left = list(responses)

        def answer(asked: Asked) -> Sends:
            with self.lock:
                return left.pop(0) if len(left) > 1 else left[0]

        self.answer = answer


class _Handler(BaseHTTPRequestHandler):
    endpoint: Endpoint

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        asked = Asked(self.path, self.headers.get("Authorization", ""), json.loads(content))
        with self.endpoint.lock:
            self.endpoint.asked.append(asked)
        sends = self.endpoint.answer(asked)
        if sends.hangs:
            self.endpoint.over.wait()
            return
        self._send(sends)

    def do_GET(self) -> None:
        self._send(self.endpoint.models)

    def _send(self, sends: Sends) -> None:
        self.send_response(sends.status)
        headers = {"Content-Type": "application/json", **sends.headers}
        if not sends.events:
            headers = {"Content-Length": str(len(sends.body)), **headers}
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(sends.body[: sends.cut])
        with suppress(OSError):  # whoever asked may be gone
            for event in sends.events:
                self.wfile.write(event)
                self.wfile.flush()
                sleep(sends.beat_s)

    def log_message(self, format: str, *args: object) -> None: ...


@contextmanager
def endpoint(port: int = 0) -> Iterator[Endpoint]:
    """Serves until the end of the block; says "yes" unless it is told otherwise."""
    handler = type("Handler", (_Handler,), {})
    server = ThreadingHTTPServer(("127.0.0.1", port), handler)
    server.daemon_threads = True
    opened = Endpoint(f"http://127.0.0.1:{server.server_address[1]}/v1", lambda asked: says("yes"))
    handler.endpoint = opened

    def stop() -> None:
        server.shutdown()
        server.server_close()

    opened.stop = stop
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield opened
    finally:
        opened.over.set()
        stop()
