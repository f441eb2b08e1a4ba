"""Names for what is seen, and pictures made of them."""

from __future__ import annotations

import random

import torch

from models.training.sights import RANKS, WORDS, digit_tokens, ranked
from models.training.vita15 import Training
from tasks.mini.drawing import SIZE
from tasks.mini.noting import Frame, Thing


def test_the_same_digits_in_another_order_are_another_sum():
    words = torch.randn(40, 64, generator=torch.Generator().manual_seed(0))
    digits = torch.arange(10, 20)
    names = ranked(words, digits)
    assert names.shape == (40 + 10 * (RANKS - 1), 64) and torch.equal(names[:40], words)

    def number(*said: int) -> torch.Tensor:
        rows = [digits[said[0]], *(40 + 10 * rank + digit for rank, digit in enumerate(said[1:]))]
        return names[torch.tensor([int(row) for row in rows])].sum(0)

    assert torch.equal(names[40 + 5], words[15].roll(16))  # the second digit, a quarter of the width further
    likeness = torch.nn.functional.cosine_similarity
    assert float(likeness(number(2, 5), number(5, 2), dim=0)) < 0.5
    assert float(likeness(number(2, 5), number(2, 5), dim=0)) > 0.99


def test_digits_have_rows_by_their_rank_and_words_their_own(training: Training):
    sights, tokens = training.world.picturing.sights, digit_tokens(training.tokenizer)
    rows = sights.rows
    here = Frame(0, 0, 9, 9)
    assert [sights.named(Thing(here, "7", rank)) for rank in (0, 1, 3, 5)] == [
        [tokens[7]], [rows + 7], [rows + 27], [rows + 27]
    ]  # fmt: skip
    assert training.tokenizer.decode(sights.named(Thing(here, " red house"))) == " red house"


def test_each_token_of_an_imagined_picture_says_only_what_is_there(training: Training):
    sights = training.world.picturing.sights
    left, whole = Thing(Frame(0, 0, 90, SIZE), " red house"), Thing(Frame(0, 0, SIZE, SIZE), " sea")
    for seed in range(20):
        tile = sights.laid_out([left, whole], random.Random(seed))
        assert {name for names in tile for name in names} >= {*sights.named(left), *sights.named(whole)}
        assert all(not {*sights.named(left)} & {*tile[place]} for place in (1, 3))
        made = sights.imagined([tile, [[] for _ in tile]], random.Random(seed))
        assert made.words.shape == (2, 4, WORDS) and not made.shown[1].any()
        assert all(set(made.words[0, place].tolist()) <= set(tile[place]) for place in range(4) if tile[place])


def test_a_sketch_shows_what_the_answer_is_read_from(training: Training):
    """The answers that are names are among the names of the picture, whatever drew it."""
    world, found = training.world.writing, 0
    for number in range(24):
        made = world.sketch(number, random.Random(number))
        assert made.imagined is not None and made.imagined.shown.any()
        answer = {token for token in made.labels.tolist() if token >= 0}
        found += bool(answer & set(made.imagined.words[made.imagined.shown].flatten().tolist()))
    assert found > 4
