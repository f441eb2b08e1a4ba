"""Phonemes as espeak-ng tells them: the sound is the same, and each 20 ms has one."""

from __future__ import annotations

import numpy as np
import pytest

from harness.media import espeak
from models.training.codes.phonemes import NAMES, SILENCE, Phoneme, numbers, plain, spoken
from tasks.mini.voices import MANDARIN

TEXTS = (("the white horse ran", "en-us+m1"), ("他在学校里", f"{MANDARIN}+f2"))


@pytest.mark.parametrize(("text", "voice"), TEXTS)
def test_the_sound_is_that_of_speech_without_phonemes(text: str, voice: str):
    found = spoken(text, voice, 190, 50)
    assert np.array_equal(found.samples, espeak.speak(text, voice, 190, 50))
    starts = [phoneme.start for phoneme in found.phonemes]
    assert starts == sorted(starts) and 0 <= starts[0] < 0.1 and starts[-1] <= len(found.samples) / espeak.RATE
    assert {phoneme.name for phoneme in found.phonemes} <= set(NAMES)


def test_phonemes_are_what_is_said():
    said = [phoneme.name for phoneme in spoken("no key", "en-us+m1", 150, 50).phonemes if phoneme.name != SILENCE]
    assert said == ["n", "oU", "k", "i:"]


def test_no_name_stands_twice_and_stress_is_not_in_them():
    assert len(set(NAMES)) == len(NAMES) < 256
    assert plain("'aI") == "aI" and plain(",eI") == "eI" and plain("_:") == plain("_|") == SILENCE


def test_each_frame_has_the_phoneme_at_its_middle():
    said = [Phoneme(0.1, "n"), Phoneme(0.2, "oU"), Phoneme(0.3, "strange"), Phoneme(0.4, "_")]
    names = [NAMES[place] for place in numbers(said, 0.0, 10, 20)]  # middles at 0.025, 0.075, ...
    assert names == ["_", "_", "n", "n", "oU", "oU", "(others)", "(others)", "_", "_"]
    later = [NAMES[place] for place in numbers(said, 0.15, 3, 20)]
    assert later == names[3:6]
    before = [NAMES[place] for place in numbers(said, -0.1, 5, 20)]
    assert before == ["_", "_", *names[:3]]
