"""The codec: shapes, receptive field, weight norm, quantiser, bad input."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.vita15.codec import Codec, receptive_field
from models.vita15.speech_config import CodecConfig
from tests.models.vita15.speech_models import tiny_codec

CODEC = tiny_codec()
HOP = CODEC.config.hop


@settings(max_examples=10)
@given(st.integers(1, 40), st.integers(1, 3))
@torch.no_grad()
def test_tokens_become_exactly_hop_samples_each(tokens: int, batch: int) -> None:
    wave = CODEC.decode(torch.randint(0, 20, (batch, tokens, 1)))
    assert wave.shape == (batch, 1, HOP * tokens)
    assert wave.abs().max() <= 1


@settings(max_examples=10)
@given(st.integers(1, 200))
@torch.no_grad()
def test_encoding_gives_one_token_a_hop_and_fills_the_last(samples: int) -> None:
    tokens = CODEC.encode(torch.randn(2, samples))
    assert tokens.codes.shape == (2, -(-samples // HOP), 1)
    assert tokens.voice.shape == (2, 1, 2)
    assert CODEC.decode(tokens.codes, tokens.voice).shape[-1] == HOP * tokens.codes.shape[1]


@torch.no_grad()
def test_the_voice_changes_the_sound() -> None:
    codes = torch.randint(0, 20, (1, 5, 1))
    same = CODEC.decode(codes, torch.tensor([[[3, 7]]]))
    assert torch.equal(CODEC.decode(codes), same)
    assert not torch.allclose(CODEC.decode(codes, torch.tensor([[[3, 8]]])), same)


@pytest.mark.parametrize("code", [-1, 20, 1026])
def test_a_code_outside_the_codebook_is_named(code: int) -> None:
    with pytest.raises(ValueError, match=rf"codec id {code} is outside the codebook of 20 entries"):
        CODEC.decode(torch.tensor([[[3], [code]]]))


def test_codes_of_a_wrong_shape_are_refused() -> None:
    with pytest.raises(ValueError, match=r"expected \[B, T, 1\]"):
        CODEC.decode(torch.zeros(1, 4, 2, dtype=torch.long))
    with pytest.raises(ValueError, match="samples > 0"):
        CODEC.encode(torch.zeros(1, 0))


@torch.no_grad()
def test_quantising_embedded_codes_gives_them_back() -> None:
    codec = tiny_codec(groups=2)
    codes, voice = torch.randint(0, 20, (2, 9, 2)), torch.randint(0, 20, (2, 1, 2))
    assert torch.equal(codec.quantizer.quantize_codes(codec.quantizer.embed_codes(codes)), codes)
    assert torch.equal(codec.quantizer.quantize_voice(codec.quantizer.embed_voice(voice)), voice)


def test_receptive_field_is_what_gradients_reach() -> None:
    codec = tiny_codec().double()
    context, middle = receptive_field(codec.config), 40
    codes = torch.randn(1, 8, 2 * middle + 1, dtype=torch.double, requires_grad=True)
    wave = codec.generator(codes, torch.zeros(1, 4, dtype=torch.double))
    (gradient,) = torch.autograd.grad(wave[0, 0, HOP * middle : HOP * (middle + 1)].sum(), codes)
    reached = gradient[0].abs().sum(0).nonzero().flatten()
    assert (middle - int(reached.min()), int(reached.max()) - middle) == context


def test_published_receptive_field_is_wider_than_the_servers_padding() -> None:
    assert receptive_field(CodecConfig.published()) == (13, 13)
    assert CodecConfig.published().hop == 600


def test_published_json_round_trip() -> None:
    published = CodecConfig.published()
    assert CodecConfig.from_json(published.to_json()) == published


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"resblock": "2"}, "resblock"),
        ({"residul_layer": 2}, "residul_layer"),
        ({"n_codes": "many"}, "n_codes"),
        ({"upsample_rates": None}, "upsample_rates"),
        ({"upsample_kernel_sizes": [16, 11, 11, 4]}, "upsample kernels"),
        ({"resblock_dilation_sizes": []}, "resblock_dilation_sizes"),
        ({"global_tokens": [1, 2]}, "global_tokens"),
        ({"global_tokens": [1024] * 8}, "global_tokens"),
    ],
)
def test_a_bad_model_json_names_its_field(change: dict[str, object], field: str) -> None:
    with pytest.raises(ValueError, match=field):
        CodecConfig.from_json(CodecConfig.published().to_json() | change)


def test_widths_that_do_not_meet_are_refused() -> None:
    with pytest.raises(ValueError, match="encoder stages"):
        Codec(replace(CODEC.config, encoder_base=3))
    with pytest.raises(ValueError, match="global_dim"):
        replace(CODEC.config, global_dim=5)
