"""Where a small VITA-Audio's language model starts."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from models.text.tokenizer import QwenTokenizer
from models.training.mtp.start import EMBEDDING, start_alike
from models.training.mtp.world import rows_of
from models.training.tokenizer import closed_tokenizer
from models.vita_audio.config import MtpConfig
from models.vita_audio.language import MtpModel, build
from models.vita_audio.tokens import SpecialTokens, with_speech

CODES, WIDTH = 16, 12


@pytest.fixture(scope="module")
def tokenizer() -> QwenTokenizer:
    return with_speech(closed_tokenizer(["cup and cup"], []), codes=CODES)


@pytest.fixture(scope="module")
def model(tokenizer: QwenTokenizer) -> MtpModel:
    return build(replace(MtpConfig.tiny(vocab_size=8), vocab_size=rows_of(tokenizer)), 0)


def test_codes_are_as_far_from_each_other_as_in_the_codebook(model: MtpModel, tokenizer: QwenTokenizer):
    codebook = 5 + torch.randn(CODES, WIDTH, generator=torch.Generator().manual_seed(0))
    start_alike(model, tokenizer, codebook, 0)
    first, table = SpecialTokens.of(tokenizer).first_code, model.model.embed_tokens.weight.detach()
    rows = table[first : first + CODES]
    ratio = torch.cdist(rows, rows)[0, 1] / torch.cdist(codebook, codebook)[0, 1]
    assert torch.allclose(torch.cdist(rows, rows), ratio * torch.cdist(codebook, codebook), atol=1e-4)
    assert rows.norm(dim=1).mean().item() == pytest.approx(EMBEDDING * table.shape[1] ** 0.5, rel=1e-4)


def test_tokens_of_one_word_are_akin_and_the_head_starts_as_the_embeddings(model: MtpModel, tokenizer: QwenTokenizer):
    start_alike(model, tokenizer, torch.randn(CODES, WIDTH), 0)
    table = model.model.embed_tokens.weight
    (first,), (within,), (other,) = (tokenizer.encode(text) for text in ("cup", " cup", " and"))
    assert first != within
    assert F.cosine_similarity(table[first], table[within], dim=0).item() > 0.8
    assert abs(F.cosine_similarity(table[first], table[other], dim=0).item()) < 0.6
    assert torch.equal(model.lm_head.weight, table)


def test_it_follows_the_seed_alone(model: MtpModel, tokenizer: QwenTokenizer):
    codebook, found = torch.randn(CODES, WIDTH), []
    for seed in (3, 3, 4):
        start_alike(model, tokenizer, codebook, seed)
        found.append(model.lm_head.weight.clone())
    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])


@pytest.mark.parametrize("shape", [(CODES + 1, WIDTH), (CODES, 1000)])
def test_a_codebook_of_another_tokenizer_is_refused(model: MtpModel, tokenizer: QwenTokenizer, shape: tuple[int, int]):
    with pytest.raises(ValueError, match=f"a codebook of {shape[0]} entries of {shape[1]} numbers"):
        start_alike(model, tokenizer, torch.zeros(shape), 0)
