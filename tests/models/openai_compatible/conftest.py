"""An endpoint on this machine as a model; nobody waits long."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.contracts import ModelOptions
from harness.registry import get_model
from models.openai_compatible.adapter import Endpoint as Remote
from tests.fake_endpoint import KEY, Asked, Endpoint, Sends, endpoint, streams

Opens = Callable[..., Remote]


@pytest.fixture
def waited(monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """What `Retry-After` said before each wait, which is one of milliseconds."""
    said: list[str | None] = []

    def patience(attempt: int, retry_after: str | None, now: float) -> float:
        said.append(retry_after)
        return 0.002

    monkeypatch.setattr("models.openai_compatible.asking.patience", patience)
    monkeypatch.setattr("models.openai_compatible.served.patience", patience)
    return said


def parrot(asked: Asked) -> Sends:
    """Says what it was asked, in two pieces."""
    return streams("you said ", f"{asked.last} ({len(str(asked.body['messages']))})")


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, waited: list[str | None]) -> Iterator[Endpoint]:
    with endpoint() as opened:
        monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
        monkeypatch.setenv("OPENAI_API_KEY", KEY)
        monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
        opened.answer = parrot
        yield opened


@pytest.fixture
def opens(fake: Endpoint) -> Iterator[Opens]:
    made: list[Remote] = []

    def opened(**own: str) -> Remote:
        model = get_model("openai:fake")(ModelOptions(own={"base_url": fake.url, "timeout": "20"} | own))
        assert isinstance(model, Remote)
        model.open()
        made.append(model)
        return model

    yield opened
    for model in made:
        model.close()


@pytest.fixture
def model(opens: Opens) -> Remote:
    """The model of the contract's tests."""
    return opens()
