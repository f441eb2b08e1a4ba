"""The language model: published settings, right padding, rotary frequencies."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from models.vita15.config import LanguageConfig, Vita15Config
from models.vita15.language import causal_hidden, language_model, qwen2_config, renew_rotary


def test_published_settings_are_qwen2_5_7b() -> None:
    config = qwen2_config(LanguageConfig())
    assert config.rope_parameters["rope_theta"] == 1e6
    assert set(config.layer_types) == {"full_attention"}
    assert config.hidden_size // config.num_attention_heads == 128


def test_tied_embeddings_are_refused() -> None:
    with pytest.raises(ValueError, match="tie_word_embeddings"):
        qwen2_config(LanguageConfig(tie_word_embeddings=True))


@torch.inference_mode()
def test_what_follows_on_the_right_changes_nothing() -> None:
    torch.manual_seed(0)
    model = language_model(Vita15Config.tiny().language).eval()
    embeds = torch.randn(1, 9, 64)
    padded = torch.cat([embeds, torch.randn(1, 4, 64)], dim=1)
    torch.testing.assert_close(causal_hidden(model, padded)[:, :9], causal_hidden(model, embeds))


def test_rotary_frequencies_stay_in_full_precision() -> None:
    language = replace(Vita15Config.tiny().language, num_hidden_layers=1)
    model = language_model(language).half()
    renew_rotary(model, "cpu")
    assert model.rotary_emb.inv_freq.dtype == torch.float32
    torch.testing.assert_close(model.rotary_emb.inv_freq[1].item(), 1e6 ** (-1 / 8))
