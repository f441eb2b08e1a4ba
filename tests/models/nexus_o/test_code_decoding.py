"""Decoding speech codes: equal to recomputing everything, alone or beside others, drawn by a seed."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from models.nexus_o.audio_decoder import AudioDecoder
from models.nexus_o.code_decoding import CodeDecode, CodePiece, decode_codes
from models.nexus_o.code_rows import CodeDecoding, CodeRows, Utterance
from models.nexus_o.decoder_config import TOP_K
from models.sampling import GREEDY, Sampling, sample
from tests.models.nexus_o.speech_decoders import STREAMS, ending_decoder, states, tiny_decoder, utterances

MOST = 12
DECODER = ending_decoder()
HOW = pytest.mark.parametrize("sampling", [GREEDY, TOP_K], ids=["greedy", "drawn"])


@torch.no_grad()
def by_hand(decoder: AudioDecoder, said: Utterance, decoding: CodeDecoding) -> list[list[int]]:
    """The codes of each stream, without cache or delay tables: all is computed anew in each step."""
    special, any_ends = decoder.config.special, decoder.config.end == "all_streams"
    uniforms = torch.rand(
        decoding.max_frames + STREAMS - 1, STREAMS, generator=torch.Generator().manual_seed(said.seed)
    )
    columns = [[special] * STREAMS]
    frames, step = decoding.max_frames, 0
    while frames and step < frames + STREAMS - 1:
        read = decoder.scheduled(said.hidden[None], torch.tensor([len(said.hidden)]), step + 1)
        logits = decoder.logits(torch.tensor(columns).T[None], read)[0, -1]
        column = []
        for stream in range(STREAMS):
            allowed = torch.zeros(decoder.config.vocabulary, dtype=torch.bool)
            allowed[:1000] = True
            allowed[special] = stream == 0 or any_ends
            row = torch.where(allowed, logits[stream], -torch.inf)
            if decoding.sampling == GREEDY:
                column.append(int(row.argmax()))
            else:
                column.append(int(sample(row[None], uniforms[step, stream].view(1, 1), decoding.sampling)))
        frames = min([frames] + [step - k for k in range(step + 1) if k < STREAMS and column[k] == special])
        columns.append([code if 0 <= step - k < frames else special for k, code in enumerate(column)])
        step += 1
    return [[columns[1 + k + frame][k] for frame in range(frames)] for k in range(STREAMS)]


@HOW
@pytest.mark.parametrize(
    "choices",
    [
        {},
        {"mix": "two_way", "hidden_schedule": "zero_after"},
        {"hidden_schedule": "last_only", "code_end": "all_streams"},
        {"decoder_width": 32, "special_code": 1003},
    ],
)
def test_cached_steps_make_what_recomputing_everything_makes(sampling: Sampling, choices: dict[str, Any]) -> None:
    decoder, decoding = ending_decoder(**choices), CodeDecoding(MOST, sampling)
    said = utterances([1, 4, 30])
    got = decode_codes(decoder, said, decoding)
    want = [by_hand(decoder, one, decoding) for one in said]
    assert [one.codes.tolist() for one in got] == want


def test_some_of_these_end_by_themselves_and_some_do_not() -> None:
    """Otherwise the tests here would say little of ends."""
    got = decode_codes(DECODER, utterances(range(1, 9)), CodeDecoding(MOST))
    assert {one.finish for one in got} == {"stop", "length"}
    assert all((one.codes.shape[1] == MOST) == (one.finish == "length") for one in got)
    assert len({one.codes.shape[1] for one in got}) > 2


@HOW
@settings(max_examples=5, deadline=None)
@given(st.lists(st.integers(1, 9), min_size=2, max_size=5), st.integers(0, 99), st.integers(1, 4), st.integers(1, 5))
def test_an_utterance_is_the_same_alone_and_beside_others(
    sampling: Sampling, lengths: list[int], seed: int, rows: int, read_every: int
) -> None:
    decoding, said = CodeDecoding(MOST, sampling), utterances(lengths, seed)
    alone = [decode_codes(DECODER, [one], decoding)[0] for one in said]
    for got in (decode_codes(DECODER, said, decoding), decode_codes(DECODER, said, decoding, rows, read_every)):
        assert all(torch.equal(one.codes, other.codes) for one, other in zip(got, alone, strict=True))
        assert [one.finish for one in got] == [one.finish for one in alone]


@pytest.mark.parametrize("end", ["stream_0", "all_streams"])
@settings(max_examples=10, deadline=None)
@given(st.integers(1, 60), st.floats(0.2, 3.0), st.integers(0, 999))
def test_only_codes_come_out(end: Any, top_k: int, temperature: float, seed: int) -> None:
    decoder, decoding = ending_decoder(code_end=end), CodeDecoding(6, Sampling(temperature, top_k))
    (got,) = decode_codes(decoder, [Utterance(states(2, seed), seed)], decoding)
    assert got.codes.shape[0] == STREAMS and got.codes.shape[1] <= 6
    assert bool(((got.codes >= 0) & (got.codes < 1000)).all())


def test_the_same_seed_draws_the_same_codes() -> None:
    hidden, decoding = states(3), CodeDecoding(MOST, TOP_K)
    first, again, other = decode_codes(tiny_decoder(), [Utterance(hidden, seed) for seed in (5, 5, 6)], decoding)
    assert torch.equal(first.codes, again.codes)
    assert not torch.equal(first.codes, other.codes)


def test_top_1_is_greedy() -> None:
    said = utterances([2, 5])
    drawn = decode_codes(DECODER, said, CodeDecoding(MOST, Sampling(0.8, 1)))
    greedy = decode_codes(DECODER, said, CodeDecoding(MOST))
    assert all(torch.equal(one.codes, other.codes) for one, other in zip(drawn, greedy, strict=True))


def test_the_first_frame_is_whole_after_as_many_steps_as_streams_and_then_each_step_makes_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    steps: list[int] = []
    plain = CodeRows.step

    def counted(self: CodeRows, taken: Any) -> None:
        steps.append(len(taken))
        plain(self, taken)

    monkeypatch.setattr(CodeRows, "step", counted)
    when = [
        (len(steps), piece.codes.shape[1]) for piece in CodeDecode(tiny_decoder(), utterances([3]), 1, CodeDecoding(5))
    ]
    assert when == [(STREAMS + frame, 1) for frame in range(5)]
    assert len(steps) == STREAMS + 4


def test_a_row_that_is_over_costs_no_step(monkeypatch: pytest.MonkeyPatch) -> None:
    said = utterances(range(1, 9))
    lengths = [one.codes.shape[1] for one in decode_codes(DECODER, said, CodeDecoding(MOST))]
    active: list[int] = []
    plain = CodeRows.step
    monkeypatch.setattr(CodeRows, "step", lambda self, taken: (active.append(len(taken)), plain(self, taken))[1])
    decode_codes(DECODER, said, CodeDecoding(MOST))
    assert sum(active) == sum(length + STREAMS - 1 if length else 1 for length in lengths)
    assert len(active) == max(lengths) + STREAMS - 1


def test_pieces_make_up_the_codes() -> None:
    said, decoding = utterances([1, 2, 3, 4, 5]), CodeDecoding(MOST)
    found: dict[int, list[Tensor]] = {}
    last: dict[int, CodePiece] = {}
    for piece in CodeDecode(DECODER, iter(said), 2, decoding):
        assert piece.row not in last or last[piece.row].finish is None
        found.setdefault(piece.row, []).append(piece.codes)
        last[piece.row] = piece
    want = decode_codes(DECODER, said, decoding)
    assert all(torch.equal(torch.cat(found[row], dim=1), one.codes) for row, one in enumerate(want))
    assert [last[row].finish for row in range(5)] == [one.finish for one in want]


def test_an_utterance_that_is_ended_gives_its_place_away() -> None:
    decode = CodeDecode(tiny_decoder(), iter(utterances([2, 2, 2])), 2, CodeDecoding(6))
    rows = []
    for piece in decode:
        rows.append(piece.row)
        if piece.row == 0:
            decode.end(0)
    assert rows.count(0) == 1 and rows.count(1) == rows.count(2) == 6


def test_nothing_to_say_makes_nothing() -> None:
    assert decode_codes(DECODER, [], CodeDecoding(3)) == []


def test_bad_settings_are_refused() -> None:
    with pytest.raises(ValueError, match="max_frames is 0"):
        CodeDecoding(0)
    with pytest.raises(ValueError, match="repetition_penalty"):
        CodeDecoding(1, Sampling(repetition_penalty=1.1))
    with pytest.raises(ValueError, match="at least one state"):
        Utterance(torch.zeros(0, 4))
    with pytest.raises(ValueError, match="0 rows"):
        CodeDecode(DECODER, [], 0, CodeDecoding(1))


@HOW
@torch.inference_mode()
def test_a_step_reads_nothing_back_and_leaves_its_tensors_in_place(sampling: Sampling) -> None:
    """On a device whose tensors have no values, as a graph is captured."""
    rows = CodeRows(tiny_decoder().to("meta"), 2, CodeDecoding(4, sampling))
    for place, one in enumerate(utterances([2, 3])):
        rows.join(one, place)
    with pytest.raises((NotImplementedError, RuntimeError), match="meta"):
        rows.limit.tolist()
    before = {name: value for name, value in vars(rows).items() if isinstance(value, torch.Tensor)}
    for taken in ([0, 0], [1, 0], [2]):
        rows.step(taken)
    assert len(before) >= 10
    assert all(getattr(rows, name) is value for name, value in before.items())


def test_steps_behind_the_end_of_every_row_change_nothing() -> None:
    """Reads are 25 steps apart, the longest row has 12."""
    said, decoding = utterances([1, 5]), CodeDecoding(5)
    for one, other in zip(
        decode_codes(DECODER, said, decoding, read_every=25), decode_codes(DECODER, said, decoding), strict=True
    ):
        assert torch.equal(one.codes, other.codes) and one.finish == other.finish
