"""The model that a training starts from: random weights, drawn so that small transformers learn from them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from models.text.tokenizer import QwenTokenizer
from models.vita15.audio_features import load_cmvn
from models.vita15.checkpoint import build
from models.vita15.config import Vita15Config
from models.vita15.omni import Vita15

POSITION_SCALE, LAYER_SCALE, EMBEDDING_SCALE = 0.3, 0.5, 4.0
"""Of the default weights: positions that do not drown the patches, layers that start small in the vision tower, and
word embeddings of the size of what the projector and the adapter give."""
APART = 0.02
"""Standard deviation by which weights start apart from what `_match_alike` makes of them."""
FAST = 0.3
"""Share of a head's rotary pairs, from the fastest, by which tokens side by side are told from one another."""
AKIN, CLOSE = 0.9, 0.2
"""Likeness of the tokens of one word, and how much less is left as it is."""
REMOVED = 0.5
"""Of a token, by a layer's attention to its like."""


def initial(config: Vita15Config, seed: int, cmvn: Path) -> Vita15:
    """A model with random weights and the feature statistics of a `global_cmvn` file."""
    model = build(config, seed)
    tower = model.model.vision_tower.vision_tower
    statistics = model.model.audio_encoder.encoder.global_cmvn
    with torch.no_grad():
        tower.embeddings.position_embedding.mul_(POSITION_SCALE)
        tower.embeddings.class_embedding.mul_(POSITION_SCALE)
        for layer in tower.encoder.layers:
            layer.ls1.fill_(LAYER_SCALE)
            layer.ls2.fill_(LAYER_SCALE)
        model.model.embed_tokens.weight.mul_(EMBEDDING_SCALE)
        model.lm_head.weight.copy_(model.model.embed_tokens.weight)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            _match_alike(model)
        mean, istd = load_cmvn(cmvn)
        statistics.mean.copy_(mean)
        statistics.istd.copy_(istd)
    return model


@torch.no_grad()
def make_akin(words: Tensor, tokenizer: QwenTokenizer) -> None:
    """Turn the embeddings [V, D] of one word's tokens (" cup", "cup", "Cup") towards that within a line, in place.

    A question has a word in the middle of a line, an answer at its start. Random embeddings say nothing of these being
    one word, and a small model would have to learn it of each; large ones bring it along.
    """
    spelt = [tokenizer.decode([token]) for token in range(min(len(tokenizer), len(words)))]
    within: dict[str, int] = {}
    for token in sorted(range(len(spelt)), key=lambda token: not spelt[token].islower()):
        if spelt[token].startswith(" ") and spelt[token].strip().isalpha():
            within.setdefault(spelt[token].strip().lower(), token)
    for token, text in enumerate(spelt):
        first = within.get(text.strip().lower())
        if first is None or F.cosine_similarity(words[token], words[first], dim=0) > AKIN - CLOSE:
            continue
        own, length = words[token].clone(), words[token].norm()
        mixed = AKIN * words[first] / words[first].norm() + (1 - AKIN**2) ** 0.5 * own / length
        words[token] = mixed / mixed.norm() * length


def _match_alike(model: Vita15) -> None:
    """Let a token attend to its like from the start, and lose by it what both are.

    So "is there a star?" is compared with what stands before it: "star" stays where it was not seen and fades where it
    was. The query weights of a head are its key weights, and its output weights undo its values, but for noise
    (mimetic initialisation: Trockman and Kolter, 2023). In the fastest rotary pairs queries and keys are opposite, or
    each token would find itself first. With random weights questions stay at chance within the steps that we have.
    """
    width = model.config.language.hidden_size // model.config.language.num_attention_heads
    heads = model.config.language.num_attention_heads
    pairs = torch.where(torch.arange(width // 2) < FAST * width // 2, -1.0, 1.0)
    sign = torch.cat((pairs, pairs))[:, None]  # a pair is a place and the one half a head further
    for layer in model.model.layers:
        attention = layer.self_attn
        keys = [torch.nn.init.orthogonal_(key) for key in attention.k_proj.weight.split(width)]
        values = [torch.nn.init.orthogonal_(value) for value in attention.v_proj.weight.split(width)]
        queries = attention.q_proj.weight.split(width)
        outputs = attention.o_proj.weight.split(width, dim=1)
        for head, (query, output) in enumerate(zip(queries, outputs, strict=True)):
            group = head * len(keys) // heads
            query.copy_(sign * keys[group] + APART * torch.randn_like(query))
            output.copy_(-REMOVED * values[group].T + APART * torch.randn_like(output))


def write_cmvn(path: Path, clips: Iterable[Tensor]) -> None:
    """The sums over the frames of filter banks [T, mel], in the layout of the release."""
    frames = torch.cat([clip.double() for clip in clips])
    sums, squares = frames.sum(0).tolist(), frames.square().sum(0).tolist()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"mean_stat": sums, "var_stat": squares, "frame_num": len(frames)}), encoding="utf-8")
