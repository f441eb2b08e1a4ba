"""What is read aloud: texts of the training part, the same each time, one steady voice."""

from __future__ import annotations

import random
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from models.training.ctc_corpus import short_texts
from models.training.speech_out.readings import EDGE_TOKENS, READERS, as_tensor, read, reading, readings, text
from models.vita15.tts_text import segments, speech_text
from tasks.mini.grammar import sentences
from tasks.mini.voices import Language, speakers

RATE, HOP = 24_000, 600


def test_texts_are_as_the_decoder_gets_them_and_of_one_segment():
    for number in range(400):
        said, language = text(0, number)
        assert said == speech_text(said) and said == text(0, number)[0]
        assert language == ("zh" if number % 2 else "en")
        assert any("\u4e00" <= letter <= "\u9fff" for letter in said) == (language == "zh"), said
    assert [text(0, number) for number in range(20)] != [text(1, number) for number in range(20)]


def test_most_texts_are_what_one_segment_of_an_answer_is():
    texts = [text(0, number)[0] for number in range(400)]
    assert sum(len(segments(said)) == 1 for said in texts) > 0.9 * len(texts)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_short_text_is_said(language: Language):
    first = int(language == "zh")
    said = {text(0, number)[0].strip(" .,?!。，？") for number in range(first, 12_000, 2)}
    known = {speech_text(short) for short in short_texts(language)}
    assert len(known - said) < 0.02 * len(known), known - said


def test_no_sentence_of_the_test_data_is_among_them():
    held_out = list(islice(sentences(random.Random(2), "test"), 3000))
    tests = {sentence.english.lower() for sentence in held_out} | {sentence.chinese for sentence in held_out}
    assert not tests & {text(0, number)[0].strip(" .,?!。，？") for number in range(3000)}


def test_the_reader_is_one_training_voice():
    for language, reader in READERS.items():
        assert reader.variant in {speaker.variant for speaker in speakers("train", language)}
    assert len({reader.variant for reader in READERS.values()}) == 1


def test_a_reading_is_whole_tokens_with_silence_around():
    said = reading(0, 0, RATE, HOP)
    edge = EDGE_TOKENS * HOP
    assert said.text == text(0, 0)[0] and len(said.wave) % HOP == 0
    assert not said.wave[:edge].any() and not said.wave[-edge:].any()
    assert np.abs(said.wave[edge : edge + HOP]).max() > 50
    assert float(as_tensor(said.wave).abs().max()) <= 1


def test_a_word_sounds_the_same_each_time_and_another_does_not():
    first, other, again = (read(word, "en", RATE, HOP) for word in ("seven", "eleven", "seven"))
    assert np.array_equal(first, again) and not np.array_equal(first, other)


def test_readings_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    made = readings(0, 3, 4, RATE, HOP, tmp_path)

    def never(*_: object) -> None:
        raise AssertionError("made again")

    monkeypatch.setattr("models.training.speech_out.readings.reading", never)
    kept = readings(0, 3, 4, RATE, HOP, tmp_path)
    for one, other in zip(made, kept, strict=True):
        assert one.text == other.text and np.array_equal(one.wave, other.wave)
