import json
import math
from pathlib import Path

import kaldi_native_fbank as knf
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.vita15.audio_features import (
    FRAME_LENGTH,
    MEL_FLOOR,
    MIN_FRAMES,
    SAMPLE_RATE,
    check_frames,
    fbank,
    load_cmvn,
    num_encoder_frames,
    num_fbank_frames,
    num_llm_tokens,
    resample,
    to_mono,
)


def tone(hz: float, rate: int, seconds: float = 0.5) -> torch.Tensor:
    return torch.sin(2 * math.pi * hz * torch.arange(int(rate * seconds), dtype=torch.float64) / rate).float()


@settings(max_examples=30)
@given(st.integers(0, 3000))
def test_fbank_has_the_announced_number_of_finite_frames(samples: int) -> None:
    features = fbank(torch.randn(samples, generator=torch.Generator().manual_seed(samples)) * 0.1)
    assert features.shape == (num_fbank_frames(samples), 80)
    assert features.dtype == torch.float32
    assert features.isfinite().all()


def test_fbank_of_silence_is_the_floor() -> None:
    assert fbank(torch.zeros(1000)).unique().tolist() == pytest.approx([math.log(MEL_FLOOR)])


def test_fbank_agrees_with_an_independent_implementation() -> None:
    options = knf.FbankOptions()
    options.mel_opts.num_bins = 80
    options.frame_opts.dither = 0.0
    options.frame_opts.samp_freq = SAMPLE_RATE
    waveform = torch.randn(8000, generator=torch.Generator().manual_seed(0)) * 0.1
    computer = knf.OnlineFbank(options)
    computer.accept_waveform(SAMPLE_RATE, (waveform * 32768).tolist())
    computer.input_finished()
    expected = np.stack([computer.get_frame(i) for i in range(computer.num_frames_ready)])
    np.testing.assert_allclose(fbank(waveform).numpy(), expected, atol=5e-4)


def test_fbank_peaks_in_the_bin_of_a_tone() -> None:
    peak = int(fbank(tone(1000, SAMPLE_RATE)).mean(0).argmax())
    low, high = (1127 * math.log(1 + hz / 700) for hz in (20, 8000))
    bin_of_tone = (1127 * math.log(1 + 1000 / 700) - low) / (high - low) * 81 - 1
    assert abs(peak - bin_of_tone) <= 1


def test_dither_is_reproducible_noise() -> None:
    silence = torch.zeros(4000)
    noisy = [fbank(silence, dither=1.0, generator=torch.Generator().manual_seed(seed)) for seed in (0, 0, 1)]
    assert torch.equal(noisy[0], noisy[1])
    assert not torch.equal(noisy[0], noisy[2])
    assert (noisy[0] > math.log(MEL_FLOOR)).all()


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
    monkeypatch.setattr("models.vita15.audio_features._CELLS_PER_STEP", 1000)
    torch.testing.assert_close(resample(waveform, 44_100), whole)


@pytest.mark.parametrize("rate", [0, -8000, 10**9])
def test_absurd_rates_are_refused(rate: int) -> None:
    with pytest.raises(ValueError, match=str(rate)):
        resample(torch.zeros(10), rate)


@given(st.integers(0, 3000))
def test_token_counts_follow_the_convolutions(frames: int) -> None:
    once = max(0, (frames - 3) // 2 + 1)
    assert num_encoder_frames(frames) == max(0, (once - 3) // 2 + 1)
    assert num_llm_tokens(frames) == math.ceil(num_encoder_frames(frames) / 2)
    assert (num_llm_tokens(frames) > 0) == (frames >= MIN_FRAMES)


@given(st.integers(0, 5000))
def test_only_clips_that_can_be_encoded_pass(samples: int) -> None:
    if samples >= 1360:  # 85 ms
        assert check_frames(samples) >= MIN_FRAMES
    else:
        with pytest.raises(ValueError, match="shorter than 85 ms"):
            check_frames(samples)


def test_a_short_clip_is_named_by_its_length() -> None:
    with pytest.raises(ValueError, match="audio of 20 ms is shorter than 85 ms"):
        check_frames(320)


def test_first_channel_is_taken() -> None:
    stereo = torch.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    assert to_mono(stereo).tolist() == [1, 3, 5]
    assert to_mono(stereo[:, 1]).tolist() == [2, 4, 6]
    with pytest.raises(ValueError, match=r"\[n, channels\]"):
        to_mono(torch.zeros(2, 2, 2))
    with pytest.raises(ValueError, match="to_mono"):
        fbank(torch.zeros(2, FRAME_LENGTH))


def test_both_forms_of_the_statistics_read_the_same(tmp_path: Path) -> None:
    sums, squares, count = [10.0, -4.0, 6.0], [60.0, 9.0, 9.0], 4
    as_json, as_text = tmp_path / "a", tmp_path / "b"
    as_json.write_text(json.dumps({"mean_stat": sums, "var_stat": squares, "frame_num": count}))
    as_text.write_text(" [\n  10 -4 6 4\n  60 9 9 0 ]\n")
    for path in (as_json, as_text):
        cmvn = load_cmvn(path)
        assert cmvn.mean.tolist() == [2.5, -1.0, 1.5]
        expected = [1 / math.sqrt(8.75), 1 / math.sqrt(1.25), 1e10]  # the last variance is zero
        torch.testing.assert_close(cmvn.istd, torch.tensor(expected))


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{}",
        "{",
        "[ 1 2 ]",
        "[ 1 x 3 4 ]",
        '{"mean_stat": [1], "var_stat": [1, 2], "frame_num": 3}',
        '{"mean_stat": [1], "var_stat": [1], "frame_num": 0}',
        '{"mean_stat": null, "var_stat": null, "frame_num": null}',
        '{"mean_stat": [1], "var_stat": [1], "frame_num": null}',
    ],
)
def test_broken_statistics_name_the_file(tmp_path: Path, content: str) -> None:
    path = tmp_path / "global_cmvn"
    path.write_text(content)
    with pytest.raises(ValueError, match="global_cmvn: no feature statistics"):
        load_cmvn(path)
