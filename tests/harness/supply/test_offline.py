"""`--offline`: no connection is tried by us, and none gets through."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.patience import PATIENCE_S

GUARD = """
import socket, sys
tried = []
def refuse(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"):
        tried.append((event, arguments))
        raise AssertionError(f"a socket: {event} {arguments}")
sys.addaudithook(refuse)
"""


def python(script: str, home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    keep = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "HARNESS_", "OPENAI_"))}
    environment = {**keep, "HF_HOME": str(home), "HARNESS_CACHE": str(home / "own"), "HOME": str(home)}
    command = [sys.executable, "-c", script, *arguments]
    return subprocess.run(command, env=environment, text=True, capture_output=True, timeout=PATIENCE_S)


CALL = "from harness.cli import main; main()"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("run", "--model", "echo", "--tasks", "mme"), "the hub is switched off"),
        (("run", "--model", "echo", "--tasks", "mmbench_en"), "the network is switched off"),
        (("ask", "--model", "vita15", "--text", "hi"), "are not in the hub's cache"),
        (("run", "--model", "echo", "--tasks", "seedtts_en", "--judge", "whisper"), "not in"),
        (("prefetch", "--tasks", "mme,mmbench_en", "--judge", "whisper"), "is not there"),
        (("doctor",), "the network is switched off"),
    ],
)
def test_no_command_tries_a_connection(arguments: tuple[str, ...], said: str, tmp_path: Path) -> None:
    done = python(GUARD + CALL + "\n", tmp_path, *arguments, "--offline")
    assert "a socket" not in done.stderr
    assert said in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert done.returncode == {"run": 2, "ask": 2, "prefetch": 4, "doctor": 0}[arguments[0]]


def test_a_run_in_the_mini_world_needs_no_network(tmp_path: Path) -> None:
    out = str(tmp_path / "run")
    arguments = ("run", "--model", "echo", "--tasks", "mme", "--data", "mini", "--limit", "2", "--out", out)
    done = python(GUARD + CALL, tmp_path, *arguments, "--offline")
    assert (done.returncode, "a socket" in done.stderr) == (0, False), done.stderr


@pytest.mark.parametrize("how", ["flag", "variable"])
def test_the_connections_of_libraries_are_refused(how: str, tmp_path: Path) -> None:
    script = """
import os, socket, sys
from harness import cli, offline
if sys.argv.pop(1) == "flag":
    sys.argv = ["harness", "run", "--offline", "--model", "echo", "--tasks", "latency_fixed", "--dry-run"]
else:
    os.environ["HARNESS_OFFLINE"] = "1"
    sys.argv = ["harness", "list", "tasks"]
try:
    cli.main()
except SystemExit as end:
    assert not end.code, end.code
for ask in (
    lambda: socket.create_connection(("192.0.2.1", 80), 0.1),
    lambda: socket.getaddrinfo("huggingface.co", 443),
    lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"", ("192.0.2.1", 53)),
    lambda: socket.gethostbyname("huggingface.co"),
):
    try:
        ask()
    except offline.Refused as error:
        assert "network is switched off" in str(error)
    else:
        raise SystemExit("a connection got through")
server = socket.create_server(("127.0.0.1", 0))
socket.create_connection(server.getsockname(), 1).close()
from huggingface_hub import constants
assert constants.HF_HUB_OFFLINE
"""
    done = python(script, tmp_path, how)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_language_model_elsewhere_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    from harness.contracts import JudgeOptions
    from harness.failures import UsageError
    from tasks.judges.llm import llm

    monkeypatch.setenv("HARNESS_OFFLINE", "1")
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://localhost:8000/v1")
    assert llm(JudgeOptions("m")).name == "llm"
    monkeypatch.setenv("OPENAI_BASE_URL", "https://judge.example/v1")
    with pytest.raises(UsageError, match="switched off"):
        llm(JudgeOptions("m"))
