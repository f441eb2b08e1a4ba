"""The start of a training: a language model that looks for the like of each word."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from models.training.initial import initial, write_cmvn
from models.training.recipes import MINI
from models.vita15.omni import Vita15


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Vita15:
    cmvn: Path = tmp_path_factory.mktemp("initial") / "global_cmvn"
    write_cmvn(cmvn, [torch.randn(50, MINI.audio.num_mel_bins)])
    return initial(replace(MINI, language=replace(MINI.language, vocab_size=256)), 0, cmvn)


@torch.no_grad()
def test_a_word_that_was_there_before_fades_and_another_stays(start: Vita15):
    words = torch.randperm(256, generator=torch.Generator().manual_seed(1))[:40]
    asked = torch.stack([torch.cat((words[:-1], word[None])) for word in (words[7], words[-1])])  # seen, not seen
    embeds = start.model.embed_tokens(asked)
    layer = start.model.layers[0]
    mask = torch.full((40, 40), -torch.inf).triu(1)[None, None]
    rotary = start.model.rotary_emb(embeds, torch.arange(40)[None])
    change = layer.self_attn(layer.input_layernorm(embeds), rotary, mask)[0][:, -1]  # [2, D]
    word = F.normalize(embeds[:, -1], dim=-1)
    seen, unseen = (change * word).sum(-1).tolist()
    assert seen < 1.5 * unseen < 0


def test_the_seed_decides(start: Vita15, tmp_path: Path):
    write_cmvn(tmp_path / "global_cmvn", [torch.randn(50, MINI.audio.num_mel_bins)])
    config = start.config
    again, other = (initial(config, seed, tmp_path / "global_cmvn") for seed in (0, 1))
    name = "model.layers.0.self_attn.o_proj.weight"
    assert torch.equal(again.state_dict()[name], start.state_dict()[name])
    assert not torch.equal(other.state_dict()[name], start.state_dict()[name])
