"""Pictures whose things have known places: what is said to be there is drawn there."""

from __future__ import annotations

import random

import torch
from hypothesis import given
from hypothesis import strategies as st

from models.training.collages import collage
from models.training.vita15 import Training
from tasks.mini import persons
from tasks.mini.drawing import COLOURS, OBJECTS, SIZE
from tasks.mini.noting import Frame

PEOPLE = {word for action in persons.ACTIONS.values() for word in action.split()} | set(persons.JOBS)
REACH = 56
"""Pixels by which an arm or a tool may stand out of a person's frame."""


@given(st.integers(0, 10_000))
def test_every_thing_is_drawn_within_its_frame_and_the_frames_keep_apart(seed: int):
    made = collage(random.Random(seed))
    ground = max(made.image.getcolors(SIZE * SIZE))[1]
    assert made.image.size == (SIZE, SIZE) and len(made.things) >= 2
    free = made.image.copy()
    for frame, name, _ in made.things:
        inside = made.image.crop(frame)
        assert len(inside.getcolors(SIZE * SIZE)) > 1, name
        colour, shape = name.split() if len(name.split()) == 2 else ("", "")
        if shape in OBJECTS and colour in COLOURS:
            assert COLOURS[colour] in {found for _, found in inside.getcolors(SIZE * SIZE)}
        reach = REACH if name.split()[-1] in PEOPLE else 8
        free.paste(ground, Frame(frame.left - reach, frame.top - reach, frame.right + reach, frame.bottom + reach))
    assert free.getcolors(1) is not None, "something is drawn outside of all frames"


def test_a_picture_depends_on_its_seed_alone():
    one, again, other = (collage(random.Random(seed)) for seed in (1, 1, 2))
    assert one.things == again.things and one.image.tobytes() == again.image.tobytes()
    assert one.image.tobytes() != other.image.tobytes()


def test_a_frame_takes_the_tokens_in_it_or_the_nearest(training: Training):
    spot = training.world.picturing.sights.spot  # two by two tokens, with centres at 56 and 168
    assert spot(Frame(0, 0, SIZE, SIZE)).tolist() == [True] * 4
    assert spot(Frame(100, 0, 224, 100)).tolist() == [False, True, False, False]
    assert spot(Frame(60, 60, 70, 70)).tolist() == [True, False, False, False]


def test_words_and_their_places_go_together(training: Training):
    for number in range(20):
        made = training.world.picturing.collage(number, random.Random(0))
        assert made.spots is not None and made.spots.shape == (len(made.units), 4) and made.spots.any(1).all()
        named = training.tokenizer.decode(made.units.tolist())
        assert named.strip() and made.pixels is not None and torch.isfinite(made.pixels).all()
