"""The models that the tests of the contract are run with."""

from __future__ import annotations

import pytest

from harness.contracts import Model
from tests.models.contract import DECODING, NAMES, SPEAKING, model_of


@pytest.fixture(params=NAMES)
def model(request: pytest.FixtureRequest) -> Model:
    return model_of(request.param)


@pytest.fixture(params=DECODING)
def decoding(request: pytest.FixtureRequest) -> Model:
    return model_of(request.param)


@pytest.fixture(params=SPEAKING)
def speaking(request: pytest.FixtureRequest) -> Model:
    return model_of(request.param)
