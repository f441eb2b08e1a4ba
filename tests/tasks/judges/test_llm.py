"""A language model behind an HTTP endpoint as a judge: patience, faults, refusals, concurrency."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Barrier, Event

import pytest

from harness.contracts import JudgeOptions
from harness.endpoints.patience import TRIES
from harness.types import Ask, Failure, Media, Unusable, Usage, Verdict
from tasks.judges import llm as module
from tasks.judges.llm import SILENT, UNUSABLE, Llm, Said, llm
from tasks.scoring.asking import ask
from tests.fake_endpoint import KEY, Asked, Endpoint, Sends, refuses, says
from tests.patience import PATIENCE_S

TORN = Sends(says("0.5").body, cut=20)
TROUBLES = {
    "busy": refuses(429, "slow down"),
    "broken": refuses(500, "sorry"),
    "late": refuses(408, "you took too long"),
    "conflict": refuses(409, "locked"),
    "no JSON": Sends(b"<html>bad gateway</html>"),
    "half a JSON": Sends(says("0.5").body[:30]),
    "no choices": Sends(b'{"choices": [], "usage": null}'),
    "another shape": Sends(b'{"error": "overloaded"}'),
    "empty": says(""),
    "blank": says(" \n"),
    "null": says(None),
    "cut off": says("0.", "length"),
    "filtered": says("", "content_filter"),
    "closed in the middle": TORN,
}


@pytest.fixture
def opened(fake: Endpoint, monkeypatch: pytest.MonkeyPatch) -> Iterator[Llm]:
    """Asks one thing at a time."""
    monkeypatch.setenv("HARNESS_JUDGE_CONCURRENCY", "1")
    yield from _opened()


def _opened() -> Iterator[Llm]:
    judge = llm(JudgeOptions("grader"))
    judge.open()
    yield judge
    judge.close()


def said(judge: Llm, *prompts: str) -> list[Said]:
    found = dict(judge.judge([ask(prompt) for prompt in prompts or ("how good?",)]))
    return [found[index] for index in range(len(found))]


def test_an_ask_is_one_user_message_at_its_temperature(fake: Endpoint, opened: Llm) -> None:
    fake.script(says("0.8"))
    assert list(opened.judge([ask("how good?", 3)])) == [(0, Verdict("0.8", Usage(100, 10)))]
    (asked,) = fake.asked
    assert (asked.path, asked.key) == ("/v1/chat/completions", f"Bearer {KEY}")
    message = {"role": "user", "content": "how good?"}
    assert asked.body == {"model": "grader", "messages": [message], "temperature": 1.5}


def test_a_key_that_an_endpoint_sends_back_is_in_no_verdict(fake: Endpoint, opened: Llm) -> None:
    fake.script(says(f"0.8, asked with {KEY}"))
    (verdict,) = said(opened)
    assert isinstance(verdict, Verdict) and verdict.text == "0.8, asked with ***"


@pytest.mark.parametrize("trouble", TROUBLES)
def test_what_may_pass_is_tried_again(fake: Endpoint, opened: Llm, slept: list[float], trouble: str) -> None:
    fake.script(TROUBLES[trouble], TROUBLES[trouble], says("0.8"))
    (verdict,) = said(opened)
    assert isinstance(verdict, Verdict) and verdict.text == "0.8"
    assert slept == [1, 2] and len(fake.asked) == 3


def test_no_reply_in_time_is_tried_again(fake: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_JUDGE_TIMEOUT_S", "0.2")
    for judge in _opened():
        fake.script(Sends(hangs=True), says("0.8"))
        assert said(judge) == [Verdict("0.8", Usage(100, 10))]
        fake.script(Sends(hangs=True))
        (failure,) = said(judge)
        assert isinstance(failure, Failure) and failure.kind == "transient"
        assert f"no reply within 0.2 s ({TRIES} tries)" in failure.message


def test_an_endpoint_says_how_long_to_wait(fake: Endpoint, opened: Llm, slept: list[float]) -> None:
    fake.script(refuses(429, "wait", **{"Retry-After": "7"}), refuses(503, "wait", **{"Retry-After": "1"}), says("1"))
    assert said(opened) == [Verdict("1", Usage(100, 10))]
    assert slept == [7, 2], "never sooner than by itself"


@pytest.mark.parametrize("trouble", ["busy", "broken", "no JSON", "no choices", "closed in the middle"])
def test_what_does_not_pass_is_a_failure_that_may_pass_later(fake: Endpoint, opened: Llm, trouble: str) -> None:
    fake.script(TROUBLES[trouble])
    (failure,) = said(opened)
    assert isinstance(failure, Failure)
    assert (failure.stage, failure.kind) == ("judge", "transient")
    assert failure.message.startswith(f"grader at {fake.url}: ") and len(fake.asked) == TRIES


@pytest.mark.parametrize(
    ("trouble", "why"),
    [("empty", "is empty"), ("null", "is empty"), ("cut off", "cut off (length)"), ("filtered", "(content_filter)")],
)
def test_replies_that_cannot_be_used_are_said_to_be_so(
    fake: Endpoint, opened: Llm, monkeypatch: pytest.MonkeyPatch, trouble: str, why: str
) -> None:
    fake.script(TROUBLES[trouble])
    (found,) = said(opened)
    assert isinstance(found, Unusable) and why in found.reason
    assert found.usage == Usage(100 * UNUSABLE, 10 * UNUSABLE), "they are paid for all the same"
    assert len(fake.asked) == UNUSABLE


def test_a_bad_request_is_refused_alone(fake: Endpoint, opened: Llm, slept: list[float]) -> None:
    fake.script(refuses(400, "the prompt is too long"), says("0.8"))
    failure, verdict = said(opened, "long", "short")
    assert isinstance(failure, Failure) and failure.kind == "permanent" and "too long" in failure.message
    assert isinstance(verdict, Verdict) and slept == [] and len(fake.asked) == 2


@pytest.mark.parametrize(("status", "named"), [(401, "OPENAI_API_KEY"), (403, "OPENAI_API_KEY"), (404, "llm:MODEL")])
def test_a_refused_key_or_model_is_told_once_and_asked_no_more(
    fake: Endpoint, opened: Llm, status: int, named: str
) -> None:
    fake.script(refuses(status, f"no access by {KEY}"), says("0.8"))
    found = said(opened, "one", "two", "three")
    assert len(set(found)) == 1 and isinstance(found[0], Failure)
    assert found[0].kind == "permanent" and "no access by ***" in found[0].message and KEY not in found[0].message
    assert found[0].message.startswith(f"grader at {fake.url}: ") and named in found[0].message
    assert len(fake.asked) == 1


def test_no_money_left_is_no_matter_of_patience(fake: Endpoint, opened: Llm, slept: list[float]) -> None:
    fake.script(Sends(b'{"error": {"message": "no quota", "code": "insufficient_quota"}}', 429))
    found = said(opened, "one", "two")
    assert [isinstance(one, Failure) and one.kind for one in found] == ["permanent"] * 2
    assert len(fake.asked) == 1 and slept == []


def test_a_silent_endpoint_is_given_up(fake: Endpoint, opened: Llm) -> None:
    fake.script(refuses(502, "bad gateway"))
    found = said(opened, *map(str, range(SILENT + 10)))
    assert {isinstance(one, Failure) and one.kind for one in found} == {"transient"}
    assert len(fake.asked) == SILENT * TRIES


def test_one_reply_shows_that_an_endpoint_is_there(
    fake: Endpoint, opened: Llm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SILENT", 2)
    fake.answer = lambda asked: says("1") if asked.prompt == "easy" else refuses(500, "too hard")
    found = said(opened, "hard", "easy", "difficult", "easy")
    assert [type(one) for one in found] == [Failure, Verdict, Failure, Verdict]


def test_no_more_is_asked_at_once_than_allowed(fake: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_JUDGE_CONCURRENCY", "3")
    together, now, most = Barrier(3, timeout=PATIENCE_S), 0, 0

    def answer(asked: Asked) -> Sends:
        nonlocal now, most
        with fake.lock:
            now += 1
            most = max(most, now)
        together.wait()  # passes three at a time
        with fake.lock:
            now -= 1
        return says("1")

    fake.answer = answer
    for judge in _opened():
        assert all(isinstance(one, Verdict) for one in said(judge, *map(str, range(9))))
    assert most == 3


def test_verdicts_are_told_as_they_come(fake: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_JUDGE_CONCURRENCY", "2")
    may_end = Event()

    def answer(asked: Asked) -> Sends:
        assert asked.prompt == "quick" or may_end.wait(PATIENCE_S)
        return says(asked.prompt)

    fake.answer = answer
    for judge in _opened():
        coming = judge.judge([ask("slow"), ask("quick")])
        assert next(coming) == (1, Verdict("quick", Usage(100, 10)))
        may_end.set()
        assert next(coming) == (0, Verdict("slow", Usage(100, 10)))


def test_whoever_stops_asks_no_more(fake: Endpoint, opened: Llm) -> None:
    coming = opened.judge([ask(str(number)) for number in range(20)])
    next(coming)
    coming.close()
    seen = len(fake.asked)
    assert seen < 20


def test_what_it_cost_is_counted_where_prices_and_tokens_are_known(
    fake: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HARNESS_JUDGE_PRICES", "0.15,0.60")
    for judge in _opened():
        fake.script(says(""), says("1"))
        assert said(judge) == [Verdict("1", Usage(200, 20), pytest.approx((200 * 0.15 + 20 * 0.60) / 1e6))]
        fake.script(says("1", usage=None))
        assert said(judge) == [Verdict("1")]


def test_half_a_character_does_not_stop_an_answer_from_being_judged(fake: Endpoint, opened: Llm) -> None:
    assert said(opened, "it is \ud83d") == [Verdict("yes", Usage(100, 10))]
    assert fake.asked[0].prompt == "it is ?"


def test_it_reads_text_only(fake: Endpoint, opened: Llm) -> None:
    ((_, failure),) = opened.judge([Ask("llm", Media("audio", "a.wav"))])
    assert isinstance(failure, Failure) and failure.kind == "permanent" and "audio" in failure.message
    assert fake.asked == []
