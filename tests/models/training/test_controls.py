"""Blank and swapped inputs, and that they tell a model that looks from one that does not."""

from __future__ import annotations

import torch
from torch import Tensor

from models.training.controls import blanked, controls, shuffled
from models.training.examples import NOTHING, Example

NO_TEXT = torch.zeros(1, dtype=torch.long)


def seen(value: float) -> Example:
    return Example(NO_TEXT, NO_TEXT, torch.full((1, 3, 2, 2), value))


def heard(value: float) -> Example:
    return Example(NO_TEXT, NO_TEXT, audio=torch.full((9, 80), value))


def test_blank_inputs_keep_their_shapes():
    picture, speech = blanked([seen(1.0), heard(1.0)])
    assert picture.pixels is not None and not picture.pixels.any() and picture.audio is None
    assert speech.audio is not None and speech.audio.shape == (9, 80) and speech.audio.unique().numel() == 1


def test_each_example_gets_the_input_of_the_one_before_with_the_same_medium():
    turned = shuffled([seen(1.0), heard(2.0), seen(3.0), heard(4.0), Example(NO_TEXT, NO_TEXT, units=NOTHING)])
    assert [float(e.pixels.mean()) for e in turned if e.pixels is not None] == [3.0, 1.0]
    assert [float(e.audio.mean()) for e in turned if e.audio is not None] == [4.0, 2.0]


def test_clips_are_swapped_with_clips_of_as_many_frames():
    clip, longer = (Example(NO_TEXT, NO_TEXT, torch.full((frames, 3, 2, 2), 9.0)) for frames in (4, 6))
    turned = shuffled([seen(1.0), clip, seen(2.0), longer, clip._replace(pixels=torch.zeros(4, 3, 2, 2))])
    means = [(len(e.pixels), float(e.pixels.mean())) for e in turned if e.pixels is not None]
    assert means == [(1, 2.0), (4, 0.0), (1, 1.0), (6, 9.0), (4, 9.0)]


class Looks(torch.nn.Module):
    """Its loss is low when the picture fits the text."""

    def forward(self, examples: list[Example]) -> Tensor:
        return torch.stack([(e.pixels.mean() - e.labels[0]).abs() for e in examples if e.pixels is not None]).mean()


def test_a_model_that_looks_loses_by_blank_and_swapped_inputs():
    batch = [seen(value)._replace(labels=torch.tensor([value])) for value in (1.0, 2.0, 3.0)]
    found = controls(Looks(), [batch])  # type: ignore[arg-type]
    assert found.true == 0 < min(found.blank, found.shuffled)
