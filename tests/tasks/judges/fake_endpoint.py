"""An endpoint of chat completions on this machine that sends what a test tells it to, faults included."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
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


@dataclass(frozen=True)
class Asked:
    """A request as it came."""

    path: str
    key: str
    body: dict[str, Any]

    @property
    def prompt(self) -> str:
        return str(self.body["messages"][0]["content"])


def says(text: str | None, reason: str = "stop", **more: object) -> Sends:
    """A chat completion of 100 tokens in and 10 out."""
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": reason}
    usage = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}
    return Sends(json.dumps({"object": "chat.completion", "choices": [choice], "usage": usage, **more}).encode())


def refuses(status: int, message: str, **headers: str) -> Sends:
    return Sends(json.dumps({"error": {"message": message}}).encode(), status, headers)


@dataclass
class Endpoint:
    """`answer` makes the response to a request; `asked` are all that came."""

    url: str
    answer: Callable[[Asked], Sends]
    asked: list[Asked] = field(default_factory=list)
    over: Event = field(default_factory=Event)
    lock: Lock = field(default_factory=Lock)

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
        self.send_response(sends.status)
        headers = {"Content-Type": "application/json", "Content-Length": str(len(sends.body)), **sends.headers}
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(sends.body[: sends.cut])

    def log_message(self, format: str, *args: object) -> None: ...


@contextmanager
def endpoint() -> Iterator[Endpoint]:
    """Serves until the end of the block; says "yes" unless it is told otherwise."""
    handler = type("Handler", (_Handler,), {})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    opened = Endpoint(f"http://127.0.0.1:{server.server_address[1]}/v1", lambda asked: says("yes"))
    handler.endpoint = opened
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield opened
    finally:
        opened.over.set()
        server.shutdown()
        server.server_close()
