"""The data that ships: complete, small, readable by the archives' readers, and what the generator makes."""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

from tasks.mini.build import CHECKSUMS, DATA, build, checksums, differences
from tasks.mini.partition import part_of
from tasks.mini.scenes import CATEGORIES
from tasks.readers import speech
from tests.tasks.mini.readings import READINGS

BUDGET = 20_000_000
SPLITS = {"dev-clean": 40, "dev-other": 40, "test-clean": 100, "test-other": 100}
LISTED = json.loads((DATA / CHECKSUMS).read_text())


def test_the_list_of_checksums_is_exact():
    assert checksums(DATA) == LISTED["files"]


def test_the_data_fits_its_budget():
    assert sum(path.stat().st_size for path in DATA.rglob("*") if path.is_file()) < BUDGET


def test_the_data_says_what_it_is():
    assert "not a benchmark number" in (DATA / "README.md").read_text()
    assert LISTED["note"] == "mini world, not a benchmark number"


def every_row():
    for split in SPLITS:
        yield from speech.librispeech(DATA, split)
    yield from speech.aishell1(DATA)
    for channel in ("iOS", "Android", "Mic"):
        yield from speech.aishell2(DATA, channel)
    for split in ("test_net", "test_meeting"):
        yield from speech.metadata(DATA / "WenetSpeech" / split, "text")
    for language in ("en_us", "cmn_hans_cn"):
        yield from speech.fleurs(DATA, language)


def text_of(row):
    return row["text"] if "text" in row else row["transcription"]


def test_the_readers_find_each_utterance():
    counts = Counter(row["audio"].relative_to(DATA).parts[0] for row in every_row())
    assert counts == {name: LISTED["counts"][name] for name in counts}
    assert set(counts) == {"LibriSpeech", "data_aishell", "AISHELL-2", "WenetSpeech", "FLEURS"}
    for split, number in SPLITS.items():
        assert len(list(speech.librispeech(DATA, split))) == number
    assert len({row["sample_id"] for row in every_row()}) == sum(counts.values())


def test_each_utterance_is_audible_and_short():
    for row in every_row():
        samples, rate = soundfile.read(row["audio"])
        assert rate == 16_000 and samples.ndim == 1, row["audio"]
        assert 0.5 < len(samples) / rate < 5.0, row["audio"]
        assert 0.01 < np.sqrt(np.mean(samples**2)) < 0.3, row["audio"]
        assert np.abs(samples).max() < 1.0, row["audio"]


def test_the_mandarin_is_kept_from_training_and_uses_known_characters():
    texts = [text_of(row).replace(" ", "") for row in every_row() if not text_of(row).isascii()]
    assert len(texts) == 100 + 60 + 40 + 20
    assert {part_of(text) for text in texts} == {"test"}
    assert {character for text in texts for character in text} <= set(READINGS)


def test_no_sentence_is_spoken_twice_in_librispeech_test_clean():
    texts = [row["text"] for row in speech.librispeech(DATA, "test-clean")]
    assert len(texts) == len(set(texts))


def test_fleurs_has_both_spellings():
    for row in speech.fleurs(DATA, "en_us"):
        assert row["raw_transcription"].rstrip(".").lower() == row["transcription"]
        assert row["raw_transcription"][0].isupper()


@pytest.mark.parametrize("category", list(CATEGORIES))
def test_each_picture_opens_and_has_one_yes_and_one_no(category):
    pictures = sorted((DATA / "MME" / category / "images").iterdir())
    assert len(pictures) >= 10
    for picture in pictures:
        with Image.open(picture) as image:
            image.load()
            assert image.mode == "RGB" and 224 <= image.width <= 448
        lines = (picture.parents[1] / "questions_answers_YN" / f"{picture.stem}.txt").read_text().splitlines()
        questions = dict(line.split("\t") for line in lines)
        assert sorted(questions.values()) == ["No", "Yes"]
        assert all(question.endswith("? Please answer yes or no.") for question in questions)


def test_the_speech_and_the_pictures_are_what_the_generator_makes(tmp_path: Path):
    """Four archives stand for all: `python -m tasks.mini.build --check` makes the others again too."""
    made = ("FLEURS", "MME", "LibriTTS", "CoVoST2")
    build(tmp_path, made)
    lines = [line for line in differences(DATA, tmp_path, made) if "same content" not in line]
    assert not lines, f"the shipped data was made with {LISTED['made_with']}: {lines[:5]}"


def test_a_changed_a_missing_and_a_new_file_are_reported(tmp_path: Path):
    for side, files in (("old", ("a", "b")), ("new", ("a", "c"))):
        for name in files:
            path = tmp_path / side / "MME" / f"{name}.txt"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(side)
    found = differences(tmp_path / "old", tmp_path / "new", ("MME",))
    assert [line.split(": ")[1].split(" ")[0] for line in found] == ["content", "no", "not"]
