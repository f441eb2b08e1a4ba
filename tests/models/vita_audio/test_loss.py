"""The loss over packed samples: none sees another, borders as in the reference, gradients only where they belong."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from models.vita_audio.config import MtpConfig
from models.vita_audio.interleave import IGNORED
from models.vita_audio.language import MtpModel, build
from models.vita_audio.loss import Packed, cross_entropy, pack, packed_loss, packed_rows

VOCABULARY, MODULES = 40, 3
LLM_LAYERS = 2
OWN = ("mtp_projs.", "mtp_embed_norms.", "mtp_hidden_norms.")


@pytest.fixture
def model() -> MtpModel:
    return build(MtpConfig.tiny(VOCABULARY, MODULES), seed=0)


def sample(length: int, prompt: int = 1, seed: int = 0) -> tuple[list[int], list[int]]:
    generator = torch.Generator().manual_seed(1000 * length + seed)
    ids = torch.randint(0, VOCABULARY, (length,), generator=generator).tolist()
    return ids, [IGNORED] * prompt + ids[prompt:]


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(1, 8), min_size=1, max_size=4))
def test_a_packed_sample_has_the_states_that_it_has_alone(lengths: list[int]):
    model = build(MtpConfig.tiny(VOCABULARY, MODULES), seed=0)
    samples = [sample(length, seed=number) for number, length in enumerate(lengths)]
    with torch.no_grad():
        together = packed_rows(model, pack(samples))
        alone = [model.forced(torch.tensor([ids])).hidden for ids, _ in samples]
    for network, rows in enumerate(together):
        expected = [states[network][0] for states in alone if network < len(states)]
        assert len(rows.hidden) == sum(max(0, length - network) for length in lengths)
        if expected:
            torch.testing.assert_close(rows.hidden, torch.cat(expected), atol=1e-5, rtol=1e-4)


def test_labels_are_shifted_after_early_tokens_were_left_out_also_across_samples(model: MtpModel):
    first, second = [1, 2, 3], [11, 12, 13, 14]
    packed = pack([(first, [IGNORED, IGNORED, 3]), (second, [IGNORED, IGNORED, 13, 14])])
    targets = [rows.targets.tolist() for rows in packed_rows(model, packed)]
    assert targets[0] == [IGNORED, 3, IGNORED, IGNORED, 13, 14, IGNORED]
    assert targets[1] == [3, IGNORED, 13, 14, IGNORED]  # the next sample's token 1 is a prompt's
    assert targets[2] == [13, 14, IGNORED]  # from here on the last row predicts the next sample's
    assert targets[3] == [IGNORED]


@pytest.mark.parametrize("network", range(MODULES + 1))
def test_a_row_predicts_the_token_that_many_places_on(model: MtpModel, network: int):
    ids, _ = sample(9)
    assert packed_rows(model, pack([(ids, ids)]))[network].targets.tolist() == [*ids[network + 1 :], IGNORED]


def test_the_loss_is_the_main_one_and_the_weighted_mean_of_the_modules(model: MtpModel):
    packed = pack([sample(7), sample(9, 2)])
    with torch.no_grad():
        plain, weighted = packed_loss(model, packed), packed_loss(model, packed, weight=0.3)
        dropped = packed_loss(model, packed, main=False)
        single = [float(cross_entropy(model, rows)) for rows in packed_rows(model, packed)]
    assert plain.main is not None and float(plain.main) == pytest.approx(single[0])
    assert plain.modules.tolist() == pytest.approx(single[1:])
    assert float(plain.total) == pytest.approx(single[0] + sum(single[1:]) / MODULES)
    assert float(weighted.total) == pytest.approx(single[0] + 0.3 * sum(single[1:]) / MODULES)
    assert dropped.main is None and float(dropped.total) == pytest.approx(sum(single[1:]) / MODULES)


def test_a_module_without_anything_to_predict_adds_nothing(model: MtpModel):
    losses = packed_loss(model, pack([sample(2)]))
    assert losses.modules.tolist() == [0, 0, 0] and losses.total.isfinite()
    losses.total.backward()
    assert all(weight.grad is None or weight.grad.isfinite().all() for weight in model.parameters())


def moved(model: MtpModel, loss: Tensor) -> set[str]:
    """Names of the parameters that a loss changes."""
    model.zero_grad(set_to_none=True)
    loss.backward()
    return {name for name, weight in model.named_parameters() if weight.grad is not None and weight.grad.any()}


def of_llm(names: set[str]) -> set[str]:
    layers = tuple(f"model.layers.{index}." for index in range(LLM_LAYERS))
    return {name for name in names if name.startswith(("model.embed_tokens.", *layers))}


def of_module(names: set[str], index: int) -> set[str]:
    starts = (f"model.layers.{LLM_LAYERS + index}.", *(f"{name}{index}." for name in OWN))
    return {name for name in names if name.startswith(starts)}


def test_without_detaching_the_modules_teach_the_language_model_and_one_another(model: MtpModel):
    names = moved(model, packed_loss(model, pack([sample(9)]), main=False).modules[2])
    every = {name for name, _ in model.named_parameters()}
    assert of_llm(names) == of_llm(every) and all(of_module(names, index) for index in range(MODULES))


@pytest.mark.parametrize("index", range(MODULES))
def test_with_detaching_a_module_teaches_itself_the_norm_and_the_head_alone(model: MtpModel, index: int):
    names = moved(model, packed_loss(model, pack([sample(9)]), main=False, detach=True).modules[index])
    assert of_module(names, index) and names - of_module(names, index) == {"model.norm.weight", "lm_head.weight"}


def test_the_main_loss_leaves_the_modules_alone(model: MtpModel):
    main = packed_loss(model, pack([sample(9)]), detach=True).main
    assert main is not None
    names = moved(model, main)
    assert of_llm(names) and not any(of_module(names, index) for index in range(MODULES))


def test_the_modules_read_the_tokens_where_the_language_model_reads_what_was_heard(model: MtpModel):
    packed = pack([sample(6)])
    heard = torch.randn(6, model.config.hidden_size)
    with torch.no_grad():
        rows = packed_rows(model, packed, heard)
        expected = model.forced(packed.ids[None], heard[None]).hidden
    for got, want in zip(rows, expected, strict=True):
        torch.testing.assert_close(got.hidden, want[0], atol=1e-5, rtol=1e-4)


def test_a_model_without_modules_learns_the_main_loss_or_nothing():
    model = build(MtpConfig.tiny(VOCABULARY, modules=0), seed=0)
    losses = packed_loss(model, pack([sample(5)]))
    assert losses.main is not None and torch.equal(losses.total, losses.main) and not len(losses.modules)
    with pytest.raises(ValueError, match="without modules"):
        packed_loss(model, pack([sample(5)]), main=False)


@pytest.mark.parametrize(
    ("samples", "told"),
    [
        ([], "no samples"),
        ([sample(3), ([], [])], "sample 1 has 0 tokens"),
        ([([1, 2], [1])], "sample 0 has 2 tokens and 1 labels"),
    ],
)
def test_what_cannot_be_packed_is_named(samples: list[tuple[list[int], list[int]]], told: str):
    with pytest.raises(ValueError, match=told):
        pack(samples)


def test_a_pack_counts_positions_anew_with_every_sample():
    packed = pack([sample(2), sample(3)])
    assert isinstance(packed, Packed) and packed.positions.tolist() == [0, 1, 0, 1, 2]
