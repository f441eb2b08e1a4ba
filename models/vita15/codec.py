"""TiCodec: codec ids and a fixed voice in, 24 kHz waveform out, and back.

A HiFi-GAN generator decodes one codebook at 40 tokens a second; eight global tokens hold the voice and are
added where the generator is as wide as their embedding (TiCodec paper; channel order and the 0.1 slope of the
last activation are those of the released code). Encoding is in `codec_encoder`.

The checkpoint stores weight-normed convolutions (`weight_g`, `weight_v`). They are fused to plain weights at
load (`models.nn.weight_norm`), so modules here hold plain convolutions.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.vita15.codec_encoder import CodecEncoder, ResBlock
from models.vita15.speech_config import CodecConfig

SLOPE = 0.1


class CodecTokens(NamedTuple):
    """`codes` [B, T, groups] and `voice` [B, 1, global codes], both int64."""

    codes: Tensor
    voice: Tensor


class Context(NamedTuple):
    """How many tokens before and after a token its samples depend on."""

    left: int
    right: int


class Codebook(nn.Module):
    def __init__(self, size: int, width: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(size, width)

    def nearest(self, x: Tensor) -> Tensor:
        """Index of the closest entry by squared Euclidean distance: [..., width] -> [...]."""
        table = self.embedding.weight
        return (table.pow(2).sum(1) - 2 * x @ table.T).argmin(-1)


class Quantizer(nn.Module):
    """Codebooks side by side: each covers an equal part of the code vector, or of the voice vector."""

    def __init__(self, config: CodecConfig) -> None:
        super().__init__()
        code_width, voice_width = (
            config.code_dim // config.code_groups,
            config.global_dim // config.global_codes,
        )
        self.quantizer_modules = nn.ModuleList(Codebook(config.codes, code_width) for _ in range(config.code_groups))
        self.quantizer_modules_globaltokens = nn.ModuleList(
            Codebook(config.codes, voice_width) for _ in range(config.global_codes)
        )

    def embed_codes(self, codes: Tensor) -> Tensor:
        """[B, T, groups] -> [B, code_dim, T]"""
        return _look_up(self.quantizer_modules, codes, "codec id").transpose(1, 2)

    def embed_voice(self, voice: Tensor) -> Tensor:
        """[B, 1, global codes] -> [B, global_dim]"""
        return _look_up(self.quantizer_modules_globaltokens, voice, "global token")[:, 0]

    def quantize_codes(self, features: Tensor) -> Tensor:
        """[B, code_dim, T] -> [B, T, groups]"""
        return _nearest(self.quantizer_modules, features.transpose(1, 2))

    def quantize_voice(self, feature: Tensor) -> Tensor:
        """[B, global_dim] -> [B, 1, global codes]"""
        return _nearest(self.quantizer_modules_globaltokens, feature[:, None])


class Generator(nn.Module):
    def __init__(self, config: CodecConfig) -> None:
        super().__init__()
        self.global_dim = config.global_dim
        self.branches = len(config.resblock_kernels)
        channels = [config.upsample_channels // 2**i for i in range(len(config.upsample_rates) + 1)]
        self.conv_pre = nn.Conv1d(config.code_dim, channels[0], 7, padding=3)
        self.ups = nn.ModuleList(
            nn.ConvTranspose1d(before, after, kernel, rate, padding=(kernel - rate) // 2)
            for before, after, kernel, rate in zip(
                channels, channels[1:], config.upsample_kernels, config.upsample_rates, strict=False
            )
        )
        self.resblocks = nn.ModuleList(
            ResBlock(width, kernel, dilations)
            for width in channels[1:]
            for kernel, dilations in zip(config.resblock_kernels, config.resblock_dilations, strict=True)
        )
        self.conv_post = nn.Conv1d(channels[-1], 1, 7, padding=3)

    def forward(self, codes: Tensor, voice: Tensor) -> Tensor:
        """Embedded codes [B, code_dim, T] and voice [B, global_dim] -> waveform [B, 1, T * hop] in -1..1."""
        x = self.conv_pre(codes)
        for stage, up in enumerate(self.ups):
            x = up(F.leaky_relu(x, SLOPE))
            blocks = self.resblocks[stage * self.branches : (stage + 1) * self.branches]
            x = sum(block(x) for block in blocks) / self.branches
            if x.shape[1] == self.global_dim:  # the release tells the stage by its width, not by its index
                x = x + voice[:, :, None]
        return torch.tanh(self.conv_post(F.leaky_relu(x, SLOPE)))


class Codec(nn.Module):
    def __init__(self, config: CodecConfig) -> None:
        super().__init__()
        self.config = config
        self.quantizer = Quantizer(config)
        self.generator = Generator(config)
        self.encoder = CodecEncoder(config)

    def voice(self) -> Tensor:
        """The fixed voice of the configuration, [1, 1, global codes]."""
        device = self.generator.conv_post.weight.device
        return torch.tensor(self.config.global_tokens, device=device)[None, None]

    def decode(self, codes: Tensor, voice: Tensor | None = None) -> Tensor:
        """`codes` [B, T, groups] -> waveform [B, 1, T * hop] in -1..1; without `voice`, the fixed one.

        Raises ValueError naming an id that is not in the codebook.
        """
        voice = self.quantizer.embed_voice(self.voice() if voice is None else voice)
        return self.generator(self.quantizer.embed_codes(codes), voice)

    def encode(self, wave: Tensor) -> CodecTokens:
        """Waveform [B, samples] at the codec's rate -> ceil(samples / hop) tokens, the last zero-filled."""
        if wave.dim() != 2 or wave.shape[1] == 0:
            raise ValueError(f"codec: waveform of shape {list(wave.shape)}; expected [B, samples], samples > 0")
        features = self.encoder(F.pad(wave, (0, -wave.shape[1] % self.config.hop)))
        codes = self.quantizer.quantize_codes(features.codes)
        return CodecTokens(codes, self.quantizer.quantize_voice(features.voice))


def receptive_field(config: CodecConfig) -> Context:
    """Tokens around a token that its samples depend on; (13, 13) for the published sizes.

    The samples of one token are followed back through every layer of the generator, as an interval.
    """
    block = max(
        sum((kernel - 1) // 2 * (dilation + 1) for dilation in dilations)
        for kernel, dilations in zip(config.resblock_kernels, config.resblock_dilations, strict=True)
    )
    low, high = 0 - 3, config.hop - 1 + 3  # conv_post
    for rate, kernel in reversed(list(zip(config.upsample_rates, config.upsample_kernels, strict=True))):
        padding = (kernel - rate) // 2
        low, high = low - block, high + block
        # output t of a transposed convolution has inputs i with 0 <= t + padding - i * rate < kernel
        low, high = -((kernel - 1 - padding - low) // rate), (high + padding) // rate
    return Context(left=3 - low, right=high + 3)  # conv_pre


def _look_up(books: nn.ModuleList, ids: Tensor, what: str) -> Tensor:
    """Ids [B, T, books] -> their vectors side by side [B, T, width]."""
    size = books[0].embedding.num_embeddings
    if ids.dim() != 3 or ids.shape[2] != len(books):
        raise ValueError(f"codec: {what}s of shape {list(ids.shape)}; expected [B, T, {len(books)}]")
    bad = ids[(ids < 0) | (ids >= size)]
    if bad.numel():
        raise ValueError(
            f"codec: {what} {int(bad[0])} is outside the codebook of {size} entries (0..{size - 1}); "
            "sample with restrict_to_codec"
        )
    return torch.cat([book.embedding(ids[..., i]) for i, book in enumerate(books)], dim=-1)


def _nearest(books: nn.ModuleList, features: Tensor) -> Tensor:
    """Features [B, T, width] -> ids [B, T, books]."""
    parts = features.chunk(len(books), dim=-1)
    return torch.stack([book.nearest(part) for book, part in zip(books, parts, strict=True)], dim=-1)
