"""One training at the tiny size, every stage in its order, for all tests of this folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.training.recipes import STAGES
from models.training.vita15 import Training


@pytest.fixture(scope="session")
def training(tmp_path_factory: pytest.TempPathFactory) -> Training:
    done = Training("tiny", 0, tmp_path_factory.mktemp("training"))
    for stage in STAGES.values():
        done.run(stage)
    return done


@pytest.fixture(scope="session")
def out(training: Training) -> Path:
    return training.out
