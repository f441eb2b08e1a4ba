"""Tables that are fetched by address: once, checked, and told where they cannot be had."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tasks.readers.download import Download
from tasks.readers.hub import DataSetError
from tests.tasks.archives_vision import ai2d


@pytest.fixture
def content(tmp_path: Path) -> bytes:
    ai2d(tmp_path)
    return (tmp_path / "AI2D_TEST.tsv").read_bytes()


@pytest.fixture
def address(content: bytes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[tuple[str, list[str]]]:
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(404 if "nonesuch" in self.path else 200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content[: len(content) // 2] if "short" in self.path else content)

        def log_message(self, *_: object) -> None: ...

    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()


def download(url: str, content: bytes) -> Download:
    md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
    return Download(url, md5)


def test_a_table_is_fetched_once(address: tuple[str, list[str]], content: bytes) -> None:
    table = download(f"{address[0]}/a.tsv", content)
    assert len(list(table.rows())) == len(list(table.rows())) == 4
    assert address[1] == ["/a.tsv"] and table.path.is_file()


@pytest.mark.parametrize(("name", "told"), [("nonesuch.tsv", "cannot be fetched"), ("short.tsv", "fetched|MD5")])
def test_what_cannot_be_had_is_told_and_not_kept(
    name: str, told: str, address: tuple[str, list[str]], content: bytes
) -> None:
    table = download(f"{address[0]}/{name}", content)
    with pytest.raises(DataSetError, match=told):
        table.rows()
    assert not list(table.path.parent.iterdir())


def test_a_replaced_table_is_refused(address: tuple[str, list[str]]) -> None:
    with pytest.raises(DataSetError, match="it was replaced, or came damaged"):
        download(f"{address[0]}/a.tsv", b"another").rows()


def test_a_kept_table_that_is_another_is_refused(address: tuple[str, list[str]], content: bytes) -> None:
    table = download(f"{address[0]}/a.tsv", content)
    assert len(list(table.rows())) == 4
    table.path.write_bytes(content + b" ")
    with pytest.raises(DataSetError, match=f"has the MD5 .*, not {table.md5}: delete it"):
        table.rows()
