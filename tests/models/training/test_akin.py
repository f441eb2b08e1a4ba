"""The tokens of one word start alike."""

from __future__ import annotations

import torch

from models.training.initial import AKIN, make_akin
from models.training.world import world_tokenizer


def test_a_words_tokens_become_like_that_within_a_line_and_stay_so():
    tokenizer = world_tokenizer()
    words = torch.randn(len(tokenizer), 192, generator=torch.Generator().manual_seed(0))
    before = words.clone()
    make_akin(words, tokenizer)
    (start,), (within,), (other,) = (tokenizer.encode(text) for text in ("cup", " cup", " museum"))
    likeness = torch.nn.functional.cosine_similarity
    assert abs(float(likeness(words[start], words[within], dim=0)) - AKIN) < 0.1
    assert abs(float(likeness(words[start], words[other], dim=0))) < 0.3
    assert words[within].equal(before[within]) and words[start].norm().isclose(before[start].norm())
    once = words.clone()
    make_akin(words, tokenizer)
    assert words.equal(once)
