"""The speech of the mini world cannot be made again without its synthesiser: its absence fails, it never skips."""

import shutil

import pytest


@pytest.fixture
def need_espeak() -> None:
    if shutil.which("espeak-ng") is None:
        pytest.fail("espeak-ng is not installed; this test makes speech with it: apt-get install espeak-ng")
