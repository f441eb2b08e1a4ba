"""A judge's endpoint on this machine, as the environment names it; nobody sleeps."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fake_endpoint import KEY, Endpoint, endpoint


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that would have been slept."""
    seconds: list[float] = []
    monkeypatch.setattr("tasks.judges.llm.sleep", seconds.append)
    return seconds


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, slept: list[float]) -> Iterator[Endpoint]:
    """The endpoint; the cache is the test's own."""
    with endpoint() as opened:
        monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
        monkeypatch.setenv("OPENAI_BASE_URL", opened.url)
        monkeypatch.setenv("OPENAI_API_KEY", KEY)
        for name in ("HARNESS_JUDGE_MODEL", "HARNESS_JUDGE_PRICES", "HARNESS_JUDGE_CONCURRENCY"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("HARNESS_JUDGE_TIMEOUT_S", "30")
        yield opened
