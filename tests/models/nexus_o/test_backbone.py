"""The backbone against transformers' own Qwen2.5-VL with the same weights: logits, positions and decoding."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from transformers.models.qwen2_5_vl.modeling_qwen2_5_vl import Qwen2_5_VLForConditionalGeneration

from models.decoding import Decode, Decoding, collect, supplier
from models.nexus_o.backbone import text_config
from models.nexus_o.config import NexusConfig
from models.nexus_o.omni import Inputs, Nexus
from tests.models.nexus_o.backbones import asked, pair, picture, prompt

Pair = tuple[Nexus, Qwen2_5_VLForConditionalGeneration]

# Whole seconds a layer, because transformers 5.10 rounds others down, and but for the last no longer in time than in
# space, so that all versions agree where text goes on (test_positions).
PROMPTS = {
    "text": prompt([11], seed=1),
    "image": prompt([4, picture(1, 56, 84), 5], seed=2),
    "video": prompt([3, picture(2, 84, 56, frames=4, fps=2.0), 6], seed=3),
    "all": prompt([2, picture(3, 112, 56), 3, picture(4, 84, 84, frames=3, fps=2.0), 1, picture(5, 28, 28), 4], seed=4),
    "long video": prompt([3, picture(6, 56, 56, frames=6, fps=2.0), 4], seed=5, after="grid"),
}


@pytest.fixture(scope="module")
def both() -> Pair:
    return pair()


def theirs(reference: Qwen2_5_VLForConditionalGeneration, prompts: list[Inputs]) -> Tensor:
    reference.model.rope_deltas = None
    return reference(**asked(prompts)).logits


@torch.no_grad()
@pytest.mark.parametrize("name", PROMPTS)
def test_logits_are_those_of_transformers(both: Pair, name: str) -> None:
    nexus, reference = both
    want = theirs(reference, [PROMPTS[name]])
    torch.testing.assert_close(nexus.logits([PROMPTS[name]]), want, atol=1e-4, rtol=0)
    assert float(want.std()) > 0.05, "logits that are all alike would compare equal whatever was done"


@torch.no_grad()
def test_logits_in_a_batch_are_those_of_transformers_and_those_alone(both: Pair) -> None:
    nexus, reference = both
    prompts = list(PROMPTS.values())
    got, want = nexus.logits(prompts), theirs(reference, prompts)
    for row, inputs in enumerate(prompts):
        torch.testing.assert_close(got[row, : inputs.n_tokens], want[row, : inputs.n_tokens], atol=1e-4, rtol=0)
        alone = nexus.logits([inputs])[0]
        torch.testing.assert_close(got[row, : inputs.n_tokens], alone, atol=1e-4, rtol=0)


@torch.no_grad()
def test_answers_are_those_of_transformers_alone_and_side_by_side(both: Pair) -> None:
    """Greedy decoding through the loop that all models share; a prompt brings its own positions."""
    nexus, reference = both
    want = []
    for inputs in PROMPTS.values():
        reference.model.rope_deltas = None
        whole = reference.generate(**asked([inputs]), max_new_tokens=12, do_sample=False, eos_token_id=None)
        want.append(whole[0, inputs.n_tokens :].tolist())
    assert len({tuple(ids) for ids in want}) == len(want)

    def answers(prompts: list[Inputs], rows: int) -> list[list[int]]:
        decoding = Decode(nexus.decoder, supplier(map(nexus.prompt, prompts)), rows, Decoding(12))
        return [row.ids for row in collect(decoding)]

    prompts = list(PROMPTS.values())
    assert [answers([inputs], 1)[0] for inputs in prompts] == want
    assert answers(prompts, 5) == want
    assert answers(prompts, 2) == want


@torch.no_grad()
def test_a_row_that_moves_takes_its_positions_along(both: Pair) -> None:
    """The first row ends early and nobody waits: the last one, which is ahead of its slots, takes its place."""
    nexus, _ = both
    prompts = [PROMPTS["text"], PROMPTS["image"], PROMPTS["long video"]]

    def answers(some: list[Inputs], stop: list[int]) -> list[list[int]]:
        decoding = Decode(nexus.decoder, supplier(map(nexus.prompt, some)), len(some), Decoding(12, 0, tuple(stop)))
        return [row.ids for row in collect(decoding)]

    free = answers(prompts, [])
    stop = [next(token for token in free[0] if token not in free[1] + free[2])]
    alone = [answers([inputs], stop)[0] for inputs in prompts]
    assert len(alone[0]) < 12 and [len(ids) for ids in alone[1:]] == [12, 12]
    assert answers(prompts, stop) == alone


def test_positions_are_as_many_as_embeddings(both: Pair) -> None:
    nexus, _ = both
    inputs = PROMPTS["text"]
    with pytest.raises(ValueError, match=r"positions of shape \[3, 4\]: expected \[3, 11\]"):
        nexus.prompt(Inputs(inputs.ids, inputs.kinds, inputs.positions[:, :4]))


def test_media_must_fill_their_places(both: Pair) -> None:
    nexus, _ = both
    inputs = PROMPTS["image"]
    with pytest.raises(ValueError, match="pictures have 0 tokens, the prompt has places for 6"):
        nexus.embed(Inputs(inputs.ids, inputs.kinds, inputs.positions))


def test_published_settings_are_qwen2_5_vl_7b() -> None:
    config = text_config(NexusConfig.published().language)
    assert config.rope_parameters["rope_theta"] == 1e6
    assert config.rope_parameters["mrope_section"] == [16, 24, 24]
    assert set(config.layer_types) == {"full_attention"}
