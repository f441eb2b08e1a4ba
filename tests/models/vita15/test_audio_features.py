import json
import math
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from models.vita15.audio_features import (
    MIN_FRAMES,
    check_frames,
    load_cmvn,
    num_encoder_frames,
    num_llm_tokens,
    to_mono,
)


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
