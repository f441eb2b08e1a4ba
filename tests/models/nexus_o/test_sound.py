"""Audio: windows and lengths by example and property, encoder and features against transformers' Whisper."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from transformers import WhisperConfig, WhisperFeatureExtractor
from transformers.models.whisper.modeling_whisper import WhisperEncoder as TheirEncoder

from models.nexus_o.adapter import AudioAdapter, stacked
from models.nexus_o.choices import Choices
from models.nexus_o.config import NexusConfig
from models.nexus_o.omni import Nexus, build
from models.nexus_o.sound import audio_tokens, windows
from models.nexus_o.whisper import WhisperEncoder

CONFIG = NexusConfig.tiny()
SECOND = 16_000


def noise(samples: int) -> Tensor:
    return 0.1 * torch.randn(samples, generator=torch.Generator().manual_seed(samples))


@pytest.fixture(scope="module")
def nexus() -> Nexus:
    return build(CONFIG, 0)


def chosen(**choices: object) -> NexusConfig:
    return replace(CONFIG, choices=replace(CONFIG.choices, **choices))


@pytest.mark.parametrize(
    ("seconds", "plain", "pooled", "padded"),
    [(30, 300, 150, 300), (1, 10, 5, 300), (30.01, 301, 150, 600), (65, 650, 325, 900)],
)
def test_ten_tokens_a_second_in_windows_of_30_s(seconds: float, plain: int, pooled: int, padded: int) -> None:
    samples = round(seconds * SECOND)
    assert audio_tokens(samples, CONFIG) == plain
    assert audio_tokens(samples, chosen(audio_pool=2)) == pooled
    assert audio_tokens(samples, chosen(pad_audio_to_30s=True)) == padded


@given(st.integers(1, 100 * SECOND))
def test_tokens_go_on_with_the_audio(samples: int) -> None:
    tokens = audio_tokens(samples, CONFIG)
    assert samples / SECOND * 10 <= tokens < samples / SECOND * 10 + 1 + math.ceil(samples / SECOND / 30)
    assert tokens <= audio_tokens(samples + 160, CONFIG)


def test_no_audio_and_audio_without_a_token_are_refused() -> None:
    for wave, config in (
        (torch.zeros(0), CONFIG),
        (torch.zeros(100), chosen(audio_pool=2)),
        (torch.zeros(2, 9), CONFIG),
    ):
        with pytest.raises(ValueError, match="long enough for a token"):
            windows(wave, config)


@torch.no_grad()
@pytest.mark.parametrize("seconds", [0.3, 31.2])
@pytest.mark.parametrize("choices", [{}, {"audio_pool": 2}, {"pad_audio_to_30s": True}, {"adapter_layers": 1}])
def test_audio_has_as_many_embeddings_as_are_planned(seconds: float, choices: dict[str, object]) -> None:
    config = chosen(**choices)
    wave = noise(round(seconds * SECOND))
    found = build(config, 0).encode_audio(windows(wave, config))
    assert found.shape == (audio_tokens(len(wave), config), CONFIG.language.hidden_size)


@torch.no_grad()
def test_windows_know_nothing_of_each_other(nexus: Nexus) -> None:
    wave = noise(31 * SECOND)
    both = nexus.encode_audio(windows(wave, CONFIG))
    first, second = (nexus.encode_audio(windows(part, CONFIG)) for part in wave.split(30 * SECOND))
    torch.testing.assert_close(both, torch.cat([first, second]), atol=1e-5, rtol=0)


def test_features_are_those_of_transformers() -> None:
    wave = noise(3 * SECOND)
    theirs = WhisperFeatureExtractor(feature_size=CONFIG.audio.num_mel_bins)
    want = theirs(wave.numpy(), sampling_rate=SECOND, return_tensors="pt")["input_features"]
    torch.testing.assert_close(windows(wave, CONFIG).mel, want, atol=1e-4, rtol=0)


@torch.no_grad()
def test_the_encoder_is_that_of_transformers() -> None:
    audio = replace(CONFIG.audio, max_source_positions=50)
    torch.manual_seed(0)
    theirs = TheirEncoder(
        WhisperConfig(
            d_model=audio.d_model,
            encoder_layers=audio.encoder_layers,
            encoder_attention_heads=audio.encoder_attention_heads,
            encoder_ffn_dim=audio.encoder_ffn_dim,
            num_mel_bins=audio.num_mel_bins,
            max_source_positions=audio.max_source_positions,
        )
    ).eval()
    for parameter in theirs.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    ours = WhisperEncoder(audio)
    ours.load_state_dict(theirs.state_dict())
    mel = torch.randn(2, audio.num_mel_bins, 100)
    want = theirs(mel).last_hidden_state
    torch.testing.assert_close(ours(mel), want, atol=1e-4, rtol=0)
    pooled = WhisperEncoder(audio, pool=2)
    pooled.load_state_dict(theirs.state_dict())
    inner = theirs.layer_norm
    theirs.layer_norm = torch.nn.Identity()
    before = theirs(mel).last_hidden_state
    torch.testing.assert_close(pooled(mel), inner((before[:, ::2] + before[:, 1::2]) / 2), atol=1e-4, rtol=0)
    with pytest.raises(ValueError, match="98 frames of speech: a window has 100"):
        ours(mel[..., 2:])


def test_positions_are_whispers_sinusoids() -> None:
    from transformers.models.whisper.modeling_whisper import sinusoids

    torch.testing.assert_close(WhisperEncoder(CONFIG.audio).embed_positions.weight.data, sinusoids(1500, 32))


def test_five_frames_stand_side_by_side_the_first_one_first() -> None:
    frames = torch.arange(14.0).reshape(1, 7, 2)
    assert stacked(frames).tolist() == [[list(range(10)), [10, 11, 12, 13, 0, 0, 0, 0, 0, 0]]]


def test_one_layer_is_a_single_map_of_the_stack() -> None:
    adapter = AudioAdapter(8, 6, Choices(adapter_layers=1))
    assert {name: tuple(tensor.shape) for name, tensor in adapter.state_dict().items()} == {
        "fc1.weight": (6, 40),
        "fc1.bias": (6,),
    }
    frames = torch.randn(2, 9, 8)
    torch.testing.assert_close(adapter(frames), stacked(frames) @ adapter.fc1.weight.T + adapter.fc1.bias)


@pytest.mark.parametrize("act", ["gelu", "relu", "silu"])
def test_the_activation_is_the_chosen_one(act: str) -> None:
    adapter = AudioAdapter(4, 6, Choices(adapter_hidden=5, adapter_act=act))  # type: ignore[arg-type]
    frames = torch.randn(1, 5, 4)
    inner = getattr(torch.nn.functional, act)(adapter.fc1(frames.reshape(1, 1, 20)))
    torch.testing.assert_close(adapter(frames), adapter.fc2(inner))  # type: ignore[misc]
    assert np.isfinite(inner.detach().numpy()).all()
