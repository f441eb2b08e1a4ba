"""VITA-Audio's voice: rows of different lengths side by side, and whole answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from models.vita_audio.decoder_config import EstimatorConfig, FlowConfig, VocoderConfig
from models.vita_audio.flow import Flow
from models.vita_audio.ragged import Rows, attended, convolved, groups, normalised, rows_of
from models.vita_audio.random_speech import build_random_decoder, build_random_tokenizer
from models.vita_audio.speech_tokenizer import TokenizerConfig
from models.vita_audio.voice import Voice

DECODER = build_random_decoder(FlowConfig.tiny(), VocoderConfig.tiny())
DEEP = replace(
    FlowConfig.tiny(), layers=2, regulator_layers=4, estimator=EstimatorConfig(32, 8, (16, 16, 16), 2, 2, 2, 8)
)
DEEP_FLOW = build_random_decoder(DEEP, VocoderConfig.tiny()).flow


@pytest.fixture(scope="module")
def voice() -> Voice:
    return Voice(DECODER.flow, DECODER.vocoder)


def _codes(*lengths: int) -> list[Tensor]:
    generator = torch.Generator().manual_seed(7)
    return [torch.randint(0, 64, (length,), generator=generator) for length in lengths]


@settings(deadline=None, max_examples=6)
@given(st.lists(st.integers(1, 20), min_size=1, max_size=4), st.integers(1, 3))
def test_a_flow_row_beside_rows_of_other_lengths_equals_itself_alone(lengths: list[int], steps: int) -> None:
    codes = _codes(*lengths)
    for flow in (DECODER.flow, DEEP_FLOW):
        for row, mel in zip(codes, flow.ragged(codes, steps), strict=True):
            torch.testing.assert_close(mel, flow(row[None], steps)[0], rtol=1e-4, atol=1e-4)


def test_a_flow_row_equals_itself_alone_after_ten_steps() -> None:
    codes = _codes(12, 3, 25)
    for row, mel in zip(codes, DEEP_FLOW.ragged(codes), strict=True):
        torch.testing.assert_close(mel, DEEP_FLOW(row[None])[0], rtol=1e-4, atol=1e-4)


def test_a_row_takes_its_own_noise() -> None:
    codes = _codes(2, 5)
    noise = [torch.randn(8, DEEP_FLOW.frames(len(row)), generator=torch.Generator().manual_seed(1)) for row in codes]
    for row, own, mel in zip(codes, noise, DEEP_FLOW.ragged(codes, 2, noise), strict=True):
        torch.testing.assert_close(mel, DEEP_FLOW(row[None], 2, noise=own[None])[0], rtol=1e-4, atol=1e-4)
        assert not torch.allclose(mel, DEEP_FLOW(row[None], 2)[0], atol=1e-2)


@torch.no_grad()
@pytest.mark.parametrize("layer", ["convolution", "half", "double", "norm", "attention"])
def test_a_layer_sees_neither_the_gaps_nor_another_row(layer: str) -> None:
    layers = {
        "convolution": nn.Conv1d(8, 8, 3, padding=1),
        "half": nn.Conv1d(8, 8, 3, stride=2, padding=1),
        "double": nn.ConvTranspose1d(8, 8, 4, stride=2, padding=1),
    }
    norm = nn.GroupNorm(4, 8)
    nn.init.normal_(norm.weight, generator=torch.Generator().manual_seed(3))

    def through(x: Tensor, rows: Rows | None) -> Tensor:
        if layer == "norm":
            return normalised(norm, x, rows)
        if layer == "attention":
            places = x.transpose(1, 2)[:, None]  # [B, 1, T, width]
            return attended(places, places, places, rows)[:, 0].transpose(1, 2)
        return convolved(layers[layer], x, rows)

    lengths, chance = [5, 2, 9, 1, 4], torch.Generator().manual_seed(2)
    rows = rows_of(lengths, 1, torch.zeros(1))
    parts = [torch.randn(8, length, generator=chance) for length in lengths]
    whole = torch.stack([rows.joined(parts), -rows.joined(parts)])
    made = through(whole.masked_fill(rows.outside, 1e3), rows)
    after = rows
    if layer == "half":
        after = rows.halved()
    if layer == "double":
        after = Rows(tuple(2 * n for n in rows.starts), tuple(2 * n for n in lengths), rows.member, rows.outside)
    for part, own in zip(parts, after.parted(made), strict=True):
        torch.testing.assert_close(own, through(torch.stack([part, -part]), None), rtol=1e-4, atol=1e-5)


@given(st.lists(st.integers(1, 40), min_size=1, max_size=8), st.integers(0, 3))
def test_rows_stand_apart_after_every_halving(lengths: list[int], halvings: int) -> None:
    rows = rows_of(lengths, halvings, torch.zeros(1))
    assert len(rows.outside) <= sum(lengths) + len(lengths) * 2 ** (halvings + 1)
    for _ in range(halvings + 1):
        ends = [start + length for start, length in zip(rows.starts, rows.lengths, strict=True)]
        assert all(end < start for end, start in zip(ends, (*rows.starts[1:], len(rows.outside)), strict=True))
        assert rows.member.sum(0).tolist() == list(rows.lengths)
        assert [bool(outside) for outside in rows.outside] == [not bool(row.any()) for row in rows.member]
        rows = rows.halved()


def test_both_estimates_of_all_rows_are_one_call(monkeypatch: pytest.MonkeyPatch) -> None:
    flow, calls = DECODER.flow, []
    estimator = flow.decoder["estimator"]
    run = type(estimator).forward

    def counted(self: nn.Module, x: Tensor, *rest: object) -> Tensor:
        calls.append(tuple(x.shape))
        return run(self, x, *rest)

    monkeypatch.setattr(type(estimator), "forward", counted)
    flow.ragged(_codes(4, 9, 2), 3)
    assert calls == [(2, 8, 30 + 64 + 16)] * 3  # 27, 62 and 13 frames, each with a gap
    calls.clear()
    flow.ragged(_codes(4, 4), 3)
    assert calls == [(4, 8, 27)] * 3


@given(st.lists(st.integers(1, 300), max_size=40), st.integers(1, 2000))
def test_groups_hold_every_row_once_and_no_more_than_they_may(lengths: list[int], most: int) -> None:
    made = list(groups(lengths, most))
    assert [place for group in made for place in group] == list(range(len(lengths)))
    totals = [sum(lengths[place] for place in group) for group in made]
    assert all(len(group) == 1 or total <= most for group, total in zip(made, totals, strict=True))
    assert all(total + lengths[group[0]] > most for total, group in zip(totals, made[1:], strict=False))


def test_answers_side_by_side_sound_as_each_does_alone(voice: Voice) -> None:
    answers = [row.tolist() for row in _codes(9, 30, 1, 17)]
    waves = voice.speak(answers, steps=3)
    for codes, wave in zip(answers, waves, strict=True):
        assert wave.dtype == torch.float32 and wave.shape == (256 * voice.flow.frames(len(codes)),)
        torch.testing.assert_close(wave, voice.speak([codes], steps=3)[0], rtol=1e-3, atol=1e-3)


def test_many_answers_are_spoken_in_the_order_given(voice: Voice, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.vita_audio.voice.BATCH_FRAMES", 40)
    lengths = [3, 1, 8, 2, 1]
    waves = voice.speak([row.tolist() for row in _codes(*lengths)], steps=1)
    assert [len(wave) for wave in waves] == [256 * voice.flow.frames(length) for length in lengths]


def test_speaking_leaves_the_global_random_state_alone(voice: Voice) -> None:
    torch.manual_seed(11)
    expected = torch.rand(3)
    torch.manual_seed(11)
    first = voice.speak([[1, 2, 3]], steps=1)[0]
    assert torch.equal(torch.rand(3), expected)
    assert torch.equal(voice.speak([[1, 2, 3]], steps=1)[0], first)


def test_the_flow_begins_with_the_noise_of_seed_42(voice: Voice) -> None:
    torch.manual_seed(42)
    expected = torch.randn(1, 8, 13)
    assert torch.equal(voice.noise(13, torch.Generator().manual_seed(42)), expected)


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ([[1], []], "an answer without one has no speech"),
        ([[1, 64]], r"speech code 64 is out of range: expected 0 to 63, a token's id less that of <\|audio_0\|>"),
        ([[-1]], "speech code -1 is out of range"),
    ],
)
def test_an_answer_that_cannot_be_spoken_is_named(voice: Voice, answers: Sequence[list[int]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        voice.speak(answers)


def test_no_answers_make_no_sound(voice: Voice) -> None:
    assert voice.speak([]) == []
    with pytest.raises(ValueError, match="at least one request"):
        voice.flow.ragged([])


def test_parts_of_different_releases_do_not_fit(voice: Voice) -> None:
    other = build_random_decoder(FlowConfig.tiny(), replace(VocoderConfig.tiny(), mels=16)).vocoder
    with pytest.raises(ValueError, match="mels: the flow has 8, the vocoder 16"):
        Voice(voice.flow, other)


def test_random_weights_follow_their_seed() -> None:
    first, again, other = (build_random_decoder(FlowConfig.tiny(), VocoderConfig.tiny(), seed) for seed in (1, 1, 2))

    def mel(flow: Flow) -> Tensor:
        return flow(torch.tensor([[5, 6]]), 1)

    assert torch.equal(mel(first.flow), mel(again.flow)) and not torch.allclose(mel(first.flow), mel(other.flow))
    wave = torch.randn(16_000, generator=torch.Generator().manual_seed(4)).cumsum(0) / 50
    codes = build_random_tokenizer(TokenizerConfig.tiny(), 1).encode([wave])[0]
    assert len(codes) == 13 and len(set(codes)) > 1
