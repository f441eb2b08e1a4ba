"""The echo model: table or prompt, and faults of a table by file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.contracts import ModelOptions
from harness.failures import UsageError
from harness.registry import get_model
from harness.types import Failure, Generation, Media, Message, Ready, Request, Response, Text
from models.echo import read_table


def request(key: str, *parts: Text | Media) -> Ready:
    return Ready(Request(key, (Message("user", parts),), Generation()), None, 0.0)


def test_without_a_table_the_last_text_comes_back() -> None:
    model = get_model("echo")(ModelOptions())
    model.open()
    batch = [request("1", Text("a"), Media("image", "x"), Text("b c")), request("2", Media("audio", "y"))]
    answers = dict(model.generate(batch, 2))
    assert [answers[i].text for i in (0, 1)] == ["b c", ""]  # type: ignore[union-attr]
    assert model.note == "echo, not a model"


def test_a_table_answers_by_id_and_a_missing_id_fails(tmp_path: Path) -> None:
    table = tmp_path / "t.jsonl"
    table.write_text('{"id": "1", "response": "one"}\n\n{"id": 2, "response": "two"}\n', encoding="utf-8")
    model = get_model("echo")(ModelOptions(weights=str(table)))
    model.open()
    answers = dict(model.generate([request("2"), request("3"), request("1")], 2))
    assert isinstance(answers[0], Response) and answers[0].text == "two"
    assert isinstance(answers[1], Failure) and "3" in answers[1].message
    assert len(model.fingerprint()["digest"]) == 64


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"id": "1", "response": "a"}\n{"id": "2"', ":2: expected"),
        ('{"id": "1"}', ":1: expected"),
        ("[1]", ":1: expected"),
        ('{"id": "1", "response": 4}', ":1: the response of id '1' is int"),
        ('{"id": "1", "response": "a"}\n{"id": "1", "response": "b"}', ":2: id '1' occurs twice"),
    ],
)
def test_a_bad_table_is_named_with_its_line(tmp_path: Path, content: str, message: str) -> None:
    table = tmp_path / "t.jsonl"
    table.write_text(content, encoding="utf-8")
    with pytest.raises(UsageError) as error:
        get_model("echo")(ModelOptions(weights=str(table))).open()
    assert f"{table}{message}" in str(error.value)


def test_a_byte_order_mark_before_a_table_is_read_over(tmp_path: Path) -> None:
    (tmp_path / "t.jsonl").write_bytes(b'\xef\xbb\xbf{"id": "1", "response": "yes"}\n')
    assert read_table(tmp_path / "t.jsonl") == {"1": "yes"}


def test_an_absent_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"absent\.jsonl"):
        get_model("echo")(ModelOptions(weights=str(tmp_path / "absent.jsonl"))).open()
