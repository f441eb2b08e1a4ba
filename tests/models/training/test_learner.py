"""The terms of the loss: what is named and how long embeddings are, beside the answer."""

from __future__ import annotations

import random

import pytest
import torch

from models.text.tokenizer import byte_tokenizer
from models.training.examples import CLIP, PICTURE, SPEECH, Example, Imagined, assistant, collate, example, user
from models.training.learner import LENGTH_WEIGHT, NAMING_WEIGHT, Learner, length_loss, naming_loss
from models.training.recipes import STAGES
from models.training.vita15 import Training
from models.vita15.checkpoint import build
from models.vita15.config import Vita15Config
from models.vita15.omni import IGNORE
from tasks.mini.scenes import CATEGORIES

CONFIG = Vita15Config.tiny()
TOKENIZER = byte_tokenizer()


@pytest.fixture
def learner() -> Learner:
    return Learner(build(CONFIG, seed=0), STAGES["1.3"], range(10))


def shown(units: list[int]) -> Example:
    made = example([user(PICTURE, "what?"), assistant("that")], TOKENIZER, torch.zeros(1, 3, 56, 56))
    return made._replace(units=torch.tensor(units, dtype=torch.long))


def test_embeddings_as_long_as_words_cost_nothing_and_longer_ones_much():
    words = torch.randn(50, 64)
    embeds = torch.nn.functional.normalize(torch.randn(8, 64), dim=-1) * words.norm(dim=-1).mean()
    assert float(length_loss(embeds, words)) < 1e-6
    assert float(length_loss(100 * embeds, words)) == pytest.approx(21.2, abs=0.1)  # the square of log 100


def test_an_embedding_that_is_like_a_word_names_it():
    words = torch.randn(50, 64, generator=torch.Generator().manual_seed(0))
    embeds = words[[7, 9, 9, 11]]
    right, wrong = (float(naming_loss(embeds, words, torch.tensor(units))) for units in ([7, 11], [20, 21]))
    assert right < wrong - 5


def test_a_word_is_looked_for_in_its_own_place():
    words = torch.randn(50, 64, generator=torch.Generator().manual_seed(0))
    embeds = words[[7, 9]]
    here, there = torch.tensor([[True, False]]), torch.tensor([[False, True]])
    assert float(naming_loss(embeds, words, torch.tensor([7]), here)) < 1e-3
    assert float(naming_loss(embeds, words, torch.tensor([7]), there)) > 10
    assert float(naming_loss(embeds, words, torch.tensor([7, 9]), torch.cat([here, there]))) < 1e-3


@torch.no_grad()
def test_naming_does_not_ask_the_language_model():
    vita = build(CONFIG, seed=0)
    learner = Learner(vita, STAGES["0v"], range(10))
    batch = [shown([7, 11])._replace(spots=torch.ones(2, 4, dtype=torch.bool))]
    seen, words = vita.encode_images(torch.zeros(1, 3, 56, 56))[0], vita.model.embed_tokens.weight
    named = sum(float(naming_loss(seen, learner._names(), torch.tensor([unit]))) for unit in (7, 11)) / 2
    assert float(learner(batch)) == pytest.approx(named + LENGTH_WEIGHT * float(length_loss(seen, words)), rel=1e-5)
    with pytest.raises(ValueError, match="0v learns to name, but its examples have no pictures"):
        learner([batch[0]._replace(pixels=None)])


@torch.no_grad()
def test_an_imagined_picture_is_the_mean_of_its_words_and_noise_of_their_length(learner: Learner):
    words = torch.tensor([[[5, 5], [6, 7], [8, 8], [8, 8]]])
    shown = torch.tensor([[True, True, True, False]])
    asked = example([user(PICTURE, "what?"), assistant("that")], TOKENIZER)
    (clear,), (blurred,) = (
        learner._imagined([asked._replace(imagined=Imagined(words, shown, noise))])
        for noise in (torch.zeros(1, 4, 64), torch.ones(1, 4, 64) / 8)
    )
    one, two, mixed = (learner.vita.model.embed_tokens(torch.tensor(word)) for word in (5, 6, 7))
    assert clear[0, 0].allclose(one) and clear[0, 3].eq(0).all()
    likeness = torch.nn.functional.cosine_similarity
    assert float(likeness(clear[0, 1], two, dim=0)) > 0.6 and float(likeness(clear[0, 1], mixed, dim=0)) > 0.6
    length = learner.vita.model.embed_tokens(words[0]).norm(dim=-1).mean(-1)
    assert (blurred[0] - clear[0]).norm(dim=-1).allclose(length)
    assert float(learner([asked._replace(imagined=Imagined(words, shown, torch.zeros(1, 4, 64)))])) > 0


@torch.no_grad()
def test_the_frames_of_an_imagined_clip_stay_together(learner: Learner):
    def imagined(tiles: int) -> Imagined:
        words = torch.full((tiles, 4, 1), tiles)
        return Imagined(words, torch.ones(tiles, 4, dtype=torch.bool), torch.zeros(tiles, 4, 64))

    clip = example([user(CLIP, "what?"), assistant("that")], TOKENIZER, imagined=imagined(3))
    picture = example([user(PICTURE, "what?"), assistant("that")], TOKENIZER, imagined=imagined(1))
    assert [len(seen) for seen in learner._imagined([clip, picture])] == [3, 1]
    assert int((clip.ids < 0).sum()) == 3 and float(learner([clip, picture])) > 0


@torch.no_grad()
def test_the_loss_is_the_models_own_and_the_two_terms(learner: Learner):
    clip = torch.randn(60, 80, generator=torch.Generator().manual_seed(1))
    heard = example([user(SPEECH), assistant("this")], TOKENIZER, audio=clip)
    batch = [heard._replace(units=torch.tensor([8])), shown([7, 11]), shown([])]
    vita, inputs = learner.vita, collate(batch)
    rows = [float(vita(collate([one]), [one.labels]).loss) for one in batch]
    weights = [int((one.labels != IGNORE).sum()) ** 0.5 for one in batch]
    own = sum(row * weight for row, weight in zip(rows, weights, strict=True)) / sum(weights)
    words = vita.model.embed_tokens.weight
    speech, seen = vita.encode_audio(inputs.audio, inputs.audio_lengths), vita.encode_images(inputs.pixel_values)
    names = learner._names()
    named = (naming_loss(speech[0], names, torch.tensor([8])) + naming_loss(seen[0], names, torch.tensor([7, 11]))) / 2
    length = length_loss(torch.cat([*speech, *seen]), words)
    expected = float(own + LENGTH_WEIGHT * length + NAMING_WEIGHT * named)
    assert float(learner(batch)) == pytest.approx(expected, rel=1e-5)


def test_every_kind_of_example_fits_what_it_says(training: Training):
    for kind, make in training.world.kinds.items():
        made = make(4, random.Random(0))
        seen = ("collage", "page", "gallery", "caption", "question", "exercise", "clip", "spoken question")
        heard = ("spoken question", "spoken fact", "spoken translation", "transcript", "noise")
        assert (made.pixels is not None) == (kind in seen), kind
        assert (made.audio is not None) == (kind in heard), kind
        assert (made.imagined is not None) == (kind in ("imagined", "drill", "sketch", "storyboard")), kind
        assert (made.labels >= 0).any() == (kind not in ("collage", "page", "gallery"))
        assert len(made.ids) == len(made.labels)
        assert torch.equal(made.ids[made.labels >= 0], made.labels[made.labels >= 0])


@torch.no_grad()
def test_what_is_said_of_the_whole_picture_weighs_as_much_as_all_that_is_in_places(learner: Learner):
    words = learner._names()
    spots = torch.tensor([[True, False, False, False], [False, True, True, False], [True] * 4])
    asked = shown([])
    units = torch.tensor([5, 6, 9])
    view = learner.vita.encode_images(asked.pixels)[0]
    assert len(view) == spots.shape[1]
    placed, whole = (naming_loss(view, words, units[those], spots[those]) for those in (slice(0, 2), slice(2, 3)))
    named = learner([asked._replace(units=units, spots=spots)]) - learner([asked])
    assert float(named) == pytest.approx(float(NAMING_WEIGHT * (placed + whole) / 2), rel=1e-4)


def test_a_picture_of_many_alike_is_named_by_their_number_too(training: Training):
    numbers = {training.tokenizer.encode(f" {number}")[0] for number in ("one", "two", "three", "four", "five", "six")}
    scene = list(CATEGORIES).index("count")
    counted = [place for place in range(10 * len(CATEGORIES)) if place % len(CATEGORIES) == scene]
    said = 0
    for place in counted:
        item = training.world.picturing.scene(place)
        made = training.world.picturing.seen(item, place, [user(PICTURE, "what?"), assistant("that")])
        assert made.spots is not None and made.spots.shape == (len(made.units), 4)
        said += any(int(unit) in numbers for unit in made.units)
        assert len(made.units) >= 2 * len(item.things)
    assert said > len(counted) // 2
