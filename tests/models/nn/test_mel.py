"""Filters on Slaney's mel scale."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.nn.mel import slaney_filters


@settings(deadline=None, max_examples=25)
@given(rate=st.sampled_from([8_000, 16_000, 24_000, 44_100]), mels=st.sampled_from([8, 40, 80]))
def test_each_filter_is_a_triangle_of_the_same_area(rate: int, mels: int) -> None:
    fft = 1 << 15  # fine enough to tell areas
    filters = slaney_filters(rate, fft, mels)
    assert filters.shape == (mels, fft // 2 + 1) and not (filters < 0).any()
    torch.testing.assert_close(filters.sum(1) * rate / fft, torch.ones(mels, dtype=torch.float64), rtol=0, atol=1e-3)
    peaks = filters.argmax(1)
    assert (peaks.diff() > 0).all()


def test_the_scale_is_linear_to_1_khz_and_even_in_octaves_above() -> None:
    rate, fft = 44_100, 1 << 16
    centres = slaney_filters(rate, fft, 160).argmax(1) * rate / fft
    low, high = centres[centres < 950], centres[centres > 1050]
    assert low.diff().tolist() == pytest.approx([float(low[0])] * (len(low) - 1), abs=1.4)
    ratios = high[1:] / high[:-1]
    assert ratios.tolist() == pytest.approx([float(ratios.mean())] * len(ratios), abs=2e-3)
