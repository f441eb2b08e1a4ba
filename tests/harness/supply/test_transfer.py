"""One file over HTTP, from a server that refuses, fails for a while, or has nothing behind what came."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from harness.supply import transfer
from harness.supply.transfer import TRIES, Sum, TransferError, fetch

CONTENT = bytes(range(256)) * 20
KNOWN = Sum("sha256", hashlib.sha256(CONTENT).hexdigest())


class Server:
    """Answers with these statuses first, then with the content; `asked` are the ranges that were asked for."""

    def __init__(self) -> None:
        self.statuses: list[int] = []
        self.asked: list[str] = []
        self.url = ""


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None: ...

        def do_GET(self) -> None:
            wanted = self.headers.get("Range", "")
            made.asked.append(wanted)
            start = int(wanted.removeprefix("bytes=").rstrip("-") or 0)
            status = made.statuses.pop(0) if made.statuses else 206 if start else 200
            if start >= len(CONTENT):
                status = 416
            body = CONTENT[start:] if status in (200, 206) else b"no"
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=running.serve_forever, daemon=True).start()
    made.url = f"http://127.0.0.1:{running.server_port}/table.bin"
    yield made
    running.shutdown()
    running.server_close()


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    found: list[float] = []
    monkeypatch.setattr(transfer.time, "sleep", found.append)
    return found


def get(server: Server, folder: Path, size: int | None = len(CONTENT)) -> bytes:
    fetch(server.url, folder / "table.bin", KNOWN, size, None, lambda count: None)
    return (folder / "table.bin").read_bytes()


@pytest.mark.parametrize(("status", "said"), [(404, "Not Found"), (401, "set HF_TOKEN"), (403, "Accept its terms")])
def test_a_refusal_is_told_at_once_with_its_remedy(server: Server, tmp_path: Path, status: int, said: str) -> None:
    server.statuses = [status]
    with pytest.raises(TransferError, match=f"is refused: .*{said}"):
        get(server, tmp_path)
    assert len(server.asked) == 1


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_what_may_pass_is_tried_again_after_a_while(
    server: Server, tmp_path: Path, pauses: list[float], status: int
) -> None:
    server.statuses = [status, status]
    assert get(server, tmp_path) == CONTENT
    assert len(server.asked) == 3 and pauses == [1.0, 2.0]


def test_what_does_not_pass_ends_with_the_address(server: Server, tmp_path: Path) -> None:
    server.statuses = [503] * TRIES
    with pytest.raises(TransferError, match=r"table\.bin cannot be fetched: HTTP Error 503"):
        get(server, tmp_path)
    assert len(server.asked) == TRIES


@pytest.mark.parametrize("size", [None, len(CONTENT)])
def test_a_part_that_is_all_of_the_file_is_taken(server: Server, tmp_path: Path, size: int | None) -> None:
    (tmp_path / "table.bin.part").write_bytes(CONTENT)
    assert get(server, tmp_path, size) == CONTENT


@pytest.mark.parametrize("left", [b"x" * len(CONTENT), b"x" * (len(CONTENT) + 9), b"x" * 9])
@pytest.mark.parametrize("size", [None, len(CONTENT)])
def test_a_part_of_another_file_is_begun_anew(server: Server, tmp_path: Path, size: int | None, left: bytes) -> None:
    (tmp_path / "table.bin.part").write_bytes(left)
    assert get(server, tmp_path, size) == CONTENT
    assert server.asked[-1] == ""
