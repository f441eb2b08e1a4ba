"""FireFly: properties of encoding, decoding and streaming on a small codec with random weights."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from models.nexus_o.firefly import Firefly
from models.nexus_o.firefly_checkpoint import random_firefly
from models.nexus_o.firefly_config import FireflyConfig
from models.nexus_o.firefly_mel import log_mel
from models.nexus_o.firefly_stream import FireflyStream, stream_waves

CONFIG = FireflyConfig.tiny()
CODEC = random_firefly(CONFIG, seed=3)
FRAME = CONFIG.samples
SAME = {"rtol": 0.0, "atol": 1e-6}


def _codes(frames: int, rows: int = 1, seed: int = 5) -> Tensor:
    return torch.randint(0, CONFIG.codes, (rows, 8, frames), generator=torch.Generator().manual_seed(seed))


def _waves(samples: int, rows: int = 1) -> Tensor:
    return 0.3 * torch.randn(rows, 1, samples, generator=torch.Generator().manual_seed(7))


WHOLE_CODES = _codes(9, rows=2)
WHOLE = CODEC.decode(WHOLE_CODES).waves


def test_the_random_codec_is_heard_and_its_codes_differ() -> None:
    assert WHOLE.std() > 0.01
    assert WHOLE.abs().max() <= 1
    assert len(CODEC.encode(_waves(4 * FRAME)).codes.unique()) > 8


@pytest.mark.parametrize("frames", [1, 5, 8])
def test_the_wave_of_the_first_codes_is_the_start_of_the_wave_of_all(frames: int) -> None:
    torch.testing.assert_close(CODEC.decode(WHOLE_CODES[..., :frames]).waves, WHOLE[..., : frames * FRAME], **SAME)


@settings(deadline=None, max_examples=8)
@given(cuts=st.sets(st.integers(1, 8), max_size=8))
def test_chunks_of_any_size_join_to_the_whole(cuts: set[int]) -> None:
    pieces = list(stream_waves(CODEC, WHOLE_CODES.tensor_split(sorted(cuts), dim=2)))
    assert [piece.shape[2] // FRAME for piece in pieces] == [
        after - before for before, after in zip([0, *sorted(cuts)], [*sorted(cuts), 9], strict=True)
    ]
    torch.testing.assert_close(torch.cat(pieces, dim=2), WHOLE, **SAME)


def test_a_stream_remembers_no_more_the_longer_it_is() -> None:
    stream = FireflyStream(CODEC)
    stream.push(_codes(1))
    remembered = stream.remembered
    for frames in (1, 4, 2):
        stream.push(_codes(frames))
        assert stream.remembered == remembered


def test_a_chunk_costs_the_same_wherever_it_is_and_little_more_than_its_share() -> None:
    stream, costs = FireflyStream(CODEC), []
    for codes in WHOLE_CODES.split(3, dim=2):
        with FlopCounterMode(display=False) as counter:
            stream.push(codes)
        costs.append(counter.get_total_flops())
    with FlopCounterMode(display=False) as counter:
        CODEC.decode(WHOLE_CODES)
    assert costs[0] == costs[1] == costs[2]
    assert counter.get_total_flops() <= sum(costs) < 1.01 * counter.get_total_flops()


def test_two_streams_do_not_know_of_each_other() -> None:
    first, second = FireflyStream(CODEC), FireflyStream(CODEC)
    pieces = [
        (first.push(WHOLE_CODES[:1, :, i : i + 3]), second.push(WHOLE_CODES[1:, :, i : i + 3])) for i in (0, 3, 6)
    ]
    for row in (0, 1):
        torch.testing.assert_close(torch.cat([pair[row] for pair in pieces], dim=2), WHOLE[row : row + 1], **SAME)


def test_a_refused_chunk_leaves_the_stream_as_it_was() -> None:
    stream = FireflyStream(CODEC)
    head = stream.push(WHOLE_CODES[..., :4])
    for refused in (WHOLE_CODES[:1, :, 4:], WHOLE_CODES[:, :7, 4:], WHOLE_CODES[..., 4:4], WHOLE_CODES[..., 4:] + 1000):
        with pytest.raises(ValueError, match="code"):
            stream.push(refused)
    torch.testing.assert_close(torch.cat([head, stream.push(WHOLE_CODES[..., 4:])], dim=2), WHOLE, **SAME)


def test_a_shorter_row_of_a_batch_sounds_as_it_does_alone_and_ends_in_silence() -> None:
    decoded = CODEC.decode(WHOLE_CODES, torch.tensor([9, 4]))
    assert decoded.lengths.tolist() == [9 * FRAME, 4 * FRAME]
    alone = CODEC.decode(WHOLE_CODES[1:, :, :4]).waves
    torch.testing.assert_close(decoded.waves[1:, :, : 4 * FRAME], alone, **SAME)
    assert not decoded.waves[1, :, 4 * FRAME :].any()
    torch.testing.assert_close(decoded.waves[:1], WHOLE[:1], **SAME)


@settings(deadline=None, max_examples=8)
@given(samples=st.integers(FRAME, 3 * FRAME + 5))
def test_a_row_has_as_many_frames_as_fit_into_its_samples(samples: int) -> None:
    encoded = CODEC.encode(_waves(samples))
    assert encoded.lengths.tolist() == [samples // FRAME]
    assert encoded.codes.shape == (1, 8, math.ceil(samples // 512 / 4))
    assert 0 <= int(encoded.codes.min()) <= int(encoded.codes.max()) < CONFIG.codes


def test_codes_do_not_change_with_what_comes_later() -> None:
    whole = _waves(6 * FRAME)
    later = whole.clone()
    later[..., 4 * FRAME :] *= -2.0  # a spectrum reaches 768 samples ahead, so the fourth frame may hear it
    before, after = CODEC.encode(whole).codes, CODEC.encode(later).codes
    assert torch.equal(before[..., :3], after[..., :3])
    assert not torch.equal(before[..., 4:], after[..., 4:])


def test_a_shorter_row_of_a_batch_has_its_codes_up_to_its_last_frame() -> None:
    waves = _waves(6 * FRAME, rows=2)
    batch, alone = CODEC.encode(waves, torch.tensor([6 * FRAME, 4 * FRAME])), CODEC.encode(waves[1:, :, : 4 * FRAME])
    assert batch.lengths.tolist() == [6, 4]
    assert torch.equal(batch.codes[1, :, :3], alone.codes[0, :, :3])


def test_a_pure_tone_is_loudest_in_its_own_mel_band() -> None:
    time = torch.arange(44_100) / 44_100
    peaks = [
        int(log_mel(torch.sin(2 * math.pi * hertz * time)[None], FireflyConfig.published().mel)[0, :, 40].argmax())
        for hertz in (200.0, 1000.0, 8000.0)
    ]
    assert peaks == sorted(set(peaks))
    # Slaney's scale: 15 mels to 1 kHz, then 27 to each factor of 6.4; 160 bands to 22,050 Hz
    top = 15 + 27 * math.log(22.05) / math.log(6.4)
    assert abs(peaks[1] - (15 / top * 161 - 1)) <= 1


@pytest.mark.parametrize(
    ("codes", "match"),
    [
        (torch.zeros(1, 7, 3, dtype=torch.int64), "8 streams of codes"),
        (torch.zeros(8, 3, dtype=torch.int64), "8 streams of codes"),
        (torch.zeros(0, 8, 3, dtype=torch.int64), "8 streams of codes"),
        (torch.zeros(1, 8, 0, dtype=torch.int64), "codes are empty"),
        (torch.zeros(1, 8, 3), "float32: expected whole numbers"),
        (torch.full((1, 8, 3), 1000), "code 1000 in row 0, stream 0, frame 0: there are 0 to 999"),
        (torch.full((1, 8, 3), -1), "code -1 in row 0"),
    ],
)
def test_what_are_no_codes_is_refused(codes: Tensor, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        CODEC.decode(codes)


@pytest.mark.parametrize("lengths", [[10, 1], [9, 0], [9], [[9, 9]], [9.0, 9.0]])
def test_lengths_that_do_not_fit_are_refused(lengths: list[float]) -> None:
    with pytest.raises(ValueError, match=r"row|lengths of shape"):
        CODEC.decode(WHOLE_CODES, torch.tensor(lengths))


@pytest.mark.parametrize("shape", [(FRAME,), (1, FRAME), (1, 2, FRAME), (0, 1, FRAME)])
def test_waves_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"expected \[B, 1, n\]"):
        CODEC.encode(torch.zeros(shape))


def test_a_wave_that_does_not_fill_a_frame_is_refused() -> None:
    with pytest.raises(ValueError, match="row 0 has 2047 samples of 2047 given: expected at least 2048"):
        CODEC.encode(_waves(2047))
    with pytest.raises(ValueError, match="row 1 has 5 samples of 2048"):
        CODEC.encode(_waves(2048, rows=2), torch.tensor([2048, 5]))


def test_decoding_draws_nothing() -> None:
    assert torch.equal(CODEC.decode(WHOLE_CODES).waves, WHOLE)
    assert isinstance(CODEC, Firefly) and not CODEC.training
