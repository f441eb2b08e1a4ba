"""Pages of writing: what is said to be written is drawn where it is said to be, and readable as one name."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from models.training.pages import page
from models.training.vita15 import Training
from tasks.mini.drawing import SIZE
from tasks.mini.noting import Frame


@given(st.integers(0, 10_000))
def test_every_line_is_drawn_where_it_is_said_to_be(seed: int):
    made = page(random.Random(seed))
    ground = max(made.image.getcolors(SIZE * SIZE))[1]
    assert made.image.size == (SIZE, SIZE)
    free = made.image.copy()
    for frame, name, _ in made.things:
        assert len(made.image.crop(frame).getcolors(SIZE * SIZE)) > 1, name
        height = frame.bottom - frame.top
        reach = round(height / 2 + 0.5 * (frame.right - frame.left))  # a slope of 25 degrees, an arch
        free.paste(ground, Frame(frame.left - reach, frame.top - reach, frame.right + reach, frame.bottom + reach))
    assert free.getcolors(1) is not None, "something is drawn outside of all frames"


def test_a_page_depends_on_its_seed_alone():
    one, again, other = (page(random.Random(seed)) for seed in (1, 1, 2))
    assert one.things == again.things and one.image.tobytes() == again.image.tobytes()
    assert one.image.tobytes() != other.image.tobytes()


def test_words_as_the_benchmarks_write_them_are_single_names(training: Training):
    named = training.world.picturing.sights.named
    things = [thing for seed in range(40) for thing in page(random.Random(seed)).things if len(thing.name.strip()) > 2]
    whole = [thing for thing in things if len(named(thing)) == 1]
    assert len(things) > 80 and len(whole) > 0.7 * len(things)
