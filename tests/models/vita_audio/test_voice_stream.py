"""VITA-Audio's streams: when what is decoded, and that the pieces make up the whole."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from models.vita_audio.chunks import Chunk, Clean, Released, chunks
from models.vita_audio.continuation import REACH
from models.vita_audio.decoder_config import FlowConfig, VocoderConfig
from models.vita_audio.flow import Prompt
from models.vita_audio.random_speech import build_random_decoder
from models.vita_audio.voice import Voice
from models.vita_audio.voice_stream import VoiceStream, streamed

GOLDENS = Path(__file__).parents[2] / "goldens" / "vita_audio"
DECODER = build_random_decoder(FlowConfig.tiny(), VocoderConfig.tiny())
VOICE = Voice(DECODER.flow, DECODER.vocoder)
SHORT = Clean(least=5, most=12, context=7, steps=2)
SEGMENTS = st.lists(st.integers(0, 90), max_size=12)


def _segments(*lengths: int) -> list[list[int]]:
    generator = torch.Generator().manual_seed(7)
    return [torch.randint(0, 64, (length,), generator=generator).tolist() for length in lengths]


def _windows(lengths: list[int], policy: Clean) -> list[tuple[int, int]]:
    """Which codes the windows hold, (start, end), by looking at the whole answer."""
    ends, total = {sum(lengths[: i + 1]) for i in range(len(lengths))}, sum(lengths)
    found, start = [], 0
    while start < total:
        least = policy.least if found else 1
        stops = [end for end in ends if start + least <= end <= start + policy.most]
        end = min([*stops, start + policy.most, total])
        found.append((start, end))
        start = end
    return found


@torch.no_grad()
def _whole(codes: list[int], windows: list[tuple[int, int]], policy: Clean) -> Tensor:
    """The sound that the windows of an answer stand for, from all that came before each."""
    flow, vocoder, chance = VOICE.flow, VOICE.vocoder, torch.Generator().manual_seed(42)
    given, mel = torch.tensor([codes]), torch.zeros(1, 8, 0)
    source, state, wave = torch.zeros(1, 1, 0), None, torch.zeros(0)
    for start, end in windows:
        first = max(0, start - policy.context)
        at, now, then = (flow.frames(place) for place in (first, start, end))
        noise = torch.randn(1, 8, then - at, generator=chance)
        prompt = Prompt(given[:, first:start], mel[:, :, at:now].transpose(1, 2)) if start else None
        mel = torch.cat([mel, flow(given[:, start:end], policy.steps, None, prompt, noise, then - at)], dim=2)
        made, state = vocoder.source_on(vocoder.pitch(mel)[:, now:], chance, state)
        source = torch.cat([source, made], dim=2)
        whole = vocoder.decode(mel, source)[0]
        if start:
            rise = (torch.arange(256) + 0.5) / 256
            faded = wave[-256:] * (1 - rise) + whole[256 * now - 256 : 256 * now] * rise
            wave = torch.cat([wave[:-256], faded])
        wave = torch.cat([wave, whole[256 * now :]])
    return wave


@settings(deadline=None, max_examples=6)
@given(st.lists(st.integers(0, 15), min_size=1, max_size=4).filter(any))
def test_the_pieces_of_an_answer_make_up_its_windows(lengths: list[int]) -> None:
    segments = _segments(*lengths)
    codes = [code for segment in segments for code in segment]
    pieces = list(streamed(VOICE, segments, SHORT))
    assert [code for piece in pieces for code in piece.codes] == codes
    wave = torch.cat([piece.samples for piece in pieces])
    assert wave.shape == (256 * VOICE.flow.frames(len(codes)),)
    torch.testing.assert_close(wave, _whole(codes, _windows(lengths, SHORT), SHORT), rtol=1e-3, atol=1e-3)


@given(SEGMENTS)
def test_windows_hold_every_code_once_and_their_work_is_bounded(lengths: list[int]) -> None:
    policy = Clean()
    made = list(chunks(policy, lengths))
    assert [(chunk.sent, chunk.end) for chunk in made] == _windows(lengths, policy)
    assert all(chunk.end - chunk.first <= policy.context + policy.most for chunk in made)
    assert all(chunk.end - chunk.sent >= policy.least for chunk in made[1:-1])
    assert sum(chunk.end - chunk.first for chunk in made) <= 3 * sum(lengths) + 2 * (policy.context + policy.most)


@given(SEGMENTS.filter(any))
def test_the_first_window_is_the_first_segment(lengths: list[int]) -> None:
    first = next(length for length in lengths if length)
    assert next(chunks(Clean(), lengths)) == Chunk(0, 0, min(first, 64), 10)


def test_sound_comes_as_soon_as_the_first_segment_is_over() -> None:
    stream = VoiceStream(VOICE, SHORT)
    assert [stream.code(code) for code in (1, 2)] == [None, None]
    piece = stream.end_segment()
    assert piece is not None and piece.codes == [1, 2]
    assert len(piece.samples) == 256 * (VOICE.flow.frames(2) - 1)
    rest = stream.finish()
    assert rest is not None and rest.codes == [] and len(rest.samples) == 256


def test_a_piece_does_not_change_with_what_comes_after_it() -> None:
    pieces, others = (list(streamed(VOICE, _segments(6, 7, n), SHORT)) for n in (5, 11))
    assert [torch.equal(a.samples, b.samples) for a, b in zip(pieces[:2], others, strict=False)] == [True, True]


def test_the_released_policy_decodes_what_the_demo_decodes() -> None:
    for case in json.loads((GOLDENS / "streaming.json").read_text(encoding="utf-8"))[:3]:
        segments = _segments(*case["segment_codes"])
        pieces = list(streamed(VOICE, segments, Released(most_steps=1)))
        assert [len(piece.samples) for piece in pieces] == [decode["samples_sent"] for decode in case["decodes"]]


def test_a_released_piece_is_the_end_of_a_decode_of_the_whole_history() -> None:
    segments = _segments(8, 9, 9, 3)
    codes = [code for segment in segments for code in segment]
    first, second = streamed(VOICE, segments, Released())
    assert torch.equal(first.samples, VOICE.speak([codes[:8]], steps=1)[0])
    start = 256 * VOICE.flow.frames(8)
    assert torch.equal(second.samples, VOICE.speak([codes[:26]], steps=3)[0][start:])
    assert second.codes == codes[8:26]  # the last three are never heard


@torch.no_grad()
def test_a_source_in_parts_is_the_source_at_once() -> None:
    f0 = 100 + 80 * torch.rand(1, 30, generator=torch.Generator().manual_seed(1))
    vocoder = VOICE.vocoder
    first, state = vocoder.source_on(f0[:, :11], random=False)
    rest, _ = vocoder.source_on(f0[:, 11:], state=state, random=False)
    whole = vocoder.source(f0, random=False)
    torch.testing.assert_close(torch.cat([first, rest], dim=2), whole, rtol=0, atol=1e-3)
    broken = vocoder.source(f0[:, 11:], random=False)
    assert float((broken - rest).abs().max()) > 0.05


@torch.no_grad()
def test_the_vocoder_does_not_look_further_back_than_is_kept() -> None:
    config = replace(VocoderConfig.published(), mels=8, base=16, predictor=8)
    vocoder = build_random_decoder(FlowConfig.tiny(), config).vocoder
    generator = torch.Generator().manual_seed(1)
    mel = torch.randn(1, 8, REACH + 20, generator=generator)
    source = 0.1 * torch.randn(1, 1, 256 * mel.shape[2], generator=generator)
    whole, cut = vocoder.decode(mel, source), vocoder.decode(mel[:, :, 8:], source[:, :, 8 * 256 :])
    torch.testing.assert_close(cut[:, 256 * (REACH - 1) :], whole[:, 256 * (REACH + 7) :], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(vocoder.pitch(mel[:, :, 8:])[:, REACH:], vocoder.pitch(mel)[:, REACH + 8 :])
    near = vocoder.decode(mel[:, :, 8 + REACH :], source[:, :, 256 * (8 + REACH) :])
    assert not torch.allclose(near[:, :256], whole[:, 256 * (REACH + 8) :][:, :256], atol=1e-3)


def test_codes_that_cannot_be_spoken_are_named() -> None:
    stream = VoiceStream(VOICE, SHORT)
    with pytest.raises(ValueError, match="speech code 64 is out of range: expected 0 to 63"):
        stream.code(64)
    assert stream.code(1) is None and stream.finish() is not None
    with pytest.raises(ValueError, match="begin another VoiceStream"):
        stream.code(1)


@pytest.mark.parametrize("policy", [Clean(), Released()])
def test_an_answer_without_codes_has_no_sound(policy: Clean | Released) -> None:
    stream = VoiceStream(VOICE, policy)
    assert stream.end_segment() is None and stream.finish() is None
    with pytest.raises(ValueError, match="no speech code in any segment"):
        list(streamed(VOICE, [[], []], policy))


@pytest.mark.parametrize("setting", [{"least": 0}, {"least": 65}, {"context": -1}, {"steps": 0}])
def test_a_bad_setting_of_a_policy_is_named(setting: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="expected 1 <= least <= most"):
        Clean(**setting)
