"""Clips and readings: what stands beside the sound, made once, the same each time."""

from __future__ import annotations

import random
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch

from models.training.codes.clips import SUBFRAMES, Content, clips
from models.training.codes.phonemes import NAMES
from models.training.codes.readings import CODE, FIRST_HELD_OUT, answers, at_16_khz, read, readings, text
from models.vita_audio.speech_features import SAMPLES_PER_CODE, speech_features
from tasks.mini.facts import facts
from tasks.mini.grammar import sentences

MELS = 8


@pytest.mark.parametrize("content", ["en", "zh", "fact"])
def test_a_clip_depends_on_seed_and_number_and_is_made_once(content: Content, tmp_path: Path):
    made = clips(content, 0, 2, MELS, tmp_path)
    (path,) = tmp_path.glob("*.safetensors")
    before = path.stat().st_mtime_ns
    again, more = clips(content, 0, 2, MELS, tmp_path), clips(content, 0, 3, MELS, tmp_path / "more")
    assert path.stat().st_mtime_ns == before
    for one, other in zip([*made, *made], [*again, *more[:2]], strict=True):
        assert torch.equal(one.features, other.features) and torch.equal(one.phonemes, other.phonemes)
        assert one[2:] == other[2:]
    assert clips(content, 1, 1, MELS, tmp_path)[0].text != made[0].text
    assert {bool(clip.meaning) for clip in made} == {content == "fact"}


def test_a_clip_has_the_phonemes_of_its_text_between_silence(tmp_path: Path):
    for clip in clips("en", 0, 4, MELS, tmp_path):
        assert clip.features.shape == (MELS, 2 * SUBFRAMES * clip.codes)
        first, last = clip.phonemes.flatten()[0], clip.phonemes.flatten()[-1]
        assert NAMES[first] == NAMES[last] == "_"
        said = {NAMES[place] for place in clip.phonemes.flatten()} - {"_"}
        assert len(said) > 4 and "(others)" not in said


def test_every_answer_is_read_and_then_sentences_that_no_test_has():
    known = [text(0, number)[0] for number in range(len(answers()))]
    assert known == answers() and {fact.answers[0] for fact in facts()} == set(known)
    said = [text(0, number) for number in range(len(known), 2000)]
    assert all((language == "en") == words.isascii() for words, language in said)
    held_out = list(islice(sentences(random.Random(2), "test"), 3000))
    tests = {sentence.english.lower() for sentence in held_out} | {sentence.chinese for sentence in held_out}
    assert not tests & {words.strip(".。").lower() for words, _ in said}
    assert text(0, 1900) == said[1900 - len(known)] != text(1, 1900)


def test_a_reading_is_whole_codes_at_both_rates(tmp_path: Path):
    made = readings(0, FIRST_HELD_OUT, 2, MELS, tmp_path)
    again = readings(0, FIRST_HELD_OUT, 2, MELS, tmp_path)
    for one, other in zip(made, again, strict=True):
        assert np.array_equal(one.wave, other.wave) and torch.equal(one.clip.features, other.clip.features)
        assert len(one.wave) == one.clip.codes * CODE and len(at_16_khz(one.wave)) == one.clip.codes * SAMPLES_PER_CODE
    whole = read(*text(0, FIRST_HELD_OUT), MELS)
    features = speech_features([at_16_khz(whole.wave)], MELS).mel[0]
    assert torch.equal(made[0].clip.features, features.half())


def test_what_is_said_of_a_reading_is_where_it_sounds(tmp_path: Path):
    (one,) = readings(0, 150, 1, MELS, tmp_path)
    loud = torch.from_numpy(one.wave.astype(np.float32)).abs().unfold(0, CODE // SUBFRAMES, CODE // SUBFRAMES).amax(1)
    said = one.clip.phonemes.flatten() != NAMES.index("_")
    assert (loud[said] > 300).float().mean() > 0.9 and (loud[~said] < 300).float().mean() > 0.7
