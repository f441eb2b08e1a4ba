"""A hub on this machine: the endpoints that downloads need, for repositories that are folders."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

from tests.patience import PATIENCE_S

COMMIT = "c0ffee" * 6 + "abcd"
LARGE = 1000
"""Files of so many bytes are known by their SHA-256, as those of LFS are; smaller ones by git's sum."""


@dataclass
class Hub:
    """`files` by "models/owner/name" and path. `asked` are the requests; after `stall` bytes of a file it falls silent
    until `go`."""

    files: Mapping[str, Mapping[str, bytes]]
    asked: list[tuple[str, str]] = field(default_factory=list)
    address: str = ""
    stall: int | None = None
    stalled: threading.Event = field(default_factory=threading.Event)
    go: threading.Event = field(default_factory=threading.Event)
    damage: set[str] = field(default_factory=set)
    ranges: bool = True

    def fetched(self) -> list[str]:
        return [path.rpartition("/")[2] for path, _ in self.asked if "/resolve/" in path]


def listed(path: str, content: bytes) -> dict[str, Any]:
    entry: dict[str, Any] = {"type": "file", "path": path, "size": len(content)}
    entry["oid"] = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
    if len(content) >= LARGE:
        entry["lfs"] = {"oid": hashlib.sha256(content).hexdigest(), "size": len(content), "pointerSize": 134}
    return entry


@contextmanager
def serving(hub: Hub) -> Iterator[Hub]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None: ...

        def do_HEAD(self) -> None:
            self.answer(200, b"")

        def do_GET(self) -> None:
            path = unquote(urlsplit(self.path).path)
            hub.asked.append((path, self.headers.get("Range", "")))
            if match := re.fullmatch(r"/api/(models|datasets)/([^/]+/[^/]+)/revision/([^/]+)", path):
                kind, id, revision = match.groups()
                commit = revision if re.fullmatch("[0-9a-f]{40}", revision) else COMMIT
                if f"{kind}/{id}" in hub.files:
                    return self.answer(200, json.dumps({"id": id, "sha": commit, "siblings": []}).encode())
            elif match := re.fullmatch(r"/api/(models|datasets)/([^/]+/[^/]+)/tree/([^/]+)", path):
                kind, id, _ = match.groups()
                files = hub.files[f"{kind}/{id}"]
                return self.answer(200, json.dumps([listed(name, files[name]) for name in files]).encode())
            elif match := re.fullmatch(r"/(datasets/)?([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path):
                kind, id, _, name = match.groups()
                return self.file(name, hub.files[f"{'datasets' if kind else 'models'}/{id}"][name])
            elif path in hub.files.get("", {}):
                return self.file(path, hub.files[""][path])
            return self.answer(404, b"{}")

        def file(self, name: str, content: bytes) -> None:
            if name in hub.damage:
                content = bytes([content[0] ^ 1]) + content[1:]
            first = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", "")) if hub.ranges else None
            start = int(first[1]) if first else 0
            self.send_response(206 if first else 200)
            self.send_header("Content-Length", str(len(content) - start))
            self.end_headers()
            if hub.stall is not None and len(content) > hub.stall and not hub.go.is_set():
                self.wfile.write(content[start : hub.stall])
                self.wfile.flush()
                hub.stalled.set()
                hub.go.wait(PATIENCE_S)
                self.close_connection = True
                return
            self.wfile.write(content[start:])

        def answer(self, status: int, content: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    hub.address = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield hub
    finally:
        hub.go.set()
        server.shutdown()
        thread.join()
        server.server_close()
