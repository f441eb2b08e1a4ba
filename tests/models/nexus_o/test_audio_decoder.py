"""The decoder of speech codes: its inputs, what it learns, what it does not see."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.nexus_o.audio_decoder import AudioDecoder
from models.nexus_o.code_decoding import decode_codes
from models.nexus_o.code_rows import CodeDecoding
from models.nexus_o.config import NexusConfig, SpeechConfig
from models.nexus_o.decoder_config import DecoderConfig
from models.nexus_o.delay import IGNORED, delay
from tests.models.nexus_o.speech_decoders import (
    SPECIAL,
    STREAMS,
    WIDTH,
    decoder_config,
    random_codes,
    states,
    tiny_decoder,
    utterances,
)

DECODER = tiny_decoder()


@torch.no_grad()
@pytest.mark.parametrize(("mix", "codes", "state"), [("nine_way", 1 / 9, 1 / 9), ("two_way", 1 / 16, 1 / 2)])
def test_a_step_reads_the_average_of_eight_codes_and_a_state(mix: Any, codes: float, state: float) -> None:
    decoder = tiny_decoder(mix=mix)
    given_codes = torch.tensor([7, 0, 999, SPECIAL, 3, 3, 5, 1])
    tables = decoder.embed_tokens.weight.view(STREAMS, 1025, WIDTH)
    want = state * states(1)[0]
    for stream, code in enumerate(given_codes.tolist()):
        want = want + codes * tables[stream, code]
    torch.testing.assert_close(decoder.mixed(given_codes, states(1)[0]), want)


@torch.no_grad()
@pytest.mark.parametrize(
    ("schedule", "places"),
    [("hold_last", [0, 1, 2, 2, 2]), ("last_only", [2, 2, 2, 2, 2]), ("zero_after", [0, 1, 2, None, None])],
)
def test_each_step_reads_the_state_of_its_schedule(schedule: Any, places: list[int | None]) -> None:
    decoder = tiny_decoder(hidden_schedule=schedule)
    hidden = torch.stack([states(4), states(4, seed=1)])
    got = decoder.scheduled(hidden, torch.tensor([3, 4]), 5)[0]
    want = torch.stack([torch.zeros(WIDTH) if place is None else hidden[0, place] for place in places])
    assert torch.equal(got, want)
    assert torch.equal(decoder.scheduled(hidden, torch.tensor([3, 4]), 2)[0], want[:2])


@torch.no_grad()
def test_another_width_projects_the_states_but_not_the_zeros_behind_them() -> None:
    decoder = tiny_decoder(decoder_width=32, hidden_schedule="zero_after")
    assert decoder.hidden_proj is not None and DECODER.hidden_proj is None
    got = decoder.scheduled(states(2)[None], torch.tensor([2]), 3)[0]
    torch.testing.assert_close(got[:2], decoder.hidden_proj(states(2)))
    assert not got[2].any()


@torch.no_grad()
def test_a_stream_is_to_say_its_codes_late_and_then_its_end_once() -> None:
    codes = random_codes(2, 3)
    logits, targets = DECODER.teacher_logits(
        torch.stack([states(2)] * 2), torch.tensor([2, 2]), codes, torch.tensor([3, 1])
    )
    assert logits.shape == (2, 3 + STREAMS, STREAMS, 1025)
    for row, length in ((0, 3), (1, 1)):
        for stream in range(STREAMS):
            said = [*codes[row, stream, :length].tolist(), SPECIAL]
            late = 3 + STREAMS - stream - len(said)
            assert targets[row, :, stream].tolist() == [IGNORED] * stream + said + [IGNORED] * late


@torch.no_grad()
def test_what_is_heard_may_be_other_than_what_is_to_be_said() -> None:
    codes, heard = random_codes(1, 4), random_codes(1, 4, seed=5)
    given = states(3)[None], torch.tensor([3])
    logits, targets = DECODER.teacher_logits(*given, codes, torch.tensor([4]), heard)
    others, wanted = DECODER.teacher_logits(*given, heard, torch.tensor([4]))
    assert logits.equal(others) and targets.equal(DECODER.teacher_logits(*given, codes, torch.tensor([4]))[1])
    assert not targets.equal(wanted) and logits.equal(
        DECODER.teacher_logits(*given, heard, torch.tensor([4]), heard)[0]
    )


@torch.no_grad()
def test_what_stands_behind_a_row_does_not_count() -> None:
    hidden = torch.full((2, 5, WIDTH), 7.0)
    hidden[0, :2], hidden[1] = states(2), states(5, seed=1)
    codes = random_codes(2, 4)
    codes[0, :, 2:] = -1
    lengths, frames = torch.tensor([2, 5]), torch.tensor([2, 4])
    together, _ = DECODER.teacher_logits(hidden, lengths, codes, frames)
    alone, _ = DECODER.teacher_logits(hidden[:1, :2], lengths[:1], codes[:1, :, :2], frames[:1])
    torch.testing.assert_close(together[0, : alone.shape[1]], alone[0], atol=1e-5, rtol=0)
    loss = DECODER.teacher_loss(hidden, lengths, codes, frames)
    first = DECODER.teacher_loss(hidden[:1, :2], lengths[:1], codes[:1, :, :2], frames[:1])
    second = DECODER.teacher_loss(hidden[1:], lengths[1:], codes[1:], frames[1:])
    assert (int(first.targets), int(second.targets), int(loss.targets)) == (3 * STREAMS, 5 * STREAMS, 8 * STREAMS)
    torch.testing.assert_close(loss.total, first.total + second.total)


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 6), st.data())
@torch.no_grad()
def test_no_step_sees_codes_or_states_behind_it(frames: int, data: st.DataObject) -> None:
    table = delay(random_codes(1, frames), SPECIAL)[..., :-1]
    steps = table.shape[2]
    step = data.draw(st.integers(0, steps - 1))
    read = DECODER.scheduled(states(steps)[None], torch.tensor([steps]), steps)
    want = DECODER.logits(table, read)
    table, read = table.clone(), read.clone()
    table[:, data.draw(st.integers(0, STREAMS - 1)), step] = 500
    read[:, step] += 1
    got = DECODER.logits(table, read)
    assert torch.equal(got[:, :step], want[:, :step])
    assert not torch.allclose(got[:, step], want[:, step])


@torch.no_grad()
def test_the_loss_is_the_mean_over_streams_of_the_cross_entropy_of_what_each_is_to_say() -> None:
    codes, frames = random_codes(1, 3), 3
    loss = DECODER.teacher_loss(states(2)[None], torch.tensor([2]), codes, torch.tensor([frames]))
    logits, _ = DECODER.teacher_logits(states(2)[None], torch.tensor([2]), codes, torch.tensor([frames]))
    streams = []
    for stream in range(STREAMS):
        said = torch.tensor([*codes[0, stream].tolist(), SPECIAL])
        streams.append(torch.nn.functional.cross_entropy(logits[0, stream : stream + frames + 1, stream], said))
    torch.testing.assert_close(loss.total / loss.targets, torch.stack(streams).mean())


@pytest.mark.parametrize("mix", ["nine_way", "two_way"])
def test_training_fits_short_speech_and_its_end(mix: Any) -> None:
    decoder = tiny_decoder(mix=mix).train()
    said, codes = utterances([2, 3]), random_codes(2, 3)
    hidden = torch.nn.utils.rnn.pad_sequence([one.hidden for one in said], batch_first=True)
    lengths, frames = torch.tensor([2, 3]), torch.tensor([3, 2])
    optimiser = torch.optim.Adam(decoder.parameters(), lr=0.01)
    for _ in range(25):
        optimiser.zero_grad()
        loss = decoder.teacher_loss(hidden, lengths, codes, frames)
        (loss.total / loss.targets).backward()
        optimiser.step()
    got = decode_codes(decoder.eval(), said, CodeDecoding(10))
    assert [one.finish for one in got] == ["stop", "stop"]
    assert torch.equal(got[0].codes, codes[0]) and torch.equal(got[1].codes, codes[1, :, :2])


@pytest.mark.parametrize(("shape", "said"), [((1, 0, WIDTH), "at least one state"), ((1, 2, 3), r"\[B, n, 64\]")])
def test_states_of_a_wrong_shape_are_refused(shape: tuple[int, ...], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        DECODER.scheduled(torch.zeros(shape), torch.tensor([1]), 3)


@pytest.mark.parametrize("code", [-1, 1000, SPECIAL])
def test_what_is_no_code_cannot_be_taught(code: int) -> None:
    codes = random_codes(1, 2)
    codes[0, 3, 1] = code
    with pytest.raises(ValueError, match="outside 0 to 999"):
        DECODER.teacher_loss(states(1)[None], torch.tensor([1]), codes, torch.tensor([2]))
    DECODER.teacher_loss(states(1)[None], torch.tensor([1]), codes, torch.tensor([1]))  # behind the row's end


def test_sizes_follow_the_width_unless_they_are_given() -> None:
    published = NexusConfig.published()
    wide = DecoderConfig.of(published)
    assert (wide.width, wide.heads, wide.kv_heads, wide.inner) == (3584, 28, 4, 18944)
    assert (wide.layers, wide.streams, wide.codes, wide.vocabulary, wide.special) == (6, 8, 1000, 1025, 1024)
    small = DecoderConfig.of(replace(published, choices=replace(published.choices, decoder_width=1024)))
    assert (small.width, small.heads, small.kv_heads, small.inner, small.head_dim) == (1024, 8, 4, 5376, 128)
    given_sizes = replace(published, speech=SpeechConfig(num_attention_heads=14, intermediate_size=256))
    assert (DecoderConfig.of(given_sizes).heads, DecoderConfig.of(given_sizes).inner) == (14, 256)


@pytest.mark.parametrize(
    ("speech", "choices", "said"),
    [
        ({"num_attention_heads": 5}, {}, "decoder_width 64 does not divide into 5 heads"),
        ({}, {"decoder_width": 100}, "decoder_width 100"),
        ({"num_attention_heads": 4, "num_key_value_heads": 3}, {}, "num_key_value_heads 3"),
    ],
)
def test_sizes_that_do_not_fit_are_named(speech: dict[str, int], choices: dict[str, int], said: str) -> None:
    tiny = NexusConfig.tiny()
    with pytest.raises(ValueError, match=said):
        DecoderConfig.of(replace(tiny, speech=SpeechConfig(**speech), choices=replace(tiny.choices, **choices)))


def test_another_special_code_needs_no_larger_table() -> None:
    decoder = AudioDecoder(decoder_config(special_code=1000))
    assert decoder.lm_head.out_features == STREAMS * 1024
