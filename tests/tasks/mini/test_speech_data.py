"""The small data of generated speech, translation and spoken questions, read as a task reads it."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
import soundfile

from harness.contracts import DataChoice
from tasks.data import Source
from tasks.mini.facts import facts
from tasks.mini.partition import part_of
from tasks.mini.vocabulary import english_number
from tasks.speech.sources import COVOST2, LIBRITTS, SEEDTTS, SPOKEN_QA
from tests.tasks.mini.readings import READINGS

SOURCES = {
    **{f"seedtts_{name}": source for name, source in SEEDTTS.items()},
    "libritts": LIBRITTS,
    **{f"covost2_{name}": source for name, source in COVOST2.items()},
    **SPOKEN_QA,
}
RECORDINGS = ("audio", "prompt_wav", "reference_wav")
MARKS = "，。"


def rows(source: Source) -> list[dict[str, Any]]:
    return list(source.rows(DataChoice("mini")))


@pytest.mark.parametrize("name", SOURCES)
def test_each_set_has_a_hundred_rows_that_can_be_used(name: str) -> None:
    found = rows(SOURCES[name])
    assert len({row["sample_id"] for row in found}) == len(found) == 100
    assert not any("error" in row for row in found)
    assert SOURCES[name].strays(DataChoice("mini")) == ()


@pytest.mark.parametrize("name", SOURCES)
def test_each_recording_is_audible_and_short(name: str) -> None:
    files = {row[column] for row in rows(SOURCES[name]) for column in RECORDINGS if row.get(column) is not None}
    assert len(files) >= (4 if name == "seedtts_hard" else 100)
    for file in files:
        samples, rate = soundfile.read(file)
        assert rate == 16_000 and samples.ndim == 1, file
        assert 0.5 < len(samples) / rate < 5.0, file
        assert 0.01 < np.sqrt(np.mean(samples**2)) < 0.3, file


@pytest.mark.parametrize("name", ["zh", "en"])
def test_four_voices_prompt_and_have_said_each_text_of_seed_tts(name: str) -> None:
    found = rows(SEEDTTS[name])
    assert Counter(row["prompt_wav"] for row in found).most_common()[-1][1] == 25
    assert len({row["reference_wav"] for row in found}) == 100
    assert all(row["prompt_wav"].stem == row["utt"].split("-")[0] for row in found), "the voice of the reference"
    assert not {row["prompt_text"] for row in found} & {row["target_text"] for row in found}


def test_the_hard_texts_are_long_and_repeat_themselves() -> None:
    found = rows(SEEDTTS["hard"])
    for row in found:
        parts = row["target_text"].rstrip(MARKS).split("，")
        assert row["reference_wav"] is None and len(parts) >= 5 and len(set(parts)) == 2
    assert len({row["target_text"] for row in found}) == 100


def test_the_mandarin_is_kept_from_training_and_uses_known_characters() -> None:
    spoken = [row[column] for row in rows(SEEDTTS["zh"]) for column in ("target_text", "prompt_text")]
    hard = [part for row in rows(SEEDTTS["hard"]) for part in row["target_text"].split("，")]
    heard = [row["sentence"] for row in rows(COVOST2["zh_en"])]
    translated = [row["translation"] for row in rows(COVOST2["en_zh"])]
    texts = [text.rstrip(MARKS) for text in (*spoken, *hard, *heard, *translated)]
    assert {part_of(text) for text in texts} == {"test"}
    assert {character for text in texts for character in text} <= set(READINGS)


def test_the_printed_text_of_libritts_has_digits_where_the_read_one_has_words() -> None:
    differ = 0
    for row in rows(LIBRITTS):
        read, printed = row["text_normalized"].lower(), row["text_original"].lower()
        assert not any(character.isdigit() for character in read)
        words = [english_number(int(word)).lower() if word.isdigit() else word for word in printed[:-1].split()]
        assert f"{' '.join(words)}." == read
        differ += read != printed
    assert differ > 30


def test_translations_are_in_the_other_language() -> None:
    for pair, english in (("zh_en", "translation"), ("en_zh", "sentence")):
        mandarin = "sentence" if english == "translation" else "translation"
        for row in rows(COVOST2[pair]):
            assert row[english].isascii() and row[english].endswith(".") and row[english][0].isupper()
            assert row[mandarin].endswith("。") and not row[mandarin].isascii()
        assert len({row["client_id"] for row in rows(COVOST2[pair])}) == 4


@pytest.mark.parametrize(("name", "wording"), [("llama_questions", 0), ("trivia_qa", 1), ("web_questions", 2)])
def test_each_question_asks_for_a_fact_in_the_sets_own_wording(name: str, wording: int) -> None:
    known = {fact.wordings[wording]: fact.answers for fact in facts()}
    found = rows(SPOKEN_QA[name])
    for row in found:
        answers = known[row["question"].lower().rstrip("?.")]
        assert row["answers"] == (list(answers[:1]) if name == "llama_questions" else list(answers))
    assert len({row["question"] for row in found}) == 100
    assert max(len(row["answers"]) for row in found) == (1 if name == "llama_questions" else 2)
