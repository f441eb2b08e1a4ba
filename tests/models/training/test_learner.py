"""The terms of the loss: what is named and how long embeddings are, beside the answer."""

from __future__ import annotations

import random

import pytest
import torch

from models.training.examples import PICTURE, Example, Imagined, assistant, collate, example, user
from models.training.learner import LENGTH_WEIGHT, Learner
from models.training.recipes import STAGES
from models.training.vita15 import Training
from models.vita15.checkpoint import build
from models.vita15.config import Vita15Config
from models.vita15.tokenizer import byte_tokenizer

CONFIG = Vita15Config.tiny()
TOKENIZER = byte_tokenizer()


@pytest.fixture
def learner() -> Learner:
    return Learner(build(CONFIG, seed=0), STAGES["1.3"])


def shown(units: list[int]) -> Example:
    made = example([user(PICTURE, "what?"), assistant("that")], TOKENIZER, torch.zeros(1, 3, 56, 56))
    return made._replace(units=torch.tensor(units, dtype=torch.long))


@torch.no_grad()
def test_embeddings_as_long_as_words_cost_nothing_and_longer_ones_much(learner: Learner):
    length = learner.vita.model.embed_tokens.weight.norm(dim=-1).mean()
    learner._seen = [torch.nn.functional.normalize(torch.randn(2, 4, 64), dim=-1) * length]
    assert float(learner._length_loss()) < 1e-6
    learner._seen = [100 * learner._seen[0]]
    assert float(learner._length_loss()) == pytest.approx(21.2, abs=0.1)  # the square of log 100


@torch.no_grad()
def test_a_patch_that_is_like_a_word_names_it(learner: Learner):
    words = learner.vita.model.embed_tokens.weight.detach()
    learner._seen = [torch.stack([words[7], words[9], words[9], words[11]])[None]]
    right, wrong = (float(learner._naming_loss([shown(units)])) for units in ([7, 11], [20, 21]))
    assert right < wrong - 5


def test_pictures_without_names_and_batches_without_pictures_cost_nothing(learner: Learner):
    learner._seen = [torch.randn(1, 4, 64)]
    assert float(learner._naming_loss([shown([])])) == 0
    assert float(learner._naming_loss([shown([])._replace(pixels=None)])) == 0


@torch.no_grad()
def test_an_imagined_picture_is_the_embeddings_of_its_words_with_noise_of_their_length(learner: Learner):
    words = torch.tensor([5, 6, 7, 8])
    asked = example([user(PICTURE, "what?"), assistant("that")], TOKENIZER)
    clear, blurred = (
        learner._imagined([asked._replace(imagined=Imagined(words, noise))])
        for noise in (torch.zeros(4, 64), torch.ones(4, 64) / 8)
    )
    embeds = learner.vita.model.embed_tokens(words)
    assert clear is not None and blurred is not None
    assert torch.equal(clear[0], embeds)
    assert (blurred[0] - embeds).norm(dim=-1).allclose(embeds.norm(dim=-1))
    assert float(learner([asked._replace(imagined=Imagined(words, torch.zeros(4, 64)))])) > 0


def test_the_loss_of_answers_is_the_models_own(learner: Learner):
    batch = [shown([])]
    with torch.no_grad():
        total = learner(batch)
        own = learner.vita(collate(batch), [batch[0].labels]).loss
    assert float(total) == pytest.approx(float(own + LENGTH_WEIGHT * learner._length_loss()), rel=1e-5)


def test_every_kind_of_example_fits_what_it_says(training: Training):
    for kind, make in training.world.kinds.items():
        made = make(4, random.Random(0))
        assert (made.pixels is not None) == (kind in ("caption", "question", "spoken question")), kind
        assert (made.audio is not None) == (kind in ("spoken question", "transcript", "noise")), kind
        assert (made.imagined is not None) == (kind == "imagined"), kind
        assert (made.labels >= 0).any() and len(made.ids) == len(made.labels)
        assert torch.equal(made.ids[made.labels >= 0], made.labels[made.labels >= 0])
