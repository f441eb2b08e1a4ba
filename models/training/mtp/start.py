"""Where the language model of a small VITA-Audio starts: from random weights in which what is alike starts alike."""

from __future__ import annotations

import torch
from torch import Tensor

from models.text.tokenizer import QwenTokenizer
from models.training.initial import make_akin
from models.vita_audio.language import MtpModel
from models.vita_audio.tokens import SpecialTokens

EMBEDDING = 0.08
"""Standard deviation of the embeddings: of the size of what a layer adds to them."""


@torch.no_grad()
def start_alike(model: MtpModel, tokenizer: QwenTokenizer, codebook: Tensor, seed: int) -> None:
    """Draw a model's embeddings and its head anew, in place: a token of speech as the entry of the speech tokenizer's
    codebook [C, W] that it stands for, the tokens of one word akin, the head as the embeddings.

    Codes of one sound are near each other in the codebook, of which random embeddings say nothing. Raises ValueError
    on a codebook of another number of codes, or of entries that are wider than the model.
    """
    tokens, table = SpecialTokens.of(tokenizer), model.model.embed_tokens.weight  # [V, D]
    count, width = codebook.shape
    if count != tokens.codes or width > table.shape[1]:
        raise ValueError(
            f"a codebook of {count} entries of {width} numbers does not fit a tokenizer of {tokens.codes} codes and a "
            f"model of width {table.shape[1]}"
        )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        table.normal_(0, EMBEDDING)
        turned = torch.nn.init.orthogonal_(table.new_empty(width, table.shape[1]))
    make_akin(table, tokenizer)
    entries = codebook - codebook.mean(0)
    entries *= EMBEDDING * table.shape[1] ** 0.5 / entries.norm(dim=1).mean()
    table[tokens.first_code : tokens.first_code + count] = entries @ turned
    model.lm_head.weight.copy_(table)
