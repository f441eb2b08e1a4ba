"""Mel spectra as a loss: sizes are those of sine waves, level differences are read off, phase is not asked for."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from models.training.speech_out.spectra import FLOOR, SCALES, Scale, log_mel, mel_loss

RATE = 24_000


def sine(hertz: float, amplitude: float, phase: float = 0.0) -> Tensor:
    return amplitude * torch.sin(2 * math.pi * hertz * torch.arange(6000) / RATE + phase)[None]


def noise(seed: int, amplitude: float = 0.2) -> Tensor:
    return amplitude * torch.randn(1, 6000, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("scale", SCALES)
def test_a_sine_wave_is_as_large_as_its_amplitude(scale: Scale):
    found = log_mel(sine(1000, 0.25), RATE, scale)[0, :, 4:-4].exp()  # [mels, frames]
    assert found.shape[0] == scale.mels
    assert 0.5 < float(found.amax(0).mean()) / 0.25 < 1.5  # it lies across some bins, or between two bands
    assert log_mel(sine(1000, 0.5), RATE, scale)[0, :, 4:-4].exp().amax(0).allclose(2 * found.amax(0), rtol=0.01)


@pytest.mark.parametrize("scale", SCALES)
def test_silence_is_the_floor(scale: Scale):
    assert log_mel(torch.zeros(1, 6000), RATE, scale).allclose(torch.tensor(math.log(FLOOR)), atol=0.2)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1000), st.floats(0.3, 3.0))
def test_a_level_difference_is_its_logarithm(seed: int, factor: float):
    assert float(mel_loss(factor * noise(seed), noise(seed), RATE)) == pytest.approx(abs(math.log(factor)), abs=0.03)


def test_the_same_is_nothing_and_phase_is_little_beside_another_sound():
    wave = sine(500, 0.3)
    assert float(mel_loss(wave, wave, RATE)) == 0
    shifted, other = mel_loss(sine(500, 0.3, phase=2.0), wave, RATE), mel_loss(sine(1500, 0.3), wave, RATE)
    assert float(shifted) < 0.25 * float(other)


def test_it_is_computed_in_full_precision_under_autocast():
    plain = mel_loss(noise(1), noise(2), RATE)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(mel_loss(noise(1), noise(2), RATE), plain)


def test_its_gradient_leads_from_one_sound_to_another():
    wave, goal = noise(1).requires_grad_(), noise(2)
    before = mel_loss(wave, goal, RATE)
    (gradient,) = torch.autograd.grad(before, wave)
    with torch.no_grad():
        assert mel_loss(wave - 0.02 * gradient / gradient.abs().max(), goal, RATE) < before
