"""Streaming: exact lengths, equality with a one-shot decode, cut points, text to speech."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from models.vita15.codec import receptive_field
from models.vita15.speech_config import Sampling
from models.vita15.speech_stream import (
    ChunkedVocoder,
    SpeechError,
    SpeechSynthesizer,
    cut_at_quiet,
    quiet_segments,
    trim_leading_silence,
)
from tests.models.vita15.speech_models import LLM_HIDDEN, tiny_codec, tiny_decoder

CODEC = tiny_codec()
HOP = CODEC.config.hop
CODES = st.lists(st.integers(0, 19), max_size=60)


@settings(max_examples=25)
@given(CODES, st.integers(1, 25), st.one_of(st.just("exact"), st.integers(1, 12)))
def test_pieces_hold_every_code_once_and_hop_samples_each(codes: list[int], chunk: int, context: int) -> None:
    pieces = list(ChunkedVocoder(CODEC, chunk, context).stream(iter(codes)))
    assert [code for piece in pieces for code in piece.codes] == codes
    assert all(piece.samples.shape == (HOP * len(piece.codes),) for piece in pieces)
    assert all(len(piece.codes) == chunk for piece in pieces[:-1])
    assert all(piece.codes for piece in pieces)


@settings(max_examples=25)
@given(CODES.filter(bool), st.integers(1, 25))
@torch.no_grad()
def test_exact_streaming_equals_one_decode(codes: list[int], chunk: int) -> None:
    streamed = torch.cat([piece.samples for piece in ChunkedVocoder(CODEC, chunk).stream(codes)])
    whole = CODEC.decode(torch.tensor(codes)[None, :, None])[0, 0]
    torch.testing.assert_close(streamed, whole, atol=1e-5, rtol=0)


@torch.no_grad()
def test_less_context_than_the_receptive_field_differs() -> None:
    codes = torch.randint(0, 20, (60,), generator=torch.Generator().manual_seed(3)).tolist()
    assert receptive_field(CODEC.config).left > 3
    streamed = torch.cat([piece.samples for piece in ChunkedVocoder(CODEC, 10, context=1).stream(codes)])
    whole = CODEC.decode(torch.tensor(codes)[None, :, None])[0, 0]
    assert (streamed - whole).abs().max() > 1e-3


def test_a_piece_comes_before_the_codes_end() -> None:
    asked = 0

    def codes() -> object:
        nonlocal asked
        for _ in range(100):
            asked += 1
            yield 1

    next(ChunkedVocoder(CODEC, chunk=5, context=2).stream(codes()))
    assert asked == 7


@pytest.mark.parametrize(("chunk", "context"), [(0, "exact"), (4, 0), (4, -1)])
def test_bad_vocoder_settings_are_refused(chunk: int, context: int) -> None:
    with pytest.raises(ValueError, match="vocoder"):
        ChunkedVocoder(CODEC, chunk, context)
    with pytest.raises(ValueError, match="code groups"):
        ChunkedVocoder(tiny_codec(groups=2))


def wave(*values: float) -> Tensor:
    return torch.tensor(values)[None, None]


def test_the_cut_is_at_the_quietest_sample_from_the_middle_on() -> None:
    quiet = wave(0.0, 0.0, 1.0, 1.0, 1.0, 0.2, 0.1, 0.2, 1.0, 1.0)
    cut = cut_at_quiet(wave(9.0), quiet, window=3, threshold=0.2)
    assert cut.segment is not None
    assert cut.segment.flatten().tolist() == [9.0, *quiet[0, 0, :6].tolist()]
    assert cut.buffer.flatten().tolist() == quiet[0, 0, 6:].tolist()
    louder = cut_at_quiet(wave(9.0), quiet, window=3, threshold=0.1)
    assert louder.segment is None
    assert louder.buffer.shape[-1] == 11


def test_the_cut_may_lie_after_its_window_as_in_the_release() -> None:
    quiet = wave(1, 1, 1, 1, 1, 1, 1, 0.2, 0.2, 0.2, 1, 0.01)
    cut = cut_at_quiet(wave(), quiet, window=3, threshold=0.3)
    assert cut.segment is not None
    assert cut.segment.shape[-1] == 11  # the window is 7..9, the search goes on to its offset 2 + 3 samples


def test_a_wave_shorter_than_the_window_is_kept() -> None:
    cut = cut_at_quiet(wave(1.0), wave(0.0, 0.0), window=3, threshold=1.0)
    assert cut.segment is None
    assert cut.buffer.shape[-1] == 3


@settings(max_examples=20)
@given(CODES, st.integers(2, 20), st.floats(0, 0.5))
def test_quiet_segments_lose_no_sample(codes: list[int], chunk: int, threshold: float) -> None:
    pieces = list(ChunkedVocoder(CODEC, chunk, context=2).stream(codes))
    cut = list(quiet_segments(pieces, threshold, window=9))
    assert sum(segment.shape[-1] for segment in cut) == HOP * len(codes)
    if codes:
        joined = torch.cat(cut, dim=-1)[0, 0]
        assert torch.equal(joined, torch.cat([piece.samples for piece in pieces]))


def test_leading_silence_is_trimmed_and_a_silent_segment_kept() -> None:
    assert trim_leading_silence(wave(0.0, 0.03, -0.5, 0.0)).flatten().tolist() == [-0.5, 0.0]
    assert trim_leading_silence(wave(0.0, 0.01)).shape[-1] == 2


EMBEDDINGS = torch.randn(128, LLM_HIDDEN, generator=torch.Generator().manual_seed(0))


def synthesizer(max_tokens: int = 30) -> SpeechSynthesizer:
    return SpeechSynthesizer(
        decoder=tiny_decoder(),
        vocoder=ChunkedVocoder(CODEC, chunk=8),
        tokenize=lambda text: [ord(character) % 128 for character in text],
        embed_tokens=lambda ids: EMBEDDINGS[ids],
        sampling=Sampling(max_tokens=max_tokens),
    )


def test_speech_follows_the_text_segment_by_segment() -> None:
    chunks = list(synthesizer().stream("☞Hello there, world. 🙂! Good bye!", torch.Generator().manual_seed(1)))
    assert list(dict.fromkeys(chunk.segment for chunk in chunks)) == [0, 1, 2]
    for chunk in chunks:
        assert chunk.samples.shape == (HOP * len(chunk.codes),)
        assert chunk.samples.dtype == torch.float32
        assert chunk.samples.abs().max() > 0
    for segment in range(3):
        stops = [chunk.stop for chunk in chunks if chunk.segment == segment]
        assert stops[-1] in ("eos", "max_tokens")
        assert all(stop is None for stop in stops[:-1])


def test_a_seed_makes_speech_reproducible() -> None:
    first, second = (
        [chunk.codes for chunk in synthesizer().stream("Say it again.", torch.Generator().manual_seed(4))]
        for _ in range(2)
    )
    assert first == second


@pytest.mark.parametrize("text", ["", "   \n", "🙂🙂👍", "☞?!", "<|im_end|>"])
def test_a_text_without_anything_to_say_is_an_error(text: str) -> None:
    with pytest.raises(SpeechError, match="nothing to speak in"):
        list(synthesizer().stream(text))


def test_no_codec_token_is_an_error_and_never_silence() -> None:
    silent = synthesizer()
    with torch.no_grad():
        silent.decoder.out_fnn.bias[silent.decoder.config.eos] = 1e4
    with pytest.raises(SpeechError, match="before its first codec token"):
        list(silent.stream("Hello"))


@pytest.mark.parametrize("text", ["word " * 400, "字" * 2000, "Well, yes. " * 180])
def test_two_thousand_characters_are_spoken_in_bounded_segments(text: str) -> None:
    longest = 0

    def tokenize(segment: str) -> list[int]:
        nonlocal longest
        longest = max(longest, len(segment))
        return [1] * min(len(segment), 3)

    speaker = replace(synthesizer(max_tokens=2), tokenize=tokenize)
    assert {chunk.segment for chunk in speaker.stream(text)} >= {0, 10}
    assert longest <= 100


def test_parts_that_do_not_fit_together_are_refused() -> None:
    good = synthesizer()
    with pytest.raises(ValueError, match="30 codes, the codec holds 20"):
        replace(good, decoder=tiny_decoder(codes=30))
    with pytest.raises(ValueError, match="restrict_to_codec"):
        replace(good, sampling=Sampling(restrict_to_codec=False))
