import math
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from models.nn.kaldi import MEL_FLOOR
from models.vita15.audio_encoder import AudioEncoder, PositionBiasedAttention, chunk_mask, sinusoids
from models.vita15.audio_features import num_llm_tokens
from models.vita15.config import AudioConfig, Vita15Config

TINY = Vita15Config.tiny().audio

# The speech encoder of the released checkpoint, without the prefix `model.audio_encoder.`.
RELEASED = {
    "encoder.global_cmvn.mean": (80,),
    "encoder.global_cmvn.istd": (80,),
    "encoder.enc.0.core.conv.0.weight": (1024, 1, 3, 3),
    "encoder.enc.0.core.conv.0.bias": (1024,),
    "encoder.enc.0.core.conv.2.weight": (1024, 1024, 3, 3),
    "encoder.enc.0.core.conv.2.bias": (1024,),
    "encoder.enc.0.core.out.0.weight": (1024, 19456),
    "encoder.enc.0.core.out.0.bias": (1024,),
    "encoder.enc.1.embed.0.weight": (1024, 1024),
    "encoder.enc.1.embed.0.bias": (1024,),
    "encoder.enc.1.embed.1.weight": (1024,),
    "encoder.enc.1.embed.1.bias": (1024,),
    "encoder.enc.1.after_norm.weight": (1024,),
    "encoder.enc.1.after_norm.bias": (1024,),
    "adpter.conv1d2.weight": (2048, 1024, 5),
    "adpter.conv1d2.bias": (2048,),
    "adpter.bn2.weight": (2048,),
    "adpter.bn2.bias": (2048,),
    "adpter.project.weight": (3584, 2048),
    "adpter.project.bias": (3584,),
}
RELEASED_LAYER = {
    **{f"self_attn.linear_{part}.weight": (1024, 1024) for part in ("q", "k", "v", "out", "pos")},
    **{f"self_attn.linear_{part}.bias": (1024,) for part in ("q", "k", "v", "out")},
    "self_attn.pos_bias_u": (16, 64),
    "self_attn.pos_bias_v": (16, 64),
    "feed_forward.w_1.weight": (4096, 1024),
    "feed_forward.w_1.bias": (4096,),
    "feed_forward.w_2.weight": (1024, 4096),
    "feed_forward.w_2.bias": (1024,),
    **{f"{norm}.{part}": (1024,) for norm in ("norm1", "norm2") for part in ("weight", "bias")},
}


def build(**changes: int) -> AudioEncoder:
    torch.manual_seed(0)
    encoder = AudioEncoder(replace(TINY, **changes), output_size=40).eval()
    for name, parameter in encoder.named_parameters():
        if "pos_bias" in name:
            torch.nn.init.normal_(parameter)
    return encoder


ENCODERS = {"full": build(), "chunked": build(chunk_size=3, left_chunks=1)}


def features(*shape: int, seed: int = 1) -> Tensor:
    return torch.randn(*shape, 80, generator=torch.Generator().manual_seed(seed))


def test_published_encoder_has_the_released_parameters() -> None:
    with torch.device("meta"):
        state = AudioEncoder(AudioConfig(), output_size=3584).state_dict()
    expected = dict(RELEASED)
    for layer in range(24):
        prefix = f"encoder.enc.1.encoders.{layer}."
        expected |= {prefix + name: shape for name, shape in RELEASED_LAYER.items()}
    assert {name: tuple(value.shape) for name, value in state.items()} == expected


@settings(max_examples=25)
@given(st.sampled_from(sorted(ENCODERS)), st.integers(7, 60), st.integers(0, 40), st.floats(-50, 50))
@torch.no_grad()
def test_right_padding_does_not_change_a_sample(kind: str, frames: int, padding: int, filler: float) -> None:
    encoder = ENCODERS[kind]
    clip = features(1, frames)
    alone = encoder(clip, torch.tensor([frames]))
    padded = torch.cat([clip, torch.full((1, padding, 80), filler)], dim=1)
    batch = torch.cat([padded, features(1, frames + padding, seed=2)])
    out = encoder(batch, torch.tensor([frames, frames + padding]))
    tokens = num_llm_tokens(frames)
    assert out.lengths.tolist() == [tokens, num_llm_tokens(frames + padding)]
    assert alone.embeddings.shape == (1, tokens, 40)
    assert out.mask[0].tolist() == [i < tokens for i in range(out.mask.shape[1])]
    torch.testing.assert_close(out.embeddings[0, :tokens], alone.embeddings[0], atol=1e-5, rtol=0)


@torch.no_grad()
@pytest.mark.parametrize("kind", sorted(ENCODERS))
@pytest.mark.parametrize("length", [40, 0])
def test_silence_and_samples_without_audio_stay_finite(kind: str, length: int) -> None:
    silence = torch.full((2, 40, 80), MEL_FLOOR).log()
    out = ENCODERS[kind](silence, torch.tensor([length, 40]))
    assert out.embeddings.isfinite().all()
    assert out.lengths.tolist() == [num_llm_tokens(length), num_llm_tokens(40)]


def test_gradients_stay_finite_where_queries_see_nothing() -> None:
    encoder = build(chunk_size=2, left_chunks=0)
    encoder(features(2, 60), torch.tensor([9, 60])).embeddings.sum().backward()
    gradients = [p.grad for p in encoder.parameters()]
    assert all(g is not None and g.isfinite().all() for g in gradients)


@torch.no_grad()
def test_a_query_that_sees_nothing_gets_the_output_of_zeros() -> None:
    torch.manual_seed(0)
    attention = PositionBiasedAttention(8, 2)
    visible = torch.tensor([[True, False], [False, False]])[None, None]
    out = attention(torch.randn(1, 2, 8), torch.randn(2, 8), visible)
    torch.testing.assert_close(out[0, 1], attention.linear_out.bias)


@torch.no_grad()
def test_attention_is_biased_by_the_absolute_position_of_the_key() -> None:
    torch.manual_seed(0)
    attention = PositionBiasedAttention(8, 2)
    torch.nn.init.normal_(attention.pos_bias_u)
    torch.nn.init.normal_(attention.pos_bias_v)
    x, positions = torch.randn(1, 5, 8), torch.randn(5, 8)
    q, k, v = (getattr(attention, f"linear_{part}")(x[0]).reshape(5, 2, 4) for part in "qkv")
    p = attention.linear_pos(positions).reshape(5, 2, 4)
    scores = torch.einsum("thd,shd->hts", q + attention.pos_bias_u, k)
    scores = scores + torch.einsum("thd,shd->hts", q + attention.pos_bias_v, p)
    expected = torch.einsum("hts,shd->thd", (scores / 2).softmax(-1), v).reshape(5, 8)
    got = attention(x, positions, torch.ones(1, 1, 1, 5, dtype=torch.bool))
    torch.testing.assert_close(got[0], attention.linear_out(expected))


@given(st.integers(1, 20), st.integers(1, 6), st.integers(-1, 4))
def test_chunk_mask_is_its_definition(size: int, chunk: int, left: int) -> None:
    mask = chunk_mask(size, chunk, left)
    for i in range(size):
        start = 0 if left < 0 else max(0, (i // chunk - left) * chunk)
        stop = min(size, (i // chunk + 1) * chunk)
        assert mask[i].tolist() == [start <= j < stop for j in range(size)]


def test_sinusoids_alternate_sine_and_cosine() -> None:
    table = sinusoids(3, 4)
    assert table[0].tolist() == [0, 1, 0, 1]
    expected = [math.sin(2), math.cos(2), math.sin(0.02), math.cos(0.02)]
    torch.testing.assert_close(table[2], torch.tensor(expected))


@torch.no_grad()
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_stays_near(dtype: torch.dtype) -> None:
    clip, lengths = features(2, 60), torch.tensor([60, 31])
    expected = ENCODERS["chunked"](clip, lengths).embeddings
    half = build(chunk_size=3, left_chunks=1)
    half.load_state_dict(ENCODERS["chunked"].state_dict())
    got = half.to(dtype)(clip.to(dtype), lengths).embeddings
    assert got.dtype == dtype
    assert (got.float() - expected).abs().max() < 0.1


@torch.no_grad()
def test_prompt_embeddings_come_first_and_count() -> None:
    encoder = build(num_prompt_embeddings=3)
    out = encoder(features(2, 40), torch.tensor([40, 20]))
    torch.testing.assert_close(out.embeddings[:, :3], encoder.prompt_embeddings.weight.expand(2, -1, -1))
    assert out.lengths.tolist() == [3 + num_llm_tokens(40), 3 + num_llm_tokens(20)]
    assert out.mask.sum(1).tolist() == out.lengths.tolist()


@pytest.mark.parametrize(
    ("shape", "lengths", "message"),
    [
        ((1, 6, 80), [6], "at least 7"),
        ((1, 20, 40), [20], r"expected \[B, T, 80\]"),
        ((2, 20, 80), [20], "expected"),
        ((20, 80), [20], "expected"),
    ],
)
def test_inputs_that_do_not_fit_are_refused(shape: tuple[int, ...], lengths: list[int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ENCODERS["full"](torch.zeros(shape), torch.tensor(lengths))
