"""What names a judge's endpoint, and how its replies and its wishes for patience are read."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.endpoints.patience import LONGEST_S, Garbled, patience
from harness.endpoints.place import HOSTED, Place
from harness.failures import UsageError
from harness.types import Usage
from tasks.judges.llm import Llm
from tasks.judges.replies import Reply, reply
from tasks.judges.settings import CONCURRENCY, TIMEOUT_S, Settings, settings
from tests.fake_endpoint import KEY, says

ENVIRONMENT = {"OPENAI_API_KEY": KEY}
NOON = 1_000_000_000.0
"""2001-09-09 01:46:40 UTC."""


def test_the_key_alone_is_enough_for_the_hosted_endpoint() -> None:
    assert settings("grader", ENVIRONMENT) == Settings("grader", Place(HOSTED, KEY), CONCURRENCY, TIMEOUT_S)


def test_everything_can_be_set() -> None:
    found = settings(
        None,
        ENVIRONMENT
        | {
            "HARNESS_JUDGE_MODEL": "llama3:8b",
            "OPENAI_BASE_URL": "http://localhost:8000/v1/",
            "HARNESS_JUDGE_CONCURRENCY": "2",
            "HARNESS_JUDGE_TIMEOUT_S": "0.5",
            "HARNESS_JUDGE_PRICES": "0.15, 0.60",
        },
    )
    assert found == Settings("llama3:8b", Place("http://localhost:8000/v1", KEY), 2, 0.5, (0.15, 0.60))
    assert settings("named", {**ENVIRONMENT, "HARNESS_JUDGE_MODEL": "other"}).model == "named"


def test_all_that_is_missing_is_told_at_once_with_the_remedies() -> None:
    with pytest.raises(UsageError) as told:
        settings(None, {})
    for word in ("--judge llm:MODEL", "HARNESS_JUDGE_MODEL", "OPENAI_API_KEY", "any text"):
        assert word in str(told.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OPENAI_BASE_URL", "localhost:8000"),
        ("OPENAI_BASE_URL", "ftp://host/v1"),
        ("OPENAI_BASE_URL", "http://host:port/v1"),
        ("OPENAI_BASE_URL", f"https://me:{KEY}@host/v1"),
        ("OPENAI_API_KEY", "schlüssel"),
        ("HARNESS_JUDGE_CONCURRENCY", "0"),
        ("HARNESS_JUDGE_CONCURRENCY", "many"),
        ("HARNESS_JUDGE_TIMEOUT_S", "-1"),
        ("HARNESS_JUDGE_TIMEOUT_S", "nan"),
        ("HARNESS_JUDGE_PRICES", "0.15"),
        ("HARNESS_JUDGE_PRICES", "0.15,free"),
        ("HARNESS_JUDGE_PRICES", "1,-1"),
    ],
)
def test_a_setting_that_is_wrong_is_named(name: str, value: str) -> None:
    with pytest.raises(UsageError, match=name) as told:
        settings("grader", ENVIRONMENT | {name: value})
    assert KEY not in str(told.value)


@given(st.text(min_size=1, max_size=20), st.text(max_size=20))
def test_any_text_is_a_setting_or_a_usage_error(url: str, other: str) -> None:
    names = ("OPENAI_BASE_URL", "HARNESS_JUDGE_CONCURRENCY", "HARNESS_JUDGE_TIMEOUT_S", "HARNESS_JUDGE_PRICES")
    environment: Mapping[str, str] = ENVIRONMENT | dict.fromkeys(names, other) | {"OPENAI_BASE_URL": url}
    try:
        found = settings("grader", environment)
    except UsageError:
        return
    assert found.concurrency > 0 and found.timeout_s > 0 and found.place.url.startswith("http")


def test_the_fingerprint_pins_endpoint_and_model_and_holds_no_secret() -> None:
    secret = {"OPENAI_BASE_URL": "https://Host:8443/v1?tenant=hush#part"}
    judge = settings("grader", ENVIRONMENT | secret)
    assert Llm(judge).fingerprint() == {"endpoint": "https://host:8443/v1", "model": "grader", "request": 1}
    assert judge.place.query == {"tenant": "hush"}
    assert KEY not in repr(judge) and "hush" not in repr(judge)
    assert judge.place.scrubbed(f"bad key {KEY} of hush") == "bad key *** of ***"
    assert judge.place.answer(f"{KEY} told me to hush") == "*** told me to hush"


def test_a_key_that_is_a_word_stays_in_what_a_judge_says() -> None:
    for key in ("none", "EMPTY", "1"):
        assert (
            settings("grader", ENVIRONMENT | {"OPENAI_API_KEY": key}).place.answer("1, EMPTY or none")
            == "1, EMPTY or none"
        )


def test_a_chat_completion_is_read() -> None:
    assert reply(says("0.8").body) == Reply("0.8", usage=Usage(100, 10))
    assert reply(b'{"choices": [{"message": {"content": "0.8"}}]}') == Reply("0.8")
    assert reply(says("0.", "length").body) == Reply("0.", "the reply is cut off (length)", Usage(100, 10))
    assert reply(says("0.8", usage={"prompt_tokens": 12.5, "completion_tokens": "1"}).body) == Reply("0.8")
    parts = [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "0.8"}]
    assert reply(json.dumps({"choices": [{"message": {"content": parts}}]}).encode()) == Reply("0.8")
    assert reply(rb'{"choices": [{"message": {"content": "0.8 \ud83d"}}]}') == Reply("0.8 \ufffd")


@given(st.binary() | st.integers(0, len(says("a reply").body) - 1).map(lambda end: says("a reply").body[:end]))
def test_any_other_body_is_garbled(body: bytes) -> None:
    with pytest.raises(Garbled):
        reply(body)


@pytest.mark.parametrize(
    ("attempt", "header", "seconds"),
    [
        (0, None, 1),
        (3, None, 8),
        (40, None, LONGEST_S),
        (0, "7", 7),
        (3, "7", 8),
        (0, "3600", LONGEST_S),
        (0, "9" * 400, LONGEST_S),
        (0, "Sun, 09 Sep 2001 01:47:10 GMT", 30),
        (0, "Sun, 09 Sep 2001 01:00:00 GMT", 1),
        (0, "Sun, 09 Sep 2001 01:47:10 -0000", 30),
        (0, "Sun, 09 Sep 9999 01:47:10 GMT", LONGEST_S),
        (0, "soon", 1),
        (0, "", 1),
        (0, "-5", 1),
    ],
)
def test_the_wait_doubles_or_is_what_the_endpoint_says(attempt: int, header: str | None, seconds: float) -> None:
    assert patience(attempt, header, NOON) == seconds


@given(st.integers(0, 100), st.none() | st.text())
def test_nobody_waits_for_ever(attempt: int, header: str | None) -> None:
    assert 1 <= patience(attempt, header, NOON) <= LONGEST_S
