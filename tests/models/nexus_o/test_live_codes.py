"""Codes of an answer in the making: none other than of the answer that is there."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.nexus_o.code_decoding import CodePiece, decode_codes
from models.nexus_o.code_rows import CodeDecoding, Utterance
from models.nexus_o.decoder_config import TOP_K
from models.nexus_o.firefly_checkpoint import random_firefly
from models.nexus_o.firefly_config import FireflyConfig
from models.nexus_o.live_codes import LiveCodes
from models.nexus_o.voice import Voice
from models.nexus_o.voice_stream import Chunks, VoiceStream
from models.sampling import GREEDY, Sampling
from tests.models.nexus_o.speech_decoders import STREAMS, ending_decoder, states, tiny_decoder

SCHEDULES = ("hold_last", "last_only", "zero_after")
DECODERS = {schedule: ending_decoder(hidden_schedule=schedule) for schedule in SCHEDULES}


def live(codes: LiveCodes, hidden: torch.Tensor, sizes: list[int]) -> list[CodePiece]:
    pieces = [codes.push(part) for part in hidden.split(sizes)]
    return [*(piece for piece in pieces if piece is not None), *codes.finish()]


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("sampling", [GREEDY, TOP_K], ids=["greedy", "drawn"])
@settings(max_examples=6, deadline=None)
@given(st.lists(st.integers(1, 9), min_size=1, max_size=6), st.integers(0, 99))
def test_codes_are_those_of_the_whole_answer(schedule: Any, sampling: Sampling, sizes: list[int], seed: int) -> None:
    decoder, decoding, hidden = DECODERS[schedule], CodeDecoding(12, sampling), states(sum(sizes), seed)
    pieces = live(LiveCodes(decoder, decoding, seed), hidden, sizes)
    (want,) = decode_codes(decoder, [Utterance(hidden, seed)], decoding)
    assert torch.equal(torch.cat([piece.codes for piece in pieces], dim=1), want.codes)
    assert [piece.finish for piece in pieces] == [None] * (len(pieces) - 1) + [want.finish]


def test_speech_begins_with_the_token_that_completes_a_frame() -> None:
    codes, hidden = LiveCodes(tiny_decoder(), CodeDecoding(20)), states(10)
    assert all(codes.push(hidden[token : token + 1]) is None for token in range(STREAMS - 1))
    for token in (STREAMS - 1, STREAMS, STREAMS + 1):
        piece = codes.push(hidden[token : token + 1])
        assert piece is not None and piece.codes.shape == (STREAMS, 1)


def test_where_all_steps_read_the_last_state_speech_waits_for_it() -> None:
    codes = LiveCodes(DECODERS["last_only"], CodeDecoding(20))
    assert codes.push(states(30)) is None


@torch.no_grad()
def test_its_sound_is_that_of_the_whole_answer() -> None:
    voice = Voice(ending_decoder(), random_firefly(FireflyConfig.tiny(), 0))
    decoding, hidden, stream = CodeDecoding(12), states(5), VoiceStream(voice, Chunks(1, 3))
    pieces = [stream.push(piece) for piece in live(LiveCodes(voice.decoder, decoding), hidden, [2, 3])]
    (whole,) = voice.speak([Utterance(hidden)], decoding)
    joined = torch.cat([piece.samples for piece in pieces if piece is not None])
    torch.testing.assert_close(joined, whole.samples, atol=2e-6, rtol=0)


def test_an_answer_has_a_state_and_an_end() -> None:
    codes = LiveCodes(tiny_decoder(), CodeDecoding(2))
    with pytest.raises(ValueError, match="no state was given"):
        next(codes.finish())
    with pytest.raises(ValueError, match="at least one state"):
        codes.push(states(1)[:0])
    codes.push(states(1))
    assert [piece.codes.shape[1] for piece in codes.finish()] == [1, 1]
    with pytest.raises(ValueError, match="the text is over"):
        codes.push(states(1))
