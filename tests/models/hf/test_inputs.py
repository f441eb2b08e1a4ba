"""Requests side by side, and what of them is too short."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from harness.failures import SampleError
from harness.types import Waveform
from models.hf.conversation import heard
from models.hf.inputs import agree, joined


def test_tokens_are_padded_on_the_left_and_media_follow_each_other() -> None:
    ids = [torch.tensor([[1, 2, 3]]), torch.tensor([[4]])]
    batch = [
        {"input_ids": ids[0], "attention_mask": torch.ones_like(ids[0])},
        {"input_ids": ids[1], "attention_mask": torch.ones_like(ids[1]), "kinds": ids[1], "pixels": torch.ones(5, 2)},
    ]
    found = joined(batch, 9)
    assert found["input_ids"].tolist() == [[1, 2, 3], [9, 9, 4]]
    assert found["attention_mask"].tolist() == [[1, 1, 1], [0, 0, 1]]
    assert found["kinds"].tolist() == [[0, 0, 0], [0, 0, 4]]
    assert found["pixels"].shape == (5, 2)


def test_features_of_other_shapes_do_not_agree() -> None:
    one, other = ({"input_ids": torch.tensor([[1, 2]]), "mel": torch.ones(1, 80, frames)} for frames in (10, 11))
    assert not agree(one, other) and agree(one, one) and agree({"input_ids": torch.tensor([[1, 2, 3]])}, other)


@pytest.mark.parametrize(
    ("rate", "samples", "said"),
    [(16_000, 0, "without samples"), (16_000, 799, "49.9 ms"), (48_000, 2300, "pad it")],
)
def test_sound_that_an_encoder_makes_nothing_of_is_told(rate: int, samples: int, said: str) -> None:
    with pytest.raises(SampleError, match=said):
        heard(Waveform(np.zeros(samples, np.float32), rate), 16_000)
    assert len(heard(Waveform(np.zeros(rate, np.float32), rate), 16_000)) == 16_000
