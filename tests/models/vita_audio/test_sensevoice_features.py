"""SenseVoice's front end: joined frames, lengths, statistics, dither."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from models.nn.kaldi import fbank, num_fbank_frames
from models.vita_audio.sensevoice_config import FrontEndConfig
from models.vita_audio.sensevoice_features import Cmvn, FrontEnd, join_frames, n_frames, n_tokens

PLAIN = FrontEnd(FrontEndConfig(), Cmvn.none(560))


def _noise(samples: int) -> Tensor:
    return 0.1 * torch.randn(samples, generator=torch.Generator().manual_seed(samples))


def test_frames_are_joined_around_every_sixth_with_the_ends_repeated() -> None:
    joined = join_frames(torch.arange(14.0)[:, None], stack=7, step=6)
    assert joined.tolist() == [[0, 0, 0, 0, 1, 2, 3], [3, 4, 5, 6, 7, 8, 9], [9, 10, 11, 12, 13, 13, 13]]


@given(st.integers(1, 60), st.integers(1, 9), st.integers(1, 9))
def test_joined_frames_are_a_window_on_the_padded_ones(length: int, stack: int, step: int) -> None:
    frames = [[float(place), -float(place)] for place in range(length)]
    padded = [frames[0]] * ((stack - 1) // 2) + frames + [frames[-1]] * (stack + step)
    joined = join_frames(torch.tensor(frames), stack, step)
    assert joined.tolist() == [sum(padded[at : at + stack], []) for at in range(0, length, step)]  # noqa: RUF017


@settings(max_examples=30, deadline=None)
@given(st.integers(400, 20_000))
def test_a_frame_stands_for_60_ms_rounded_up(samples: int) -> None:
    features = PLAIN(_noise(samples))
    assert features.shape == (-(-num_fbank_frames(samples) // 6), 560)
    assert features.dtype == torch.float32
    assert len(features) == n_frames(samples) == n_tokens(samples) - 4 == PLAIN.n_tokens(samples) - 4


@given(st.integers(-5, 399))
def test_less_than_one_window_is_refused(samples: int) -> None:
    with pytest.raises(ValueError, match="is shorter than 25 ms"):
        n_tokens(samples)
    with pytest.raises(ValueError, match="leave the clip out or pad it"):
        PLAIN(torch.zeros(max(0, samples)))


def test_several_channels_are_refused() -> None:
    with pytest.raises(ValueError, match="expected one channel"):
        PLAIN(torch.zeros(16_000, 2))


def test_one_window_is_one_frame_of_its_filter_bank() -> None:
    wave = _noise(400)
    assert torch.equal(PLAIN(wave), fbank(wave, window="hamming").repeat(1, 7))


def test_statistics_shift_and_then_scale() -> None:
    cmvn = Cmvn(torch.linspace(-9, -7, 560), torch.linspace(0.1, 0.2, 560))
    wave = _noise(5000)
    torch.testing.assert_close(FrontEnd(PLAIN.config, cmvn)(wave), (PLAIN(wave) + cmvn.shift) * cmvn.scale)


def test_there_is_noise_only_where_it_is_asked_for() -> None:
    wave = _noise(5000)
    assert torch.equal(PLAIN(wave), PLAIN(wave))
    noisy = [PLAIN(wave, 1.0, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2)]
    assert torch.equal(noisy[0], noisy[1])
    assert not torch.equal(noisy[0], noisy[2])
