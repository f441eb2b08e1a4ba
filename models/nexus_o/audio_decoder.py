"""NEXUS-O's decoder of speech codes: states of the language model in, eight streams of codes out (spec section 1.5).

Each step reads the codes of the step before, averaged with one state of the language model, and makes one code for
each stream; streams lie in the delay pattern. Before the first step all codes are the special one, whose embeddings
are the learned start.

The paper states 6 layers, 8 streams and the average; sizes, schedule and special code are choices (CARD.md). How the
release names the tensors is not known; here they are, beside the blocks in `layers` and `norm`:

    embed_tokens.weight [streams * vocabulary, width]    the tables of all streams, one behind the other
    lm_head.weight [streams * vocabulary, width]         the output layers likewise, without bias
    hidden_proj.weight, .bias                            only where the language model has another width
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.nexus_o.decoder_config import DecoderConfig
from models.nexus_o.delay import IGNORED, training_pair
from models.nn.llama import Cache, LlamaBlock, RMSNorm, rotary


class TeacherLoss(NamedTuple):
    """Cross-entropy summed over codes and ends of all streams, and how many targets it sums over.

    Every stream has as many, so that total / targets is the mean over the streams.
    """

    total: Tensor
    targets: Tensor


class AudioDecoder(nn.Module):
    """Embeddings have the scale of the language model's normed states at first, so that all nine count alike."""

    def __init__(self, config: DecoderConfig) -> None:
        super().__init__()
        c = self.config = config
        self.embed_tokens = nn.Embedding(c.streams * c.vocabulary, c.width)
        self.hidden_proj = nn.Linear(c.language_width, c.width) if c.width != c.language_width else None
        self.layers = nn.ModuleList(
            LlamaBlock(c.width, c.heads, c.inner, c.eps, c.kv_heads, bias=True) for _ in range(c.layers)
        )
        self.norm = RMSNorm(c.width, c.eps)
        self.lm_head = nn.Linear(c.width, c.streams * c.vocabulary, bias=False)

    @property
    def device(self) -> torch.device:
        return self.lm_head.weight.device

    @property
    def dtype(self) -> torch.dtype:
        return self.lm_head.weight.dtype

    def scheduled(self, hidden: Tensor, lengths: Tensor, steps: int) -> Tensor:
        """The state that each of the first steps reads: [B, n, language width], of which the first `lengths` [B]
        count, -> [B, steps, width]. Raises ValueError naming a fault."""
        c = self.config
        if hidden.ndim != 3 or not hidden.shape[1] or hidden.shape[2] != c.language_width:
            raise ValueError(
                f"states of shape {list(hidden.shape)}: expected [B, n, {c.language_width}], at least one state"
            )
        states = hidden if self.hidden_proj is None else self.hidden_proj(hidden)
        step, last = torch.arange(steps, device=hidden.device), lengths[:, None] - 1  # [steps], [B, 1]
        place = last.expand(-1, steps) if c.schedule == "last_only" else torch.minimum(step, last)
        states = states.gather(1, place[..., None].expand(-1, -1, c.width))
        return states.masked_fill((step > last)[..., None], 0) if c.schedule == "zero_after" else states

    def mixed(self, codes: Tensor, states: Tensor) -> Tensor:
        """A step's input: codes [..., streams] of the step before and its state [..., width] -> [..., width]."""
        c = self.config
        codes = codes + torch.arange(c.streams, device=codes.device) * c.vocabulary
        embedded = self.embed_tokens(codes)  # [..., streams, width]
        if c.mix == "two_way":
            return (embedded.mean(-2) + states) / 2
        return (embedded.sum(-2) + states) / (c.streams + 1)

    def forward(self, x: Tensor, positions: Tensor, mask: Tensor | None, caches: Sequence[Cache] | None) -> Tensor:
        """Inputs [B, S, width] at positions [S] or [B, S] -> logits [B, S, streams, vocabulary].

        `mask` is true where a step may see another, broadcast to [B, 1, S, all]; without caches these are the S.
        """
        tables = rotary(positions, self.config.head_dim, self.config.rope_theta)
        for index, block in enumerate(self.layers):
            x = block(x, tables, mask, None if caches is None else caches[index])
        return self.lm_head(self.norm(x)).unflatten(-1, (self.config.streams, -1))

    def logits(self, codes: Tensor, states: Tensor) -> Tensor:
        """All steps at once, without a cache: the codes [B, streams, S] that each reads and its state [B, S, width]
        -> [B, S, streams, vocabulary]."""
        steps = torch.arange(codes.shape[2], device=codes.device)
        return self(self.mixed(codes.transpose(1, 2), states), steps, steps <= steps[:, None], None)

    def teacher_logits(
        self,
        hidden: Tensor,
        hidden_lengths: Tensor,
        codes: Tensor,
        code_lengths: Tensor,
        heard: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Logits of every step over given speech, and what is to be learnt of them.

        Rows padded on the right: states [B, n, language width], codes [B, streams, T], lengths [B] -> logits
        [B, T + streams, streams, vocabulary] and targets of the same steps and streams, [B, T + streams, streams],
        -100 where nothing is to be learnt. Behind its codes each stream is to say the special one, once. `heard`
        [B, streams, T] are codes that the steps read in place of those that are to be said. Raises ValueError on a code
        of a row's own that is no code, or on shapes that do not fit.
        """
        c = self.config
        if codes.ndim != 3 or codes.shape[1] != c.streams or not codes.shape[2]:
            raise ValueError(f"codes of shape {list(codes.shape)}: expected [B, {c.streams}, T], at least one frame")
        frame = torch.arange(codes.shape[2] + 1, device=codes.device)
        own = (frame < code_lengths[:, None])[:, None]  # [B, 1, T + 1]
        ended = F.pad(codes, (0, 1)).masked_fill(~own, c.special)  # [B, streams, T + 1], its end behind each row
        if bool((own & ((ended < 0) | (ended >= c.codes))).any()):
            raise ValueError(f"a code is outside 0 to {c.codes - 1}: expected FireFly's own ids")
        inputs, targets = training_pair(ended, c.special)  # [B, streams, T + streams]
        if heard is not None:
            inputs = training_pair(F.pad(heard, (0, 1)).masked_fill(~own, c.special), c.special).inputs
        step = torch.arange(inputs.shape[2], device=codes.device)
        late = step - torch.arange(c.streams, device=codes.device)[:, None] > code_lengths[:, None, None]
        logits = self.logits(inputs, self.scheduled(hidden, hidden_lengths, len(step)))
        return logits, targets.masked_fill(late, IGNORED).transpose(1, 2)

    def teacher_loss(
        self,
        hidden: Tensor,
        hidden_lengths: Tensor,
        codes: Tensor,
        code_lengths: Tensor,
        heard: Tensor | None = None,
    ) -> TeacherLoss:
        """Cross-entropy of each row's codes and ends; arguments and errors as of `teacher_logits`."""
        logits, targets = self.teacher_logits(hidden, hidden_lengths, codes, code_lengths, heard)
        total = F.cross_entropy(logits.flatten(0, 2).float(), targets.flatten(), ignore_index=IGNORED, reduction="sum")
        return TeacherLoss(total, (targets != IGNORED).sum())


def random_decoder(config: DecoderConfig, seed: int) -> AudioDecoder:
    """A decoder with random weights drawn from the seed, in eval mode; the global random state is left alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return AudioDecoder(config).eval()
