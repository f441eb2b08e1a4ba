"""NAR and AR speech decoders: cache, masks, batches, sampling, bad input."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from models.nn.llama import rotary
from models.vita15.speech_config import Sampling, SpeechDecoderConfig
from models.vita15.speech_decoder import SpeechDecoder
from models.vita15.speech_sampling import pick_code
from tests.models.vita15.speech_models import LLM_HIDDEN, tiny_decoder

DECODER = tiny_decoder()
WITH_PREFIX = tiny_decoder(prefix_layers=2)


def random_text(tokens: int, seed: int = 0) -> Tensor:
    return torch.randn(1, tokens, LLM_HIDDEN, generator=torch.Generator().manual_seed(seed))


def test_a_token_becomes_consecutive_vectors() -> None:
    text = random_text(2)
    folded = DECODER.fold(text)
    assert folded.shape == (1, 8, 12)
    assert torch.equal(folded[0, 5], text[0, 1, 12:24])


@pytest.mark.parametrize("shape", [(1, 0, 48), (1, 2, 47), (2, 48)])
def test_text_of_a_wrong_shape_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="multiple of 12"):
        DECODER.fold(torch.zeros(shape))


@settings(max_examples=15)
@given(st.integers(1, 5), st.lists(st.integers(0, 19), min_size=1, max_size=12))
@torch.no_grad()
def test_cached_steps_equal_teacher_forcing(tokens: int, codes: list[int]) -> None:
    text, given_codes = DECODER.fold(random_text(tokens)), torch.tensor([codes])
    want = DECODER.teacher_logits(text, torch.tensor([text.shape[1]]), given_codes, torch.tensor([len(codes)]))
    cache = DECODER.prefill(text, len(codes) + 4).cache  # spare slots must not be seen
    inputs = [DECODER.config.sos, *codes]
    for i, token in enumerate(inputs):
        got = DECODER.step(torch.tensor([[token]]), torch.tensor([cache.prompt_end + i]), cache)
        torch.testing.assert_close(got[:, 0], want[:, i], atol=1e-5, rtol=0)


@torch.no_grad()
def test_the_prompt_is_bidirectional_and_blind_to_codes() -> None:
    text = DECODER.fold(random_text(3))
    changed = text.clone()
    changed[0, -1] += 1
    hidden, other = DECODER.prefill(text, 1).hidden, DECODER.prefill(changed, 1).hidden
    assert not torch.allclose(hidden[0, 0], other[0, 0])  # BOS sees the last vector
    lengths, codes = torch.tensor([text.shape[1]]), torch.tensor([[1, 2, 3]])
    logits = DECODER.teacher_logits(text, lengths, codes, torch.tensor([3]))
    later = DECODER.teacher_logits(text, lengths, torch.tensor([[1, 2, 9]]), torch.tensor([3]))
    torch.testing.assert_close(logits[0, :3], later[0, :3])
    assert not torch.allclose(logits[0, 3], later[0, 3])


@torch.no_grad()
def test_a_padded_row_equals_the_row_alone() -> None:
    short, long = DECODER.fold(random_text(1, seed=1)), DECODER.fold(random_text(3, seed=2))
    batch = torch.full((2, 12, 12), 7.0)
    batch[0, :4], batch[1] = short[0], long[0]
    codes = torch.tensor([[4, 5, -1, -1], [1, 2, 3, 4]])
    lengths, code_lengths = torch.tensor([4, 12]), torch.tensor([2, 4])
    together = DECODER.teacher_logits(batch, lengths, codes, code_lengths)
    alone = DECODER.teacher_logits(short, lengths[:1], codes[:1, :2], code_lengths[:1])
    torch.testing.assert_close(together[0, :3], alone[0], atol=1e-5, rtol=0)
    padded = DECODER.teacher_logits(batch, lengths, codes, code_lengths, positions="padded")
    assert not torch.allclose(padded[0, :3], alone[0], atol=1e-3)
    torch.testing.assert_close(padded[1], together[1])

    loss = DECODER.teacher_loss(batch, lengths, codes, code_lengths)
    first = DECODER.teacher_loss(short, lengths[:1], codes[:1, :2], code_lengths[:1])
    second = DECODER.teacher_loss(long, lengths[1:], codes[1:], code_lengths[1:])
    assert (int(first.targets), int(second.targets), int(loss.targets)) == (3, 5, 8)
    torch.testing.assert_close(loss.total, first.total + second.total)


def test_training_fits_a_short_sequence_and_its_end() -> None:
    decoder = tiny_decoder().train()
    text, codes = decoder.fold(random_text(2)), torch.tensor([[3, 1, 4, 1, 5, 9]])
    lengths = torch.tensor([text.shape[1]]), torch.tensor([6])
    optimiser = torch.optim.Adam(decoder.parameters(), lr=0.02)
    for _ in range(60):
        optimiser.zero_grad()
        decoder.teacher_loss(text, lengths[0], codes, lengths[1]).total.backward()
        optimiser.step()
    generation = decoder.eval().generate(random_text(2), Sampling(top_k=1))
    assert list(generation) == codes[0].tolist()
    assert generation.stop_reason == "eos"


@settings(max_examples=20)
@given(st.integers(1, 30), st.integers(0, 1000), st.floats(0.2, 3.0))
def test_restricted_sampling_stays_in_the_codebook(top_k: int, seed: int, temperature: float) -> None:
    sampling = Sampling(top_k=top_k, temperature=temperature, penalty=1.3, penalty_window=4, max_tokens=12)
    generator = torch.Generator().manual_seed(seed)
    generation = DECODER.generate(random_text(2, seed), sampling, generator)
    codes = list(generation)
    assert all(0 <= code < DECODER.config.codes for code in codes)
    assert len(codes) <= 12
    assert generation.stop_reason == ("max_tokens" if len(codes) == 12 else "eos")


def test_the_same_seed_gives_the_same_codes() -> None:
    runs = [
        list(DECODER.generate(random_text(2), Sampling(top_k=9, max_tokens=30), torch.Generator().manual_seed(seed)))
        for seed in (5, 5, 6)
    ]
    assert runs[0] == runs[1] != runs[2]


def test_clean_penalty_lowers_and_raw_penalty_keeps_its_faults() -> None:
    config = SpeechDecoderConfig(codes=4, hidden=4, heads=1, inner=4, ar_layers=1, nar_layers=1)
    past = torch.tensor([config.sos, 1, 1, 2])
    clean = Sampling(top_k=1, penalty=2.0, penalty_window=4)
    raw = replace(clean, restrict_to_codec=False)
    positive = torch.tensor([0.9, 1.6, 1.0, 0.0, -9.0, -9.0, -9.0, -9.0])
    assert int(pick_code(positive, past, clean, config)) == 0  # 1.6 -> 0.8
    between = positive.clone()
    between[0] = 0.7
    assert int(pick_code(between, past, clean, config)) == 1  # 0.8 is still the best
    assert int(pick_code(between, past, raw, config)) == 0  # divided twice: 0.4
    negative = torch.tensor([-1.2, -2.0, -2.0, -9.0, -9.0, -9.0, -9.0, -9.0])
    assert int(pick_code(negative, past, clean, config)) == 0
    assert int(pick_code(negative, past, raw, config)) == 1  # -0.5: likelier than before


def test_raw_sampling_may_leave_the_codebook_and_clean_sampling_takes_the_next() -> None:
    config = DECODER.config
    logits = torch.zeros(config.vocabulary)
    logits[config.pad], logits[3] = 5.0, 1.0
    past = torch.tensor([config.sos])
    assert int(pick_code(logits, past, Sampling(top_k=1, restrict_to_codec=False), config)) == config.pad
    assert int(pick_code(logits, past, Sampling(top_k=1), config)) == 3


@torch.no_grad()
def test_a_prefix_stands_before_the_cache_and_positions_start_again() -> None:
    """With equal prefix and AR weights all is one sequence under a block mask, which needs no cache."""
    decoder = tiny_decoder(prefix_layers=2)
    decoder.layers_prefix.load_state_dict(decoder.layers.state_dict())
    text, prefix = decoder.fold(random_text(2)), decoder.fold(random_text(3, seed=9))
    codes = torch.tensor([[decoder.config.sos, 4, 5]])
    bos = decoder.embedding(torch.tensor([[decoder.config.bos]]))
    x = torch.cat([prefix, bos, decoder.nar(text), decoder.embedding(codes)], dim=1)
    before, size = prefix.shape[1], x.shape[1]
    part = torch.tensor([0] * before + [1] * (1 + text.shape[1]) + [2, 3, 4])
    positions = torch.cat([torch.arange(before), torch.arange(size - before)])
    tables = rotary(positions, decoder.config.head_dim, decoder.config.rope_theta)
    for block in decoder.layers:
        x = block(x, tables, part <= part[:, None])

    filled = decoder.prefill(text, 3, prefix)
    torch.testing.assert_close(filled.hidden, x[:, before:-3], atol=1e-5, rtol=0)
    slots = torch.arange(3) + filled.cache.prompt_end
    want = decoder.out_fnn(decoder.norm(x[:, -3:]))
    torch.testing.assert_close(decoder.step(codes, slots, filled.cache), want, atol=1e-5, rtol=0)
    greedy = list(decoder.generate(random_text(2), Sampling(top_k=1, max_tokens=4), prefix=random_text(3, seed=9)))
    first = decoder.step(codes[:, :1], slots[:1], filled.cache)[0, 0, : decoder.config.codes]
    assert greedy[0] == int(first.argmax())


def test_a_prefix_without_prefix_layers_is_refused() -> None:
    with pytest.raises(ValueError, match="layers_prefix"):
        DECODER.prefill(DECODER.fold(random_text(1)), 1, DECODER.fold(random_text(1)))


@pytest.mark.parametrize(
    "change", [{"top_k": 0}, {"temperature": 0.0}, {"penalty": -1.0}, {"max_tokens": 0}, {"penalty_window": -2}]
)
def test_bad_sampling_settings_are_refused(change: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(change))):
        Sampling(**change)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({}, "list"),
        ([896, 1024, {}], "transformer_num_blocks"),
        ([895, 1024, SpeechDecoderConfig.published().to_json()[2]], "idim"),
        ([896, "x", SpeechDecoderConfig.published().to_json()[2]], "odim"),
    ],
)
def test_a_bad_model_json_names_its_field(data: object, field: str) -> None:
    with pytest.raises(ValueError, match=field):
        SpeechDecoderConfig.from_json(data)


def test_published_json_round_trip() -> None:
    published = SpeechDecoderConfig.published()
    assert SpeechDecoderConfig.from_json(published.to_json()) == published
    with pytest.raises(ValueError, match="heads"):
        replace(published, heads=13)


def test_parameter_names_are_those_of_the_release() -> None:
    names = set(SpeechDecoder(replace(WITH_PREFIX.config, nar_layers=1)).state_dict())
    assert {"embedding.weight", "norm.weight", "out_fnn.weight", "out_fnn.bias"} <= names
    assert "layers_pre_nn.0.self_attn.q_proj.weight" in names
    assert "layers.1.mlp.down_proj.weight" in names
    assert "layers_prefix.1.post_attention_layernorm.weight" in names
    assert len(names) == 4 + 9 * (1 + 2 + 2)
