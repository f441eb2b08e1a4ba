"""Sizes and config.json."""

from __future__ import annotations

import json
from typing import Any

import pytest

from models.nexus_o.choices import Choices
from models.nexus_o.config import NexusConfig
from models.nexus_o.sizes import sizes


def settings() -> dict[str, Any]:
    return json.loads(json.dumps(NexusConfig.published().to_json()))


@pytest.mark.parametrize("config", [NexusConfig.published(), NexusConfig.tiny()])
def test_config_json_gives_the_sizes_back(config: NexusConfig) -> None:
    assert NexusConfig.from_json(json.loads(json.dumps(config.to_json()))) == config


def test_the_language_model_may_stand_in_a_part_of_its_own() -> None:
    flat = settings()
    moved = {name: flat.pop(name) for name in ("hidden_size", "intermediate_size", "num_hidden_layers", "vocab_size")}
    moved |= {name: flat.pop(name) for name in ("num_attention_heads", "num_key_value_heads", "rms_norm_eps")}
    rope = {"rope_type": "default", "rope_theta": flat.pop("rope_theta"), "mrope_section": [16, 24, 24]}
    del flat["rope_scaling"]
    assert NexusConfig.from_json(flat | {"text_config": moved | {"rope_parameters": rope}}) == NexusConfig.published()


def test_parts_state_only_what_differs_from_their_class() -> None:
    """As transformers 4.50 writes Qwen2.5-VL's."""
    vision = {"hidden_size": 1280, "in_chans": 3, "model_type": "qwen2_5_vl", "tokens_per_second": 2}
    given = settings() | {"vision_config": vision, "audio_config": {"model_type": "hithink_audio_encoder"}}
    assert NexusConfig.from_json(given) == NexusConfig.published()


def test_what_is_silent_about_choices_has_the_defaults() -> None:
    given = settings()
    del given["choices"], given["picture_config"], given["audio_decoder_config"]
    assert NexusConfig.from_json(given).choices == Choices()


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("hidden_size", None, "hidden_size is missing"),
        ("hidden_size", "wide", "hidden_size is 'wide': expected a whole number"),
        ("num_hidden_layers", 0, "num_hidden_layers is 0: expected 1 to"),
        ("num_key_value_heads", 5, "num_attention_heads 28 must be a multiple of num_key_value_heads 5"),
        ("rope_scaling", {"mrope_section": [1, 2, 3]}, "must sum to half a head's width, 64"),
        ("tie_word_embeddings", True, "tie_word_embeddings is true"),
        ("vision_config", None, "vision_config is missing"),
        ("audio_config", {"d_model": "wide"}, "audio_config.d_model is 'wide': expected a whole number"),
        ("audio_config", {"d_model": 1281}, "must be a multiple of encoder_attention_heads 20"),
        ("choices", {"audio_pool": 3}, "audio_pool is 3, expected 1 or 2"),
        ("choices", {"pool": 3}, "choices.pool: there is no such choice"),
    ],
)
def test_a_field_that_cannot_be_is_named(field: str, value: Any, said: str) -> None:
    with pytest.raises(ValueError) as error:
        NexusConfig.from_json(settings() | {field: value})
    assert said in str(error.value)


def test_the_parts_make_up_the_published_model() -> None:
    found = {size.part: size.parameters for size in sizes()}
    assert found["language model"] == 7_615_616_512
    assert found["backbone"] == found["vision tower with its merger"] + found["language model"] == 8_292_166_656
    assert found["speech encoder"] == 636_968_960
    assert found["audio adapter"] == 6400 * 3584 + 3584 + 3584 * 3584 + 3584
    assert found["backbone"] + found["speech encoder"] + found["audio adapter"] == found["understanding, all"]
