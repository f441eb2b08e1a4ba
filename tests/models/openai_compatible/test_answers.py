"""Replies of every kind, good and bad, and what becomes of them."""

from __future__ import annotations

import base64
import io
import json
import re
from dataclasses import replace
from threading import Lock

import numpy as np
import pytest
import soundfile

from harness.contracts import ModelOptions
from harness.endpoints.patience import TRIES
from harness.failures import ModelStopped, SampleError
from harness.registry import get_model
from harness.types import Failure, Generation, Response, Usage
from models.openai_compatible.adapter import Endpoint as Remote
from tests.fake_endpoint import KEY, Asked, Endpoint, Sends, refuses, says, streams
from tests.models.asking import outcomes, ready, responses
from tests.models.contract import SPOKEN, asked
from tests.models.openai_compatible.conftest import Opens, parrot

GOOD = streams("good")
TROUBLES = {
    "busy": refuses(429, "slow down"),
    "broken": refuses(500, "sorry"),
    "torn stream": streams("half an ans", reason=None),
    "half an event": Sends(events=(b'data: {"choices": [{"delta": {"cont',), headers=GOOD.headers),
    "an error in the stream": Sends(events=(b'data: {"error": {"message": "oh"}}\n\n',), headers=GOOD.headers),
    "no gzip": Sends(b"no gzip at all", headers={"Content-Encoding": "gzip"}),
    "no JSON": Sends(b"<html>bad gateway</html>"),
    "closed in the middle": Sends(says("whole").body, cut=20),
    "no choices": Sends(b'{"choices": []}'),
}


def test_a_stream_is_joined_and_its_first_token_timed(opens: Opens, fake: Endpoint) -> None:
    fake.script(streams("one ", "two ", "\u2028three", beat_s=0.02))
    (answer,) = responses(opens(), [asked("count")])
    assert (answer.text, answer.usage, answer.truncated) == ("one two \u2028three", Usage(100, 10), False)
    assert answer.timings is not None and answer.timings.first_token is not None
    assert answer.timings.end - answer.timings.first_token > 0.04


def test_chunks_come_as_they_are_made(opens: Opens, fake: Endpoint) -> None:
    fake.script(refuses(503, "warming up"), streams("one ", "two"))
    model = opens()
    chunks = list(model.stream(ready(model, [asked("count")])[0]))
    assert [chunk.text for chunk in chunks] == ["one ", "two"] and chunks[0].at <= chunks[1].at
    fake.script(streams("half", reason=None))
    pieces = model.stream(ready(model, [asked("count")])[0])
    assert next(pieces).text == "half"
    with pytest.raises(SampleError, match="ended before"):
        next(pieces)


def test_a_reply_in_one_piece_tells_no_time_to_the_first_token(opens: Opens, fake: Endpoint) -> None:
    fake.script(says("whole"))
    for model in (opens(stream="no"), opens()):  # or the endpoint does not stream
        (answer,) = responses(model, [asked("all at once")])
        assert (answer.text, answer.usage) == ("whole", Usage(100, 10))
        assert answer.timings is not None and answer.timings.first_token is None
    assert "stream" not in fake.asked[0].body


def test_an_answer_at_its_length_is_truncated(opens: Opens, fake: Endpoint) -> None:
    fake.script(streams("and so o", reason="length"))
    assert responses(opens(), [asked("tell")])[0].truncated


@pytest.mark.parametrize("stream", ["yes", "no"])
def test_speech_comes_out(opens: Opens, fake: Endpoint, stream: str) -> None:
    samples = (0.5 * np.sin(np.arange(2400) / 10)).astype(np.float32)
    pcm = (samples * 32767).astype("<i2").tobytes()
    if stream == "yes":
        odd = [{"data": base64.b64encode(pcm[:1001]).decode()}, {"data": base64.b64encode(pcm[1001:]).decode()}]
        odd.append({"transcript": "hello"})
        events = [
            b"data: " + json.dumps({"choices": [{"delta": {"audio": audio}}]}).encode() + b"\n\n" for audio in odd
        ]
        fake.script(Sends(events=(*events, *streams("").events[1:]), headers=GOOD.headers))
    else:
        buffer = io.BytesIO()
        soundfile.write(buffer, samples, 24_000, format="WAV", subtype="PCM_16")
        audio = {"data": base64.b64encode(buffer.getvalue()).decode(), "transcript": "hello"}
        choice = {"message": {"content": None, "audio": audio}, "finish_reason": "stop"}
        usage = {"prompt_tokens": 5, "completion_tokens": 9, "completion_tokens_details": {"audio_tokens": 6}}
        fake.script(Sends(json.dumps({"choices": [choice], "usage": usage}).encode()))
    (answer,) = responses(opens(speech="yes", stream=stream), [asked("speak", outputs=SPOKEN)])
    assert answer.text == "hello" and answer.speech is not None and answer.speech.rate == 24_000
    np.testing.assert_allclose(answer.speech.samples, samples, atol=1e-4)
    assert fake.asked[0].body["modalities"] == ["text", "audio"]
    assert fake.asked[0].body["audio"]["format"] == ("pcm16" if stream == "yes" else "wav")
    assert stream == "yes" or answer.usage == Usage(5, 3, 6)


@pytest.mark.parametrize("trouble", TROUBLES)
def test_what_may_pass_is_tried_again(opens: Opens, fake: Endpoint, trouble: str) -> None:
    fake.script(TROUBLES[trouble], TROUBLES[trouble], GOOD)
    assert responses(opens(), [asked("once more")])[0].text == "good" and len(fake.asked) == 3


@pytest.mark.parametrize("trouble", TROUBLES)
def test_what_does_not_pass_for_one_is_its_own_failure(opens: Opens, fake: Endpoint, trouble: str) -> None:
    fake.answer = lambda asked: TROUBLES[trouble] if asked.last == "bad" else GOOD
    bad, good = outcomes(opens(concurrency="1"), [asked("bad"), asked("good")])
    assert isinstance(bad, Failure) and (bad.stage, bad.kind) == ("generate", "transient") and bad.message
    assert isinstance(good, Response) and len(fake.asked) == TRIES + 1


def test_the_endpoint_says_how_long_to_wait(opens: Opens, fake: Endpoint, waited: list[str | None]) -> None:
    fake.script(refuses(429, "wait", **{"Retry-After": "7"}), GOOD)
    responses(opens(), [asked("now?")])
    assert set(waited) == {"7"}


def test_no_reply_in_time_is_tried_again_though_it_drips(opens: Opens, fake: Endpoint) -> None:
    fake.script(Sends(hangs=True), streams(*"abcdefghij" * 3, beat_s=0.05), GOOD)
    assert responses(opens(timeout="0.3"), [asked("in time?")])[0].text == "good" and len(fake.asked) == 3


@pytest.mark.parametrize(
    ("sends", "why"),
    [
        (streams("I", reason="content_filter"), "content filter"),
        (streams(refusal="I will not"), "refused: I will not"),
        (refuses(400, f"too long for {KEY}"), "too long for ***"),
    ],
)
def test_a_refusal_is_a_failure_of_one_and_never_text(opens: Opens, fake: Endpoint, sends: Sends, why: str) -> None:
    fake.answer = lambda asked: sends if asked.last == "bad" else GOOD
    good, bad = outcomes(opens(concurrency="1"), [asked("good"), asked("bad")])
    assert isinstance(good, Response) and isinstance(bad, Failure)
    assert bad.kind == "permanent" and why in bad.message and KEY not in bad.message


def test_a_storm_of_429_is_ridden_out_with_fewer_requests(opens: Opens, fake: Endpoint) -> None:
    now, most, refused, lock = 0, 0, 0, Lock()

    def answer(asked: Asked) -> Sends:
        nonlocal now, most, refused
        with lock:
            now += 1
            most = max(most, now)
            crowded = now > 2
            refused += crowded
        try:
            return refuses(429, "too many") if crowded else parrot(asked)
        finally:
            with lock:
                now -= 1

    fake.answer = answer
    batch = [asked(str(number)) for number in range(60)]
    found = outcomes(opens(), batch, 16)
    assert all(isinstance(one, Response) for one in found)
    assert most <= 16


@pytest.mark.parametrize("status", [401, 402, 403, 404])
def test_a_refused_key_or_model_stops_all_and_is_no_failure(opens: Opens, fake: Endpoint, status: int) -> None:
    fake.script(refuses(status, f"not for {KEY}"))
    model = opens(concurrency="1")
    with pytest.raises(ModelStopped, match="OPENAI_API_KEY") as told:
        list(model.generate(ready(model, [asked("a"), asked("b")]), 1))
    assert len(fake.asked) == 1 and KEY not in str(told.value)


@pytest.mark.parametrize(
    "limit", [{"max_tokens_total": "450"}, {"max_cost": "0.45", "price_in": "1e3", "price_out": "1e3"}]
)
def test_money_and_tokens_are_kept_to(opens: Opens, fake: Endpoint, limit: dict[str, str]) -> None:
    """A reply takes 110 tokens and might take 130, which the estimate of the prompt does not know before the first."""
    model, found = opens(**limit), list[object]()
    answers = model.generate(ready(model, [asked(str(number)) for number in range(20)]), 8)
    with pytest.raises(ModelStopped, match=re.escape("=".join(next(iter(limit.items()))))):
        for _, answer in answers:
            found.append(answer)
    assert len(found) == len(fake.asked) == 3 and all(isinstance(answer, Response) for answer in found)


@pytest.mark.parametrize("pieces", [(f"your key is {KEY}.",), ("your key is sk-a-sec", "ret-of-the-test", ".")])
def test_a_key_is_in_no_piece_of_a_stream_either(opens: Opens, fake: Endpoint, pieces: tuple[str, ...]) -> None:
    fake.script(streams(*pieces))
    model = opens()
    chunks = list(model.stream(ready(model, [asked("key?")])[0]))
    assert "".join(chunk.text for chunk in chunks) == "your key is ***."
    fake.script(streams(refusal=f"not for {KEY}"))
    with pytest.raises(SampleError, match=r"refused: not for \*\*\*"):
        list(model.stream(ready(model, [asked("key?")])[0]))


@pytest.mark.parametrize("kind", ["text/plain", "text/event-stream"])
@pytest.mark.parametrize("end", [b"\r\n", b"\n", b"\r"])
def test_events_are_read_whatever_ends_their_lines(opens: Opens, fake: Endpoint, kind: str, end: bytes) -> None:
    events = tuple(event.replace(b"\n", end) for event in streams("go", "od").events)
    fake.script(Sends(events=events, headers={"Content-Type": kind}))
    (answer,) = responses(opens(), [asked("well?")])
    assert (answer.text, answer.usage, len(fake.asked)) == ("good", Usage(100, 10), 1)
    assert answer.timings is not None and (answer.timings.first_token is None) == (kind == "text/plain")


def test_a_stream_that_says_it_is_done_is_whole(opens: Opens, fake: Endpoint) -> None:
    torn = streams("good", reason=None)
    fake.script(replace(torn, events=(*torn.events, b"data: [DONE]\n\n")))
    assert responses(opens(), [asked("done?")])[0].text == "good" and len(fake.asked) == 1


def test_redirects_in_a_circle_are_not_followed_again(opens: Opens, fake: Endpoint) -> None:
    fake.script(Sends(status=307, headers={"Location": f"{fake.url}/chat/completions"}))
    (found,) = outcomes(opens(concurrency="1"), [asked("where?")])
    assert isinstance(found, Failure) and "redirects" in found.message and len(fake.asked) <= 21


@pytest.mark.parametrize(
    "usage", [{"prompt_tokens": 12.5, "completion_tokens": "1"}, {"prompt_tokens": 9}, "free", [1], None]
)
def test_what_is_told_of_usage_in_another_way_costs_no_answer(opens: Opens, fake: Endpoint, usage: object) -> None:
    fake.script(says("good", usage=usage))
    (answer,) = responses(opens(), [asked("how much?")])
    assert (answer.text, answer.usage, len(fake.asked)) == ("good", Usage(), 1)


@pytest.mark.parametrize("half", ["cut", "late"])
def test_half_an_answer_counts_as_what_was_set_aside(opens: Opens, fake: Endpoint, half: str) -> None:
    """130 tokens each: of 450 three are spent, and nothing is asked a fourth time."""
    whole = says("and so on")
    halves = {"cut": replace(whole, cut=len(whole.body) // 2), "late": streams(*"abcdefghij" * 3, beat_s=0.05)}
    fake.script(halves[half])
    model = opens(max_tokens_total="450", timeout="0.3", concurrency="1")
    generation = Generation(max_new_tokens=120)
    with pytest.raises(ModelStopped, match="max_tokens_total=450"):
        list(model.generate(ready(model, [asked("tell", generation=generation)]), 1))
    assert len(fake.asked) == 3


def test_the_least_request_counts_too_where_it_does_not_say_how_much(opens: Opens, fake: Endpoint) -> None:
    fake.answer = lambda asked: streams("hi", usage=False) if asked.last == "Hello" else refuses(400, "too long")
    model = opens(max_tokens_total="10000")
    (found,) = outcomes(model, [asked("long", generation=Generation(max_new_tokens=120))])
    assert isinstance(found, Failure) and "too long" in found.message and model._budget.tokens > 120


def test_a_status_is_told_once(opens: Opens, fake: Endpoint) -> None:
    fake.answer = lambda asked: refuses(400, "no such thing") if asked.last == "bad" else GOOD
    _, bad = outcomes(opens(concurrency="1"), [asked("good"), asked("bad")])
    assert isinstance(bad, Failure) and bad.message.count("400") == 1


def test_a_key_that_an_endpoint_sends_back_is_in_no_answer(opens: Opens, fake: Endpoint) -> None:
    fake.script(streams(f"your key is {KEY}"))
    assert responses(opens(), [asked("key?")])[0].text == "your key is ***"


@pytest.mark.parametrize("key", ["", "none", "EMPTY", "e"])
def test_a_key_that_is_no_secret_may_be_what_was_asked_for(
    fake: Endpoint, opens: Opens, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", key)
    monkeypatch.setenv("OPENAI_BASE_URL", fake.url + "?v=1")
    fake.script(streams("EMPTY, none, 1"))
    model = get_model("openai:fake")(ModelOptions())
    assert isinstance(model, Remote)
    assert responses(model, [asked("what is left?")])[0].text == "EMPTY, none, 1"
    model.close()
