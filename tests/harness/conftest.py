"""A plug-in as another package brings it: an installed distribution with entry points."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from harness import cli, registry

Install = Callable[[Mapping[str, Mapping[str, str]]], None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Install a distribution: group -> name -> address. It is gone after the test."""

    def put(entries: Mapping[str, Mapping[str, str]]) -> None:
        info = tmp_path / "plugins" / "omni_plugin-1.dist-info"
        info.mkdir(parents=True, exist_ok=True)
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: omni-plugin\nVersion: 1\n")
        lines = [
            line
            for group, names in entries.items()
            for line in (f"[harness.{group}]", *(f"{name} = {address}" for name, address in names.items()), "")
        ]
        (info / "entry_points.txt").write_text("\n".join(lines))
        monkeypatch.syspath_prepend(str(tmp_path / "plugins"))
        registry._addresses.cache_clear()

    yield put
    registry._addresses.cache_clear()


@pytest.fixture
def toys(install: Install) -> None:
    """The toy task and model, known by name."""
    toy = "tests.harness.toy"
    install(
        {"tasks": {"toy": f"{toy}:TASK", "toy_broken": f"{toy}:BROKEN"}, "models": {"toy-model": f"{toy}:ToyModel"}}
    )


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
