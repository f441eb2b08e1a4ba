"""The generator: translations, readings, voices, and that training never meets the test."""

import ctypes
import random
from collections import Counter, defaultdict
from itertools import islice
from typing import get_args

import numpy as np
import pytest

from harness.media import espeak
from tasks.mini import voices
from tasks.mini.dice import Dice
from tasks.mini.grammar import CHINESE_CHARACTERS, ENGLISH_WORDS, sentences
from tasks.mini.partition import Part, part_of
from tasks.mini.questions import ENDING
from tasks.mini.scenes import CATEGORIES, scenes
from tasks.mini.speech import RATE, synthesize, through, with_noise
from tasks.mini.training import training_scenes, training_utterances
from tasks.mini.vocabulary import chinese_number, english_number
from tests.tasks.mini.readings import READINGS

PARTS = get_args(Part)
GROUPS = get_args(voices.Group)


def drawn(part: Part, seed: int, n: int):
    return list(islice(sentences(random.Random(seed), part), n))


def test_each_sentence_has_one_translation_both_ways():
    chinese_of, english_of = {}, {}
    for sentence in drawn("train", 0, 15_000):
        assert chinese_of.setdefault(sentence.english, sentence.chinese) == sentence.chinese
        assert english_of.setdefault(sentence.chinese, sentence.english) == sentence.english


def test_no_sentence_is_in_two_parts_in_either_language():
    texts = {part: drawn(part, seed, 3000) for seed, part in enumerate(PARTS)}
    for language in ("english", "chinese"):
        seen = [{getattr(sentence, language) for sentence in texts[part]} for part in PARTS]
        assert not (seen[0] & seen[1] or seen[0] & seen[2] or seen[1] & seen[2])


def test_most_of_the_world_is_for_training():
    shares = Counter(part_of(str(number)) for number in range(5000))
    assert 0.08 < shares["test"] / 5000 < 0.12
    assert 0.03 < shares["dev"] / 5000 < 0.07


def test_sentences_have_the_lengths_and_the_letters_of_the_benchmarks():
    for sentence in drawn("test", 1, 2000):
        assert len(sentence.english.split()) in ENGLISH_WORDS
        assert len(sentence.chinese) in CHINESE_CHARACTERS
        assert sentence.english.replace(" ", "").isalpha() and sentence.english.isupper()


def test_the_vocabulary_is_closed_and_small():
    world = drawn("train", 2, 30_000)
    assert 200 < len({word for sentence in world for word in sentence.english.split()}) < 400
    assert {character for sentence in world for character in sentence.chinese} == set(READINGS)


@pytest.mark.parametrize(
    ("number", "english", "chinese"),
    [(7, "SEVEN", "七"), (10, "TEN", "十"), (42, "FORTY TWO", "四十二"), (90, "NINETY", "九十")],
)
def test_numbers_are_words(number, english, chinese):
    assert (english_number(number), chinese_number(number)) == (english, chinese)


@pytest.mark.parametrize("number", [0, 100])
def test_numbers_outside_the_world_are_refused(number):
    with pytest.raises(ValueError, match="from 1 to 99"):
        english_number(number)
    with pytest.raises(ValueError, match="from 1 to 99"):
        chinese_number(number)


def phonemes(lines: list[str]) -> list[str]:
    spoken = []
    with espeak.session(voices.MANDARIN) as library:
        read = ctypes.CFUNCTYPE(ctypes.c_char_p, ctypes.POINTER(ctypes.c_char_p), ctypes.c_int, ctypes.c_int)
        for line in lines:
            rest, ipa = ctypes.c_char_p(line.encode()), b""
            while rest.value:
                ipa += read(("espeak_TextToPhonemes", library))(ctypes.byref(rest), 1, 2)
            spoken.append(ipa.decode())
    return spoken


def sounds(ipa: str) -> str:
    """Without tone and stress, which the sentence changes."""
    return "".join(sign for sign in ipa if not sign.isdigit() and sign not in "ˈˌɜ- ")


def test_the_synthesiser_reads_each_character_as_its_pinyin():
    characters = sorted(READINGS)
    read, meant = phonemes(characters), phonemes([READINGS[character] for character in characters])
    wrong = [c for c, one, two in zip(characters, read, meant, strict=True) if sounds(one) != sounds(two)]
    assert not wrong


def test_no_voice_is_in_two_groups():
    groups_of = defaultdict(set)
    for group in GROUPS:
        for language in ("en", "zh"):
            for speaker in voices.speakers(group, language):
                groups_of[speaker.variant].add(group)
    assert [variant for variant, groups in groups_of.items() if len(groups) > 1] == []


def test_every_voice_exists_and_sounds_unlike_the_others():
    variants = {s.variant: s for group in GROUPS for s in voices.speakers(group, "zh")}
    same = {name: voices.Speaker("zh", voices.MANDARIN, name, 50, 200) for name in variants}
    spoken = {name: synthesize("老师在学校", speaker, random.Random(0)).tobytes() for name, speaker in same.items()}
    assert len(set(spoken.values())) == len(spoken)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_speaker_speaks(language):
    for group in GROUPS:
        for speaker in voices.speakers(group, language):
            assert len(synthesize("one 二", speaker, random.Random(0))) > RATE / 5, speaker


def test_unknown_groups_of_speakers_are_named():
    with pytest.raises(voices.UnknownGroupError, match="'test' is not one of train"):
        voices.speakers("test", "en")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_other_speakers_are_faster(language):
    clean, other = (voices.speakers(group, language)[0].speed for group in ("test-clean", "test-other"))
    assert other > 1.2 * clean


def test_noise_has_the_power_asked_for():
    wave = (0.3 * np.sin(np.arange(RATE) / 20)).astype(np.float32)
    noise = with_noise(wave, 15.0, random.Random(0)) - wave
    assert 10 * np.log10(np.mean(wave**2) / np.mean(noise**2)) == pytest.approx(15.0, abs=0.2)


def test_a_telephone_takes_low_and_high_tones_away():
    t = np.arange(RATE) / RATE
    wave = sum(np.sin(2 * np.pi * f * t) for f in (100, 1000, 6000)).astype(np.float32) / 3
    power = np.abs(np.fft.rfft(through("telephone", wave)))
    assert power[1000] > 3 * power[100] and power[1000] > 10 * power[6000]


def test_training_speech_is_the_same_for_the_same_seed_and_apart_from_the_test():
    for language in ("en", "zh"):
        first, again = (list(training_utterances(language, 3, 12)) for _ in range(2))
        assert [u.waveform.tobytes() for u in first] == [u.waveform.tobytes() for u in again]
        assert [u[:2] for u in first] != [u[:2] for u in training_utterances(language, 4, 12)]
        heard = {s.voice for s in voices.speakers("train", language)}
        for utterance in first:
            chinese = utterance.translation if language == "en" else utterance.text
            assert part_of(chinese) == "train" and utterance.speaker in heard
            assert utterance.waveform.dtype == np.float32 and 0.5 < len(utterance.waveform) / RATE < 7
            assert np.sqrt(np.mean(utterance.waveform**2)) > 0.01


def test_training_scenes_are_the_same_for_the_same_seed_and_show_every_category():
    first, again = (list(training_scenes(1, 28)) for _ in range(2))
    assert [s.image.tobytes() for s in first] == [s.image.tobytes() for s in again]
    assert [s.questions for s in first] == [s.questions for s in again]
    assert Counter(s.category for s in first) == dict.fromkeys(CATEGORIES, 2)
    assert all(s.caption for s in first)


@pytest.mark.parametrize("category", list(CATEGORIES))
def test_no_picture_is_in_two_parts(category):
    seen = [{s.image.tobytes() for s in islice(scenes(Dice(7), category, part), 15)} for part in ("train", "test")]
    assert not seen[0] & seen[1]


@pytest.mark.parametrize("category", list(CATEGORIES))
def test_a_question_does_not_give_its_answer_away(category):
    """Questions that were right at some time were also wrong at some time, where they are frequent enough to tell."""
    answers = defaultdict(Counter)
    for seed in range(400):
        draft = CATEGORIES[category](Dice(seed))
        answers[draft.yes]["Yes"] += 1
        answers[draft.no]["No"] += 1
        assert draft.yes != draft.no
    blind = sum(max(counts.values()) for counts in answers.values() if sum(counts.values()) >= 20)
    told = sum(sum(counts.values()) for counts in answers.values() if sum(counts.values()) >= 20)
    assert told == 0 or blind / told < 0.75


def test_questions_end_as_the_benchmark_asks():
    item = next(scenes(Dice(0), "existence", "test"))
    assert [q.answer for q in item.questions] == ["Yes", "No"]
    assert all(q.text.endswith(ENDING) for q in item.questions)
