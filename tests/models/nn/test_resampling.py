"""Resampling: tones that stay, tones that go, lengths and refusals."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.nn.kaldi import SAMPLE_RATE
from models.nn.resampling import resample


def tone(hz: float, rate: int, seconds: float = 0.5) -> torch.Tensor:
    return torch.sin(2 * math.pi * hz * torch.arange(int(rate * seconds), dtype=torch.float64) / rate).float()


@pytest.mark.parametrize("rate", [8000, 11025, 22050, 24000, 44100, 44101, 48000])
def test_resampling_keeps_a_tone(rate: int) -> None:
    got, expected = resample(tone(440, rate), rate), tone(440, SAMPLE_RATE)
    length = min(len(got), len(expected))
    assert abs(len(got) - len(expected)) <= 1
    inner = slice(200, length - 200)  # the ends see zeros beyond the clip
    torch.testing.assert_close(got[inner], expected[inner], atol=5e-3, rtol=0)


def test_resampling_removes_what_the_target_cannot_hold() -> None:
    assert resample(tone(12_000, 48_000), 48_000)[200:-200].abs().max() < 0.02


@settings(max_examples=30)
@given(st.integers(0, 500), st.integers(1, 100_000))
def test_resampled_length_is_rounded_up(samples: int, rate: int) -> None:
    got = resample(torch.ones(samples), rate, target_rate=1000)
    assert len(got) == -(-samples * 1000 // rate)
    assert got.isfinite().all()


def test_resampling_in_steps_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    waveform = torch.randn(3000, generator=torch.Generator().manual_seed(0))
    whole = resample(waveform, 44_100)
    monkeypatch.setattr("models.nn.resampling._CELLS_PER_STEP", 1000)
    torch.testing.assert_close(resample(waveform, 44_100), whole)


@pytest.mark.parametrize("rate", [0, -8000, 10**9])
def test_absurd_rates_are_refused(rate: int) -> None:
    with pytest.raises(ValueError, match=str(rate)):
        resample(torch.zeros(10), rate)
