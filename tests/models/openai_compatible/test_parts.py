"""The parts by themselves: how many requests there are at once, what may be spent, how a stream is read."""

from __future__ import annotations

import json
import time
from itertools import pairwise
from threading import Thread
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.endpoints.patience import Garbled
from harness.endpoints.place import Scrubbed
from harness.types import Usage, Waveform
from models.openai_compatible.budget import Budget
from models.openai_compatible.gate import FIRST, Gate
from models.openai_compatible.replies import streamed, whole
from models.openai_compatible.requests import _picture, least, sound_file
from tests.fake_endpoint import says, streams
from tests.models.openai_compatible.conftest import Opens

STREAM = b"".join(streams("wie ", "schön \u2028 数").events)


def test_the_least_request_has_each_kind_of_input_once(opens: Opens) -> None:
    settings = opens()._settings
    text = {"type": "text", "text": "long " * 900}
    picture, sound = {"type": "image_url", "image_url": {}}, {"type": "input_audio", "input_audio": {}}
    (plain,) = least([{"role": "system", "content": "long"}, {"role": "user", "content": "long"}], settings)
    assert plain == {"role": "user", "content": "Hello"}
    (mixed,) = least([{"role": "user", "content": [picture, picture, sound, text]}], settings)
    assert [part["type"] for part in mixed["content"]] == ["image_url", "input_audio", "text"]
    assert len(str(mixed)) < 40_000


def test_a_rate_that_mp3_has_not_is_told_with_what_takes_it() -> None:
    sound = Waveform(np.zeros(960, np.float32), 96_000)
    with pytest.raises(ValueError, match=r"cannot be written as mp3; --option audio_format=wav takes any rate$"):
        sound_file(sound, "mp3")


def test_a_side_that_jpeg_has_not_is_told() -> None:
    assert _picture(np.zeros((1, 65_500, 3), np.uint8), "jpeg")["type"] == "image_url"
    with pytest.raises(ValueError, match="65501 x 1 pixels cannot be written as jpeg"):
        _picture(np.zeros((1, 65_501, 3), np.uint8), "jpeg")


@given(st.lists(st.text("abc", max_size=6), max_size=12))
def test_a_secret_is_taken_out_wherever_its_pieces_end(pieces: list[str]) -> None:
    shown = Scrubbed(["abcab"])
    said = [*map(shown, pieces), shown.rest()]
    assert "".join(said) == "".join(pieces).replace("abcab", "***")


def entered(gate: Gate) -> float:
    moment = gate.enter()
    assert moment is not None
    return moment


def test_a_round_of_good_replies_makes_room_for_one_more_up_to_the_most() -> None:
    gate, widths = Gate(6), []
    for _ in range(40):
        widths.append(gate.width)
        gate.leave(entered(gate), good=True)
    assert widths[0] == FIRST and widths[-1] == 6
    assert widths[FIRST - 1] == FIRST and widths[FIRST + 1] == FIRST + 1
    assert all(later - earlier in (0, 1) for earlier, later in pairwise(widths))


def test_a_burst_of_refusals_halves_once_and_the_next_one_again_down_to_one() -> None:
    gate = Gate(16, first=16)
    for expected in (8, 4, 2, 1, 1):
        moments = [entered(gate) for _ in range(min(3, gate.width))]
        for moment in moments:
            gate.leave(moment, busy=True)
        assert gate.width == expected


def test_no_more_enter_than_there_is_room_and_a_pause_holds_for_all() -> None:
    gate, inside = Gate(1), list[float | None]()
    first = entered(gate)
    other = Thread(target=lambda: inside.append(gate.enter()))
    other.start()
    time.sleep(0.02)
    assert not inside
    gate.leave(first, busy=True, pause_s=0.05)
    left = time.monotonic()
    other.join(5)
    assert inside[0] is not None and inside[0] - left > 0.04
    gate.close()
    assert gate.enter() is None and gate.wait(60) is False


@given(st.lists(st.tuples(st.integers(1, 50), st.integers(1, 50)), max_size=30), st.integers(50, 500))
def test_what_is_taken_stays_within_the_limit(requests: list[tuple[int, int]], most: int) -> None:
    budget, held = Budget(most, None, None), []
    for prompt, longest in requests:
        usage = budget.hold(prompt, longest)
        if usage is None and held:  # one ends, and took what it might
            ended, estimated = held.pop()
            budget.release(ended)
            budget.spend(ended, estimated)
        elif usage is not None:
            held.append((usage, prompt))
        assert budget.tokens + sum(one.prompt_tokens + one.new_tokens for one, _ in held) <= most


def test_prompts_are_estimated_by_the_most_that_any_took() -> None:
    budget = Budget(1000, None, None)
    assert budget.hold(10, 5) == Usage(10, 5)
    assert budget.hold(10, 5) is None, "nothing beside the first, which tells how long prompts are"
    budget.spend(Usage(30, 1), 10)
    budget.release(Usage(10, 5))
    assert budget.hold(20, 5) == Usage(60, 5) and budget.hold(20, 5) == Usage(60, 5)


def test_what_does_not_fit_is_told_with_what_it_may_take() -> None:
    budget = Budget(300, 0.25, (1000.0, 2000.0))
    assert budget.hold(10, 500) is None
    said = "0 tokens were taken for 0; the next request, which may take 510 tokens for 1.01, does not fit into "
    assert budget.told() == said + "max_tokens_total=300, max_cost=0.25"


@given(st.lists(st.integers(0, len(STREAM)), max_size=8))
def test_a_stream_is_the_same_wherever_it_is_cut(cuts: list[int]) -> None:
    places = [0, *sorted(cuts), len(STREAM)]
    pieces = list(streamed(STREAM[start:end] for start, end in pairwise(places)))
    assert "".join(piece.text for piece in pieces) == "wie schön \u2028 数"
    assert [piece.usage for piece in pieces if piece.usage] == [Usage(100, 10)]


@given(st.integers(0, STREAM.index(b"finish_reason")))
def test_half_a_stream_is_no_answer(end: int) -> None:
    with pytest.raises(Garbled):
        list(streamed([STREAM[:end]]))


@given(st.binary())
def test_any_other_body_is_garbled(body: bytes) -> None:
    with pytest.raises(Garbled):
        whole(body)


def test_what_a_reply_says_it_took_gives_nothing_back() -> None:
    said = says("yes").body.replace(b": 100,", b": -5000,").replace(b": 10,", b": -7,")
    assert whole(said).usage == Usage(0, 0, 0)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ([{"type": "text", "text": "yes, "}, {"type": "text", "text": "a cup"}], "yes, a cup"),
        ([{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}, {"type": "text", "text": "B"}], "B"),
        ([{"type": "image_url", "image_url": {"url": "x"}}], ""),
        ([], ""),
        (None, ""),
    ],
)
def test_an_answer_in_parts_is_its_text(content: Any, text: str):
    said = json.dumps({"choices": [{"message": {"content": content}, "finish_reason": "stop"}]})
    assert whole(said.encode()).text == text
    event = json.dumps({"choices": [{"delta": {"content": content}, "finish_reason": "stop"}]})
    assert [piece.text for piece in streamed([b"data: " + event.encode() + b"\n\n"])] == [text]


def event(content: str, reason: str | None = None) -> bytes:
    said = {"choices": [{"delta": {"content": content}, "finish_reason": reason}]}
    return b"data: " + json.dumps(said).encode() + b"\n\n"


@pytest.mark.parametrize(
    ("pieces", "text"),
    [
        (["a \ud83d", "\ude00 b"], "a \U0001f600 b"),
        (["\ud83d", "", "\ude00"], "\U0001f600"),
        (["a \ud83d", "b"], "a \ufffdb"),
        (["\ude00", "b\ud83d"], "\ufffdb\ufffd"),
    ],
)
def test_halves_of_a_character_are_joined_over_pieces_and_a_lone_one_is_told(pieces: list[str], text: str):
    *first, last = pieces
    stream = [*map(event, first), event(last, "stop")]
    assert "".join(piece.text for piece in streamed(stream)) == text
    said = json.dumps({"choices": [{"message": {"content": "".join(pieces)}}]})
    assert whole(said.encode()).text == text
