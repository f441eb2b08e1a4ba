"""VITA-1.5's speech decoders: text embeddings in, codec ids out (VITA-1.5 paper, section 3.3).

A non-autoregressive (NAR) decoder reads the whole text segment at once; an autoregressive (AR) decoder
continues from its output with codec ids. Facts that are not in the paper come from the released code:

- the input is the language model's *input* embeddings, each cut into `llm_hidden / hidden` (4) vectors;
- the NAR blocks are not followed by a norm, and there are half as many of them as AR blocks;
- the AR prompt `[BOS, NAR output]` is attended to in both directions (a prefix LM) and never sees codes;
- an optional prefix (Freeze-Omni) runs language-model hidden states through blocks of its own, whose keys and
  values stand before the cache while the positions of what follows start at 0 again.

Parameter names are the release's, so `load_state_dict(strict=True)` works on `decoder/final.pt`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.nn.graphs import Step
from models.nn.llama import LayerCache, LlamaBlock, RMSNorm, Rotary, rotary
from models.vita15.speech_config import Sampling, SpeechDecoderConfig
from models.vita15.speech_sampling import pick_code

StopReason = Literal["eos", "max_tokens"]
Positions = Literal["own", "padded"]


class SpeechCache(NamedTuple):
    """Preallocated keys and values [layers, B, heads, slots, head_dim].

    Slots hold prefix, prompt and codes in this order; the position of a slot is its index less `prefix`.
    """

    keys: Tensor
    values: Tensor
    prefix: int
    prompt_end: int


class Prefill(NamedTuple):
    """The filled cache and the AR blocks' output over the prompt, before the norm [B, 1 + T, hidden]."""

    cache: SpeechCache
    hidden: Tensor


class TeacherLoss(NamedTuple):
    """Cross-entropy summed over codes and EOS, and how many targets it sums over."""

    total: Tensor
    targets: Tensor


class SpeechDecoder(nn.Module):
    def __init__(self, config: SpeechDecoderConfig) -> None:
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.vocabulary, config.hidden)
        nn.init.normal_(self.embedding.weight, std=0.02)
        self.layers_pre_nn = self._blocks(config.nar_layers)
        self.layers = self._blocks(config.ar_layers)
        if config.prefix_layers:
            self.layers_prefix = self._blocks(config.prefix_layers)
        self.norm = RMSNorm(config.hidden, config.rms_eps)
        self.out_fnn = nn.Linear(config.hidden, config.vocabulary)

    def _blocks(self, count: int) -> nn.ModuleList:
        c = self.config
        return nn.ModuleList(LlamaBlock(c.hidden, c.heads, c.inner, c.rms_eps) for _ in range(count))

    def fold(self, embeddings: Tensor) -> Tensor:
        """[B, n, llm_hidden] -> [B, n * llm_hidden / hidden, hidden]: a token becomes several vectors."""
        if embeddings.dim() != 3 or embeddings.shape[1] == 0 or embeddings.shape[2] % self.config.hidden:
            raise ValueError(
                f"speech decoder: text embeddings of shape {list(embeddings.shape)}; expected [B, n, H] with "
                f"n > 0 and H a multiple of {self.config.hidden}"
            )
        return embeddings.reshape(embeddings.shape[0], -1, self.config.hidden)

    def nar(self, text: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Bidirectional pass over folded text [B, T, hidden]; rows past a length are undefined."""
        tables = self._tables(torch.arange(text.shape[1], device=text.device))
        mask = None if lengths is None else _within(lengths, text.shape[1])[:, None, None]  # [B, 1, 1, T]
        for block in self.layers_pre_nn:
            text = block(text, tables, mask)
        return text

    def _prompt(self, text: Tensor, lengths: Tensor | None = None) -> Tensor:
        bos = self.embedding.weight[self.config.bos].expand(text.shape[0], 1, -1)
        return torch.cat([bos, self.nar(text, lengths)], dim=1)  # [B, 1 + T, hidden]

    def _tables(self, positions: Tensor) -> Rotary:
        return rotary(positions, self.config.head_dim, self.config.rope_theta)

    def teacher_logits(
        self,
        text: Tensor,
        text_lengths: Tensor,
        codes: Tensor,
        code_lengths: Tensor,
        positions: Positions = "own",
    ) -> Tensor:
        """Logits after SOS and after each code, for a right-padded batch.

        `text` [B, T, hidden] folded, `codes` [B, C], lengths [B] -> [B, C + 1, vocabulary]; rows past a
        sample's `code_lengths + 1` are undefined. The reference counts code positions from the *padded* text
        ("padded"), so that a row depends on its neighbours and differs from inference; "own" counts from the
        row's own text, which equals inference.
        """
        device, prompt_size = text.device, text.shape[1] + 1
        prompt = self._prompt(text, text_lengths)
        marked = _within(code_lengths, codes.shape[1])
        inputs = F.pad(codes.masked_fill(~marked, self.config.pad), (1, 0), value=self.config.sos)
        x = torch.cat([prompt, self.embedding(inputs)], dim=1)  # [B, 1 + T + 1 + C, hidden]

        index = torch.arange(x.shape[1], device=device)
        in_prompt = index < prompt_size
        place = index.expand(x.shape[0], -1)  # [B, S]
        if positions == "own":
            place = place - torch.where(in_prompt, 0, (text.shape[1] - text_lengths)[:, None])
        seen_prompt = in_prompt & (index <= text_lengths[:, None])  # keys [B, S]; BOS and the row's own text
        seen_codes = ~in_prompt & (index[:, None] >= index)  # [S, S]; a prompt query precedes every code
        mask = seen_prompt[:, None, None] | seen_codes[None, None]  # [B, 1, S, S]
        tables = self._tables(place)
        for block in self.layers:
            x = block(x, tables, mask)
        return self.out_fnn(self.norm(x[:, prompt_size:]))

    def teacher_loss(
        self,
        text: Tensor,
        text_lengths: Tensor,
        codes: Tensor,
        code_lengths: Tensor,
        positions: Positions = "own",
        heard: Tensor | None = None,
    ) -> TeacherLoss:
        """Summed cross-entropy of each row's codes followed by EOS; arguments as in `teacher_logits`.

        `heard` [B, C]: what the decoder is given as its own codes, where that is not `codes`.
        """
        said = codes if heard is None else heard
        logits = self.teacher_logits(text, text_lengths, said, code_lengths, positions)
        targets = F.pad(codes, (0, 1)).masked_fill(~_within(code_lengths, logits.shape[1]), self.config.pad)
        targets = targets.scatter(1, code_lengths[:, None], self.config.eos)
        total = F.cross_entropy(logits.transpose(1, 2).float(), targets, ignore_index=self.config.pad, reduction="sum")
        return TeacherLoss(total, (targets != self.config.pad).sum())

    def prefill(self, text: Tensor, room: int, prefix: Tensor | None = None) -> Prefill:
        """Run the prompt and allocate a cache with `room` more slots for SOS and codes.

        `text` [B, T, hidden] folded and unpadded; `prefix` [B, P, hidden] folded hidden states, which needs a
        decoder with prefix layers (ValueError otherwise).
        """
        if prefix is not None and not self.config.prefix_layers:
            raise ValueError("speech decoder: a prefix was given, but these weights hold no layers_prefix")
        c, before = self.config, 0 if prefix is None else prefix.shape[1]
        prompt = self._prompt(text)
        end = before + prompt.shape[1]
        shape = (c.ar_layers, prompt.shape[0], c.heads, end + room, c.head_dim)
        cache = SpeechCache(prompt.new_zeros(shape), prompt.new_zeros(shape), before, end)
        slot = torch.arange(end + room, device=prompt.device)
        if prefix is not None:
            self._run(self.layers_prefix, prefix, slot[:before], slot[:before], slot < before, cache)
        hidden = self._run(self.layers, prompt, slot[before:end], slot[: end - before], slot < end, cache)
        return Prefill(cache, hidden)

    def step(self, tokens: Tensor, slots: Tensor, cache: SpeechCache) -> Tensor:
        """Continue with SOS and codes [B, T] at cache slots [T]: logits [B, T, vocabulary].

        Shapes depend on the cache alone and nothing is read back to the host.
        """
        visible = torch.arange(cache.keys.shape[3], device=slots.device) <= slots[:, None]  # [T, slots]
        x = self.embedding(tokens)
        return self.out_fnn(self.norm(self._run(self.layers, x, slots, slots - cache.prefix, visible, cache)))

    def _run(
        self,
        blocks: nn.ModuleList,
        x: Tensor,
        slots: Tensor,
        positions: Tensor,
        visible: Tensor,
        cache: SpeechCache,
    ) -> Tensor:
        tables = self._tables(positions)
        mask = visible.expand(x.shape[1], -1)  # [T, slots]
        for layer, block in enumerate(blocks):
            x = block(x, tables, mask, LayerCache(cache.keys[layer], cache.values[layer], slots))
        return x

    def generate(
        self,
        text_embeddings: Tensor,
        sampling: Sampling,
        generator: torch.Generator | None = None,
        prefix: Tensor | None = None,
    ) -> CodeGeneration:
        """Iterate over the codec ids of one text segment.

        `text_embeddings` [1, n, llm_hidden] and `prefix` [1, p, llm_hidden] are the language model's, not
        folded yet.
        The generator must be on the decoder's device; without one the global one draws.
        """
        return CodeGeneration(self, text_embeddings, sampling, generator, prefix)


class CodeGeneration(Iterator[int]):
    """Codec ids as they are drawn, without EOS. `stop_reason` is None until the iterator is exhausted."""

    stop_reason: StopReason | None = None

    @torch.no_grad()
    def __init__(
        self,
        decoder: SpeechDecoder,
        text_embeddings: Tensor,
        sampling: Sampling,
        generator: torch.Generator | None,
        prefix: Tensor | None,
    ) -> None:
        folded = None if prefix is None else decoder.fold(prefix)
        self._cache = decoder.prefill(decoder.fold(text_embeddings), sampling.max_tokens, folded).cache
        self._decoder, self._sampling, self._generator = decoder, sampling, generator
        # SOS, then the ids drawn so far
        self._ids = torch.full((sampling.max_tokens + 1,), decoder.config.sos, device=text_embeddings.device)
        self._drawn = 0
        # What a step reads and writes stays in place, so that it can be replayed as a graph.
        self._token = self._ids[None, :1].clone()
        self._slot = torch.full((1,), self._cache.prompt_end, device=self._ids.device)
        self._logits = torch.empty_like(decoder.out_fnn.bias)
        self._step = Step(self._run_step, self._ids.device)

    def _run_step(self) -> None:
        self._logits.copy_(self._decoder.step(self._token, self._slot, self._cache)[0, 0])

    @torch.no_grad()
    def __next__(self) -> int:
        if self.stop_reason is not None:
            raise StopIteration
        if self._drawn == self._sampling.max_tokens:
            self.stop_reason = "max_tokens"
            raise StopIteration
        past = self._ids[: self._drawn + 1]
        self._step()
        drawn = pick_code(self._logits, past, self._sampling, self._decoder.config, self._generator)
        code = int(drawn)
        if code == self._decoder.config.eos:
            self.stop_reason = "eos"
            raise StopIteration
        self._drawn += 1
        self._ids[self._drawn] = drawn
        self._token.copy_(drawn)
        self._slot += 1
        return code


def _within(lengths: Tensor, size: int) -> Tensor:
    """Boolean [B, size], true before each length."""
    return torch.arange(size, device=lengths.device) < lengths[:, None]
