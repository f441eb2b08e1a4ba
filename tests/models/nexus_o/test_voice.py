"""From states to sound, whole and in pieces."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.nexus_o import voice as voice_module
from models.nexus_o.audio_decoder import AudioDecoder
from models.nexus_o.code_decoding import CodePiece, decode_codes
from models.nexus_o.code_rows import CodeDecoding
from models.nexus_o.decoder_config import TOP_K
from models.nexus_o.firefly_checkpoint import random_firefly
from models.nexus_o.firefly_config import FireflyConfig
from models.nexus_o.voice import Voice
from models.nexus_o.voice_stream import Chunks, VoiceStream, WavePiece, streamed
from tests.models.nexus_o.speech_decoders import STREAMS, ending_decoder, random_codes, states, tiny_decoder, utterances

CODEC = random_firefly(FireflyConfig.tiny(), 0)
VOICE = Voice(ending_decoder(), CODEC)
SAMPLES = 2048  # of a frame


def silent_decoder() -> AudioDecoder:
    """One that ends before its first code."""
    decoder = tiny_decoder()
    with torch.no_grad():
        table = decoder.lm_head.weight.view(STREAMS, decoder.config.vocabulary, -1)[0]
        table[:1000] = 0
        start = torch.full((1, STREAMS, 1), decoder.config.special)
        read = decoder.scheduled(states(2)[None], torch.tensor([2]), 1)
        table[decoder.config.special] *= decoder.logits(start, read)[0, 0, 0, decoder.config.special].sign()
    return decoder


def joined(pieces: list[WavePiece], row: int) -> torch.Tensor:
    return torch.cat([piece.samples for piece in pieces if piece.row == row])


def test_an_answer_sounds_as_its_codes_decoded_alone() -> None:
    said, decoding = utterances([1, 5, 3, 8]), CodeDecoding(12)
    spoken = VOICE.speak(said, decoding)
    assert len({len(one.samples) for one in spoken}) > 1
    for one, codes in zip(spoken, decode_codes(VOICE.decoder, said, decoding), strict=True):
        assert torch.equal(one.codes, codes.codes) and one.finish == codes.finish
        assert one.samples.shape == (SAMPLES * codes.codes.shape[1],)
        want = CODEC.decode(codes.codes[None]).waves[0, 0]
        torch.testing.assert_close(one.samples, want, atol=2e-6, rtol=0)
        assert float(one.samples.abs().max()) > 0.01


@settings(max_examples=4, deadline=None)
@given(
    st.integers(1, 4),
    st.integers(1, 5),
    st.integers(1, 3),
    st.sampled_from([CodeDecoding(12), CodeDecoding(12, TOP_K)]),
)
def test_pieces_joined_are_the_whole(first: int, later: int, rows: int, decoding: CodeDecoding) -> None:
    said = utterances([1, 5, 3])
    pieces = list(streamed(VOICE, said, decoding, rows, Chunks(first, later)))
    for row, one in enumerate(VOICE.speak(said, decoding)):
        torch.testing.assert_close(joined(pieces, row), one.samples, atol=2e-6, rtol=0)
        own = [piece for piece in pieces if piece.row == row]
        assert torch.equal(torch.cat([piece.codes for piece in own], dim=1), one.codes)
        assert [piece.finish for piece in own] == [None] * (len(own) - 1) + [one.finish]
        sizes = [piece.codes.shape[1] for piece in own]
        assert sizes[:-1] == ([first] + [later] * len(sizes))[: len(sizes) - 1]
        assert all(len(piece.samples) == SAMPLES * piece.codes.shape[1] for piece in own)


def test_sound_does_not_change_by_what_follows() -> None:
    codes = random_codes(1, 7)[0]
    whole, start = VOICE.sound([codes, codes[:, :3]])
    torch.testing.assert_close(whole[: 3 * SAMPLES], start, atol=2e-6, rtol=0)


def test_an_answer_that_ends_at_once_has_no_sample() -> None:
    voice = Voice(silent_decoder(), CODEC)
    (one,) = voice.speak(utterances([2]), CodeDecoding(4))
    assert (one.samples.shape, one.codes.shape, one.finish) == ((0,), (STREAMS, 0), "stop")
    (piece,) = streamed(voice, utterances([2]), CodeDecoding(4))
    assert (piece.samples.shape, piece.codes.shape, piece.finish) == ((0,), (STREAMS, 0), "stop")


def test_sound_is_the_same_however_many_rows_the_codec_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    codes = [random_codes(1, frames, frames)[0] for frames in (2, 5, 1, 4)] + [
        torch.zeros(STREAMS, 0, dtype=torch.long)
    ]
    want = VOICE.sound(codes)
    monkeypatch.setattr(voice_module, "FRAMES_AT_ONCE", 8)
    assert voice_module._batches([one.shape[1] for one in codes]) == [[1], [3, 0], [2]]
    for got, one in zip(VOICE.sound(codes), want, strict=True):
        torch.testing.assert_close(got, one, atol=2e-6, rtol=0)


def test_a_chunk_is_given_out_when_it_is_full_and_the_rest_at_the_end() -> None:
    stream, codes = VoiceStream(VOICE, Chunks(2, 3)), random_codes(1, 6)[0]
    got = []
    for frame in range(6):
        piece = stream.push(CodePiece(0, codes[:, frame : frame + 1], 0.0, "stop" if frame == 5 else None))
        got.append(None if piece is None else piece.codes.shape[1])
    assert got == [None, 2, None, None, 3, 1]


def test_parts_that_do_not_fit_are_refused() -> None:
    tiny = FireflyConfig.tiny()
    four = replace(tiny, quantizer=replace(tiny.quantizer, groups=4))
    with pytest.raises(ValueError, match="streams: the speech decoder has 8, the codec 4"):
        Voice(tiny_decoder(), random_firefly(four, 0))
    few = replace(tiny, quantizer=replace(tiny.quantizer, levels=(8, 5, 5)))
    with pytest.raises(ValueError, match="codes: the speech decoder has 1000, the codec 200"):
        Voice(tiny_decoder(), random_firefly(few, 0))
    with pytest.raises(ValueError, match="at least one frame"):
        Chunks(0)


def test_seconds_become_frames() -> None:
    assert (VOICE.frames(30), VOICE.frames(0.001), VOICE.sample_rate) == (645, 1, 44_100)
