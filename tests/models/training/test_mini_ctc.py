"""The recogniser's recipe in three steps: its texts, its batches, what it leaves, and that it goes on."""

from __future__ import annotations

import random
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import load_file

from models.training import mini_ctc
from models.training.ctc_corpus import Clip, characters, corpus, text_of
from models.training.ctc_examples import BATCH, STRONG, WARPED, Batches, augmented, split
from models.training.mini_ctc import PHASES, STATE, STEPS, learning_rate, main, schedule, train
from tasks.judges.mini_ctc.alphabet import Alphabet
from tasks.judges.mini_ctc.features import BANDS
from tasks.judges.mini_ctc.store import WEIGHTS, load
from tasks.mini.grammar import sentences
from tasks.mini.speech import Waveform
from tasks.mini.training import recorded
from tasks.mini.voices import Language, Speaker, speakers

CLIPS = 2 * BATCH


@pytest.fixture(autouse=True)
def training_voices(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever else than a training speaker is to speak stops the test."""

    def spoken(text: str, speaker: Speaker, rng: random.Random) -> Waveform:
        assert speaker.variant in {known.variant for known in speakers("train", speaker.language)}
        return recorded(text, speaker, rng)

    monkeypatch.setattr("models.training.ctc_corpus.recorded", spoken)


def clips(n: int) -> list[Clip]:
    languages: tuple[Language, ...] = ("en", "zh")
    return [Clip(np.full((9 + i, BANDS), i, np.float16), "abc", languages[i % 2]) for i in range(n)]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_each_text_can_be_written_in_the_alphabet(language: Language):
    alphabet, rng = Alphabet(characters()), random.Random(5)
    for _ in range(2000):
        text = text_of(language, rng)
        assert alphabet.decode(alphabet.encode(text)) == text and text
        barred = alphabet.barred(language)
        assert not set(alphabet.encode(text)) & set(barred)


def test_short_texts_are_among_them():
    rng = random.Random(1)
    assert sum(" " not in text_of("en", rng) for _ in range(500)) > 25
    assert sum(len(text_of("zh", rng)) <= 2 for _ in range(500)) > 25


def test_no_sentence_of_the_test_data_is_among_them():
    tests = {sentence.english.lower() for sentence in islice(sentences(random.Random(2), "test"), 2000)}
    rng = random.Random(3)
    assert not tests & {text_of("en", rng) for _ in range(2000)}


def test_a_clip_depends_on_seed_and_number_alone(tmp_path: Path):
    few, more = corpus(4, 4, tmp_path), corpus(4, 8, tmp_path)
    again = corpus(4, 4, tmp_path)  # from the cache
    for one, other, kept in zip(few, more, again, strict=False):
        assert one.text == other.text == kept.text and one.language == other.language
        assert np.array_equal(one.features, other.features) and np.array_equal(one.features, kept.features)
    assert corpus(5, 4, tmp_path)[0].text != few[0].text or corpus(5, 4, tmp_path)[2].text != few[2].text


def test_held_out_clips_are_of_both_languages_and_never_trained_on():
    kept, held = split(clips(400))
    assert {clip.language for clip in held} == {"en", "zh"} and len(kept) + len(held) == 400
    assert not {len(clip.features) for clip in kept} & {len(clip.features) for clip in held}


def test_an_epoch_has_each_clip(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(
        "models.training.ctc_examples.augmented", lambda features, rng, masks: features.astype(np.float32)
    )
    n = 3 * BATCH
    batches = Batches(clips(n), Alphabet("一"), 0)
    for epoch in range(2):
        seen = [int(value) for step in range(3) for value in batches(3 * epoch + step, STRONG).features[:, 0, 0]]
        assert sorted(seen) == list(range(n))


def test_masks_depend_on_their_seed_and_leave_a_clip_itself():
    features = np.random.default_rng(0).standard_normal((120, BANDS)).astype(np.float16)
    before = features.copy()
    one, other = (augmented(features, random.Random(3), STRONG) for _ in range(2))
    assert np.array_equal(one, other) and np.array_equal(features, before) and np.isfinite(one).all()
    assert not np.array_equal(one, augmented(features, random.Random(4), STRONG)[: len(one)])
    assert len(augmented(np.zeros((1, BANDS), np.float16), random.Random(0), STRONG)) >= 1


def test_another_voice_has_its_spectrum_shifted():
    tone = np.zeros((50, BANDS), np.float16)
    tone[:, 30] = 8
    warped = WARPED._replace(bands=0, moments=0, noisy=0)
    peaks = {int(augmented(tone, random.Random(seed), warped).mean(axis=0).argmax()) for seed in range(30)}
    assert len(peaks) > 3 and min(peaks) >= 25 and max(peaks) <= 36


def test_the_schedule_is_phase_after_phase():
    assert len(schedule(STEPS)) == STEPS
    assert [masks for _, masks in schedule(STEPS)] == [p.masks for p in PHASES for _ in range(p.steps)]
    assert [masks for _, masks in schedule(len(PHASES))] == [phase.masks for phase in PHASES]
    assert all(len(schedule(steps)) == steps for steps in range(1, 40))


def test_the_rate_rises_and_falls_in_a_phase():
    rates = [learning_rate(step, PHASES[0]._replace(steps=100)) for step in range(100)]
    top = rates.index(max(rates))
    assert 0 < top < 20 and rates[:top] == sorted(rates[:top]) and rates[top:] == sorted(rates[top:], reverse=True)


def test_three_steps_leave_weights_that_are_a_recogniser(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["--out", str(tmp_path), "--steps", "3", "--clips", str(CLIPS), "--seed", "3"]) == 0
    assert "step 3/3" in capsys.readouterr().out
    scores = load(tmp_path).scores(np.zeros((31, BANDS), np.float32))
    assert scores.shape == (16, 1 + 28 + len(characters()))


@pytest.mark.parametrize("few", [["--steps", "2"], ["--clips", "3"]])
def test_too_few_are_refused(tmp_path: Path, few: list[str], capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        main(["--out", str(tmp_path), *few])
    assert "--steps must be at least 3, --clips at least 48" in capsys.readouterr().err


def test_the_seed_gives_the_weights(tmp_path: Path):
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        train(tmp_path / name, seed, 3, CLIPS)
    one, same, other = (load_file(tmp_path / name / WEIGHTS) for name in "abc")
    assert all(one[name].equal(same[name]) for name in one)
    assert not all(one[name].equal(other[name]) for name in one)


def test_a_killed_training_goes_on_as_if_it_had_not_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(mini_ctc, "EVALUATE_EVERY", 1)
    train(tmp_path / "whole", 3, 3, CLIPS)
    real, calls = mini_ctc.ctc, []

    def killed(*arguments):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return real(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(mini_ctc, "ctc", killed)
        with pytest.raises(KeyboardInterrupt):
            train(tmp_path / "torn", 3, 3, CLIPS)
    assert (tmp_path / "torn" / STATE).exists()
    train(tmp_path / "torn", 3, 3, CLIPS)
    whole, torn = (load_file(tmp_path / name / STATE) for name in ("whole", "torn"))
    assert whole.keys() == torn.keys() and all(whole[name].equal(torn[name]) for name in whole)
