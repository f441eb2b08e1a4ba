"""Spoken questions in OpenAudioBench's folders and the hub's tables, and the forms of their answers."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.contracts import DataChoice
from harness.failures import UsageError
from tasks.readers.answers import answers_of
from tasks.speech.sources import SPOKEN_QA
from tests.tasks.archives import audio_bytes, parquet, write
from tests.tasks.archives_speech import rows


@pytest.mark.parametrize(
    ("name", "question", "answers"),
    [
        ("llama_questions", "Capital of France, please?", ["Paris"]),
        ("trivia_qa", "Who?", ["Paris", "Paree"]),
        ("web_questions", "Where?", ["Paris", "Paree"]),
    ],
)
def test_openaudiobench_folders_are_read(name: str, question: str, answers: list[str], root: Path) -> None:
    (row,) = rows(SPOKEN_QA[name], root)
    assert (row["sample_id"], row["question"], row["answers"]) == ("q0", question, answers)
    shutil.move(root / "OpenAudioBench" / "eval_datas", root / "eval_datas")
    assert [row["question"] for row in rows(SPOKEN_QA[name], root)] == [question]


def questions_table(root: Path, *lines: str) -> Path:
    table = root / "OpenAudioBench/eval_datas/web_questions/web_questions.csv"
    write(table, "\r\n".join(lines))
    return table


def test_a_bad_question_fails_alone_and_an_empty_answer_list_is_kept(root: Path) -> None:
    lines = ["\ufeffquestion,answers,audio_filename", "a,b", '"new\nline\u2028?",[],q0.wav', "who,x,", "who,,gone.wav"]
    table = questions_table(root, *lines)
    short, empty, unnamed, gone = rows(SPOKEN_QA["web_questions"], root)
    assert short["error"].startswith(f"{table}:2: 2 cells where the header names 3")
    assert (empty["answers"], empty["question"], empty["audio"].is_file()) == ([], "new\nline\u2028?", True)
    assert "column audio_filename is empty" in unnamed["error"]
    assert (gone["answers"], "error" in gone, gone["audio"].exists()) == ([], False, False)


def test_a_table_without_answers_is_an_error_that_names_the_columns(root: Path) -> None:
    questions_table(root, "question,audio_filename", "who,q0.wav")
    with pytest.raises(UsageError, match="no column answers or answer; its columns are question, audio_filename"):
        rows(SPOKEN_QA["web_questions"], root)


def test_a_set_in_two_places_is_an_error_that_names_both(root: Path) -> None:
    shutil.copytree(root / "OpenAudioBench" / "eval_datas", root / "eval_datas")
    with pytest.raises(UsageError, match=r"OpenAudioBench/eval_datas/trivia_qa and .*eval_datas/trivia_qa"):
        rows(SPOKEN_QA["trivia_qa"], root)


@pytest.mark.parametrize(
    ("name", "place", "columns", "answers"),
    [
        ("llama_questions", "llama-questions/data/test", {"question": "q", "answer": "Paris"}, ["Paris"]),
        ("llama_questions", "llama-questions/data/test", {"Questions": "q", "Answer": "Paris"}, ["Paris"]),
        ("llama_questions", "data/test", {"question": "q", "answer": "Paris"}, ["Paris"]),
        ("web_questions", "spoken-web-questions/data/test", {"question": "q", "answers": ["a", "b"]}, ["a", "b"]),
        ("web_questions", "speech-web-questions/data/test", {"question": "q", "answers": ["a"]}, ["a"]),
        ("trivia_qa", "TwinkStart/speech-triavia-qa/data/test", {"question": "q", "answer": "['a']"}, ["a"]),
    ],
)
def test_the_hubs_copies_of_questions_are_read(
    name: str, place: str, columns: dict[str, Any], answers: list[str], tmp_path: Path
) -> None:
    """Their recordings often have one name, so rows are known by their number."""
    audio = [{"bytes": audio_bytes(seed=i), "path": "speech.wav"} for i in range(2)]
    table = {column: [cell] * 2 for column, cell in columns.items()}
    parquet(tmp_path / f"{place}-00000-of-00001.parquet", {"audio": audio, **table})
    found = rows(SPOKEN_QA[name], tmp_path)
    assert [(row["sample_id"], row["question"], row["answers"]) for row in found] == [
        ("row-0", "q", answers),
        ("row-1", "q", answers),
    ]
    assert found[1]["audio"]["bytes"] == audio_bytes(seed=1)
    assert SPOKEN_QA[name].fingerprint(DataChoice("folder", tmp_path))["files"] == 1


def test_trivia_qa_of_the_hub_keeps_its_ids_and_leaves_out_the_evidence(tmp_path: Path) -> None:
    columns = {
        "question": ["who?", "where?"],
        "question_id": ["tc_1", "tc_2"],
        "question_source": ["x", "y"],
        "entity_pages": [{"wiki_context": ["long"]}] * 2,
        "answer": [{"value": "Paris", "aliases": ["Paree"], "normalized_aliases": ["paree"]}] * 2,
        "question_audio": [{"bytes": audio_bytes(), "path": None}, {"bytes": None, "path": None}],
    }
    parquet(tmp_path / "trivia_qa-audio/rc.wikipedia/validation-00000-of-00001.parquet", columns)
    first, second = rows(SPOKEN_QA["trivia_qa"], tmp_path)
    assert (first["sample_id"], first["answers"]) == ("tc_1", ["Paris", "Paree"])
    assert first["published_answer"]["normalized_aliases"] == ["paree"]
    assert first["audio"]["bytes"] == audio_bytes() and not {"entity_pages", "question_audio"} & first.keys()
    assert second["error"] == "row 1 has no audio" and second["question"] == "where?"


# Answers


@pytest.mark.parametrize(
    ("value", "answers"),
    [
        ("Paris", ["Paris"]),
        (" Paris \n", ["Paris"]),
        (["Paris", "Paris", "", None, "Paree "], ["Paris", "Paree"]),
        ([["Paris", ["Paree"]], "Lutetia"], ["Paris", "Paree", "Lutetia"]),
        ('["Paris", "L\'Isle"]', ["Paris", "L'Isle"]),
        ("['Paris', 'Paree']", ["Paris", "Paree"]),
        ("['Paris' 'Paree']", ["Paris", "Paree"]),
        (["['Paris', 'Paree']"], ["Paris", "Paree"]),
        ("['Paris", ["['Paris"]),
        ("[]", []),
        ("", []),
        (None, []),
        (float("nan"), []),
        (7, ["7"]),
        ("nan", ["nan"]),
        ("(a)", ["(a)"]),
        ({"value": "Paris", "aliases": ["Paris", "Paree"], "normalized_aliases": ["paris"]}, ["Paris", "Paree"]),
        ({"aliases": [], "normalized_value": "paris", "normalized_aliases": ["paree"]}, ["paris", "paree"]),
        ("{'value': 'Paris', 'aliases': ['Paree']}", ["Paris", "Paree"]),
        ('{"value": null, "aliases": null}', []),
        ("{x}", ["{x}"]),
    ],
)
def test_answers_come_out_of_every_form_flat_and_once(value: object, answers: list[str]) -> None:
    assert answers_of(value) == answers


nested = st.recursive(st.one_of(st.none(), st.text(), st.integers()), lambda inner: st.lists(inner), max_leaves=20)


@given(nested)
def test_answers_are_texts_without_blanks_at_the_ends_each_once(value: object) -> None:
    found = answers_of(value)
    assert all(isinstance(answer, str) and answer and answer == answer.strip() for answer in found)
    assert len(found) == len(set(found))


@given(st.lists(st.text(alphabet="abc '\"\\é再", min_size=1)))
def test_a_list_written_as_text_has_the_answers_of_the_list(values: list[str]) -> None:
    assert answers_of(repr(values)) == answers_of(values)


def test_answers_too_deep_to_be_meant_end_nothing() -> None:
    deep: object = "Paris"
    for _ in range(2000):
        deep = [deep]
    assert answers_of(deep) == [] and answers_of("[" * 5000) == ["[" * 5000]
