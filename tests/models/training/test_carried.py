"""Weights of an earlier model come over whole, the rows of words by what they say."""

from __future__ import annotations

from pathlib import Path

import torch

from models.training.carried import carry_over
from models.training.tokenizer import closed_tokenizer
from models.vita15 import checkpoint
from models.vita15.checkpoint import build
from models.vita15.config import Vita15Config


def test_rows_go_by_their_words_and_all_else_by_its_name(tmp_path: Path):
    old_words, new_words = closed_tokenizer(["red star", "blue"]), closed_tokenizer(["green", "blue", "red star"])
    config = Vita15Config.tiny()
    earlier, model = build(config, 1), build(config, 2)
    checkpoint.save(earlier, old_words, tmp_path)
    left = carry_over(model, new_words, tmp_path)

    assert left == []
    assert torch.equal(model.model.layers[0].mlp.up_proj.weight, earlier.model.layers[0].mlp.up_proj.weight)
    for word in ("blue", " star"):
        (new,), (old,) = new_words.encode(word), old_words.encode(word)
        assert torch.equal(model.model.embed_tokens.weight[new], earlier.model.embed_tokens.weight[old])
        assert torch.equal(model.lm_head.weight[new], earlier.lm_head.weight[old])
    (green,) = new_words.encode("green")
    length = model.model.embed_tokens.weight[green].norm()
    known = earlier.model.embed_tokens.weight[: len(old_words)].norm(dim=1).mean()
    assert 0.5 * known < length < 2 * known
