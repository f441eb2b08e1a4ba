"""Sizes as config.json states them, with each fault named."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pytest
import torch

from models.vita_audio.config import MtpConfig
from models.vita_audio.language import MtpModel


def test_the_released_settings_are_read() -> None:
    stated = asdict(MtpConfig.published()) | {"model_type": "qwen2_mtp", "tie_word_embeddings": False}
    assert MtpConfig.from_json(stated) == MtpConfig.published()
    config = MtpConfig.published()
    assert (config.llm_layers, config.modules, config.head_dim) == (28, 10, 128)
    assert (MtpConfig.published(0).num_hidden_layers, MtpConfig.published(0).llm_layers) == (28, 28)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("hidden_size", None),
        ("hidden_size", "3584"),
        ("hidden_size", 3585),
        ("vocab_size", 0),
        ("num_hidden_layers", 10),
        ("num_nextn_predict_layers", -1),
        ("num_key_value_heads", 3),
        ("rms_norm_eps", 0.0),
        ("rope_theta", True),
        ("tie_word_embeddings", True),
        ("use_sliding_window", True),
    ],
)
def test_a_setting_that_cannot_be_is_named(field: str, value: Any) -> None:
    with pytest.raises(ValueError, match=field):
        MtpConfig.from_json(asdict(MtpConfig.published()) | {field: value})


def test_the_published_sizes_have_the_released_number_of_parameters() -> None:
    """28 layers of Qwen2.5-7B with 168,072 rows of embedding and head, and 10 layers with projection and two norms."""
    layer = 2 * 3584 * 3584 + 2 * 3584 * 512 + 3584 + 2 * 512 + 3 * 3584 * 18944 + 2 * 3584
    llm = 2 * 168072 * 3584 + 28 * layer + 3584
    for modules in (0, 10):
        with torch.device("meta"):
            model = MtpModel(MtpConfig.published(modules))
        more = modules * (layer + 2 * 3584 * 3584 + 2 * 3584)
        assert sum(parameter.numel() for parameter in model.parameters()) == llm + more
