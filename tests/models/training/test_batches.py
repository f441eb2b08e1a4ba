"""What a step sees: its shares, its reproducibility, and that an epoch leaves nothing out."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from models.training.batches import Batches, counts, disguised, masked, warped
from models.training.examples import Example
from models.training.picturing import TURNS, in_turn
from models.training.recipes import SPEAKING, STAGES
from models.training.vita15 import Training
from tasks.mini.scenes import CATEGORIES

KINDS = ("caption", "question", "spoken question", "transcript", "noise")


@given(st.dictionaries(st.sampled_from(KINDS), st.floats(0.01, 10), min_size=1), st.integers(5, 64))
def test_counts_add_up_to_the_batch_and_leave_no_kind_out(shares: dict, size: int):
    found = counts(shares, size)
    assert sum(found.values()) == size and found.keys() == shares.keys() and min(found.values()) >= 1


def test_counts_follow_the_shares():
    assert counts({"question": 1, "caption": 0.2}, 12) == {"question": 10, "caption": 2}
    assert counts({"question": 100, "noise": 0.01}, 8) == {"question": 7, "noise": 1}


def test_a_batch_too_small_for_its_kinds_is_refused():
    with pytest.raises(ValueError, match="a batch of 1 cannot hold 2 kinds"):
        counts({"question": 1, "caption": 1}, 1)


@pytest.mark.parametrize("name", [name for name in STAGES if name not in SPEAKING])
def test_a_step_sees_the_same_whenever_it_is_made(training: Training, name: str):
    first, again = (Batches(training.world, STAGES[name], 12, seed=3)(5) for _ in range(2))
    other = Batches(training.world, STAGES[name], 12, seed=3)(6)
    for one, two in zip(first, again, strict=True):
        assert torch.equal(one.ids, two.ids) and torch.equal(one.labels, two.labels)
        for left, right in ((one.pixels, two.pixels), (one.audio, two.audio)):
            assert (left is None) == (right is None)
            assert left is None or right is None or torch.equal(left, right)
    pairs = list(zip(first, other, strict=True))
    assert not all(torch.equal(one.ids, two.ids) and torch.equal(one.units, two.units) for one, two in pairs)


def test_an_epoch_takes_every_utterance_that_fills_a_batch(training: Training):
    size, stage = 6, STAGES["2.1b"]
    batches = Batches(training.world, stage, size, seed=0)
    blocks = len(training.world.speech) // size
    starts = sorted(batches._block(step, size) // size for step in range(blocks))
    assert starts == list(range(blocks))


def test_held_out_utterances_are_never_trained_on(training: Training):
    trained = {id(clip) for clip in training.world.speech}
    held = training._world(held_out=True).speech
    assert held and not trained & {id(clip) for clip in held}
    assert {clip.text for clip in held} and len(held) + len(trained) == 2 * training.size.utterances


def test_masks_blot_out_a_part_of_speech():
    features = torch.rand(100, 80)
    changed = masked(features, random.Random(1)) != features
    assert 0 < int(changed.sum()) < changed.numel() / 2


def test_another_voice_has_the_same_sounds_higher_or_lower():
    features = torch.zeros(3, 80)
    features[:, 40] = 1
    assert torch.equal(warped(features, 1.0), features)
    assert warped(features, 1.05).argmax(1).tolist() == [42] * 3
    assert warped(features, 0.95).argmax(1).tolist() == [38] * 3


@given(st.floats(0.5, 2), st.floats(-20, 20))
def test_a_warp_keeps_what_is_the_same_in_all_bands(factor: float, value: float):
    features = torch.full((5, 80), value)
    assert torch.allclose(warped(features, factor), features)


def test_only_speech_is_disguised():
    made = Example(torch.arange(4), torch.arange(4), torch.ones(1, 3, 4, 4), audio=torch.rand(100, 80))
    heard = disguised(made, random.Random(1))
    assert heard.audio is not None and made.audio is not None
    assert heard.audio.shape == made.audio.shape and not torch.equal(heard.audio, made.audio)
    assert torch.equal(heard.pixels, made.pixels)  # type: ignore[arg-type]
    assert disguised(made._replace(audio=None), random.Random(1)) == made._replace(audio=None)


def test_stages_see_different_pictures(training: Training):
    one, two = (
        Batches(training.world, replace(STAGES[name], shares={"caption": 1}), 4, 0)(0) for name in ("1.2", "1.3")
    )
    assert not any(torch.equal(a.pixels, b.pixels) for a, b in zip(one, two, strict=True))  # type: ignore[arg-type]


def test_categories_take_turns_and_writing_comes_twice_as_often():
    turns = [list(CATEGORIES)[in_turn(number) % len(CATEGORIES)] for number in range(len(TURNS) * 3)]
    often = Counter(turns)
    assert set(often) == set(CATEGORIES)
    assert often["OCR"] == often["code_reasoning"] == 2 * often["posters"] == 2 * often["count"]
    assert len({in_turn(number) for number in range(1000)}) == 1000
