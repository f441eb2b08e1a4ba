"""The delay pattern: where a code goes, and that it comes back."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from models.nexus_o.delay import IGNORED, delay, training_pair, undo

PAD = 1024
SIZES = {"streams": st.integers(1, 9), "frames": st.integers(1, 12)}


def _codes(streams: int, frames: int, rows: int = 2) -> Tensor:
    return torch.arange(rows * streams * frames).reshape(rows, streams, frames)


def test_stream_k_starts_k_steps_after_the_first() -> None:
    table = delay(torch.tensor([[1, 2, 3], [4, 5, 6], [7, 8, 9]]), 0)
    assert table.tolist() == [[0, 1, 2, 3, 0, 0], [0, 0, 4, 5, 6, 0], [0, 0, 0, 7, 8, 9]]


@given(**SIZES, bos=st.booleans(), pad=st.sampled_from([0, 3, PAD]))
def test_what_is_delayed_comes_back_even_where_a_code_equals_the_padding(
    streams: int, frames: int, bos: bool, pad: int
) -> None:
    codes = _codes(streams, frames)
    table = delay(codes, pad, bos)
    assert table.shape == (2, streams, frames + streams - 1 + bos)
    assert torch.equal(undo(table, streams, bos), codes)


@given(**SIZES)
def test_a_frame_is_whole_as_soon_as_its_last_stream_is_made(streams: int, frames: int) -> None:
    codes = _codes(streams, frames)
    table = delay(codes, PAD)
    for made in range(streams + 1, table.shape[-1] + 1):
        so_far = table[..., :made]
        assert torch.equal(undo(so_far, streams), codes[..., : made - streams])
        assert torch.equal(undo(so_far[..., -streams - 1 :], streams)[..., 0], codes[..., made - streams - 1])
    with pytest.raises(ValueError, match=f"a whole frame from {streams + 1} on"):
        undo(table[..., :streams], streams)


@given(**SIZES)
def test_each_code_is_learnt_once_and_from_what_comes_before_it(streams: int, frames: int) -> None:
    codes = _codes(streams, frames)
    pair = training_pair(codes, PAD)
    assert pair.inputs.shape == pair.targets.shape == (2, streams, frames + streams - 1)
    learnt = pair.targets[pair.targets != IGNORED]
    assert learnt.sort().values.tolist() == codes.flatten().tolist()
    for k in range(streams):
        for frame in range(frames):
            assert torch.equal(pair.targets[:, k, k + frame], codes[:, k, frame])
            before = codes[:, k, frame - 1] if frame else torch.full((2,), PAD)
            assert torch.equal(pair.inputs[:, k, k + frame], before)


@pytest.mark.parametrize("shape", [(3,), (0, 4), (2, 0), (2, 8, 0)])
def test_no_stream_or_no_frame_is_refused(shape: tuple[int, ...]) -> None:
    for refused in (delay, training_pair):
        with pytest.raises(ValueError, match="at least one stream and one frame"):
            refused(torch.zeros(shape, dtype=torch.int64), PAD)


def test_a_table_of_another_number_of_streams_is_refused() -> None:
    with pytest.raises(ValueError, match="8 streams of codes"):
        undo(delay(_codes(7, 5), PAD), 8)
