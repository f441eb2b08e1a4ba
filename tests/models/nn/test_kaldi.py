"""Kaldi's filter banks: shape, floor, tone, dither, and an independent implementation of them."""

import math

import kaldi_native_fbank as knf
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.nn.kaldi import FRAME_LENGTH, MEL_FLOOR, SAMPLE_RATE, Window, fbank, num_fbank_frames


@settings(max_examples=30)
@given(st.integers(0, 3000))
def test_fbank_has_the_announced_number_of_finite_frames(samples: int) -> None:
    features = fbank(torch.randn(samples, generator=torch.Generator().manual_seed(samples)) * 0.1)
    assert features.shape == (num_fbank_frames(samples), 80)
    assert features.dtype == torch.float32
    assert features.isfinite().all()


def test_fbank_of_silence_is_the_floor() -> None:
    assert fbank(torch.zeros(1000)).unique().tolist() == pytest.approx([math.log(MEL_FLOOR)])


@pytest.mark.parametrize("window", ["povey", "hamming"])
@settings(max_examples=10, deadline=None)
@given(samples=st.integers(400, 8000), seed=st.integers(0, 2**31), loudness=st.sampled_from([0.001, 0.1, 1.0]))
def test_fbank_agrees_with_an_independent_implementation(
    window: Window, samples: int, seed: int, loudness: float
) -> None:
    options = knf.FbankOptions()
    options.mel_opts.num_bins = 80
    options.frame_opts.dither = 0.0
    options.frame_opts.samp_freq = SAMPLE_RATE
    options.frame_opts.window_type = window
    waveform = torch.randn(samples, generator=torch.Generator().manual_seed(seed)) * loudness
    computer = knf.OnlineFbank(options)
    computer.accept_waveform(SAMPLE_RATE, (waveform * 32768).tolist())
    computer.input_finished()
    expected = np.stack([computer.get_frame(i) for i in range(computer.num_frames_ready)])
    np.testing.assert_allclose(fbank(waveform, window=window).numpy(), expected, atol=2e-3)


def test_fbank_peaks_in_the_bin_of_a_tone() -> None:
    tone = torch.sin(2 * math.pi * 1000 * torch.arange(8000, dtype=torch.float64) / SAMPLE_RATE).float()
    peak = int(fbank(tone).mean(0).argmax())
    low, high = (1127 * math.log(1 + hz / 700) for hz in (20, 8000))
    bin_of_tone = (1127 * math.log(1 + 1000 / 700) - low) / (high - low) * 81 - 1
    assert abs(peak - bin_of_tone) <= 1


def test_dither_is_reproducible_noise() -> None:
    silence = torch.zeros(4000)
    noisy = [fbank(silence, dither=1.0, generator=torch.Generator().manual_seed(seed)) for seed in (0, 0, 1)]
    assert torch.equal(noisy[0], noisy[1])
    assert not torch.equal(noisy[0], noisy[2])
    assert (noisy[0] > math.log(MEL_FLOOR)).all()


def test_only_one_channel_is_taken() -> None:
    with pytest.raises(ValueError, match=r"shape \(2, 400\): expected one channel"):
        fbank(torch.zeros(2, FRAME_LENGTH))
