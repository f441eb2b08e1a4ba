"""A plug-in that is installed for a test, and the command line."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from harness import cli, registry
from tests.harness.plugin import TOYS, write_plugin

Install = Callable[[Mapping[str, Mapping[str, str]]], None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Install a distribution: group -> name -> address. It is gone after the test."""

    def put(entries: Mapping[str, Mapping[str, str]]) -> None:
        folder = write_plugin(tmp_path / "plugins", entries)
        monkeypatch.syspath_prepend(str(folder))
        registry._addresses.cache_clear()

    yield put
    registry._addresses.cache_clear()


@pytest.fixture
def toys(install: Install) -> None:
    """The toy tasks, model and judge, known by name."""
    install(TOYS)


class Called(NamedTuple):
    code: int
    out: str
    err: str


Call = Callable[..., Called]


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """The command line, called with arguments."""

    def run(*arguments: str | Path) -> Called:
        monkeypatch.setattr(sys, "argv", ["harness", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            cli.main()
        code = end.value.code if isinstance(end.value.code, int) else int(bool(end.value.code))
        return Called(code, *capsys.readouterr())

    return run
