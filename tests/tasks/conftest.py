"""Small archives of every benchmark: one set to read, and copies to spoil."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.tasks import archives, archives_speech


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return archives.every_archive(tmp_path_factory.mktemp("data"))


@pytest.fixture
def copy(data: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(data, tmp_path / "copy"))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with the archives of generated speech, translation and spoken questions, to spoil."""
    return archives_speech.every_speech_archive(tmp_path / "data")
