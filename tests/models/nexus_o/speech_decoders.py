"""Tiny decoders of speech codes, and what they are to say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from models.nexus_o.audio_decoder import AudioDecoder, random_decoder
from models.nexus_o.code_rows import Utterance
from models.nexus_o.config import NexusConfig
from models.nexus_o.decoder_config import DecoderConfig

STREAMS = 8
SPECIAL = 1024
WIDTH = NexusConfig.tiny().language.hidden_size


def decoder_config(**choices: Any) -> DecoderConfig:
    tiny = NexusConfig.tiny()
    return DecoderConfig.of(replace(tiny, choices=replace(tiny.choices, **choices)))


def tiny_decoder(seed: int = 0, **choices: Any) -> AudioDecoder:
    return random_decoder(decoder_config(**choices), seed)


def ending_decoder(seed: int = 0, **choices: Any) -> AudioDecoder:
    """One whose utterances end by themselves, which random weights seldom do."""
    decoder = tiny_decoder(seed, **choices)
    vocabulary, special = decoder.config.vocabulary, decoder.config.special
    with torch.no_grad():
        decoder.lm_head.weight[special::vocabulary] *= 8
    return decoder


def states(count: int, seed: int = 0) -> Tensor:
    return torch.randn(count, WIDTH, generator=torch.Generator().manual_seed(seed))


def utterances(lengths: Sequence[int], seed: int = 0) -> list[Utterance]:
    return [Utterance(states(length, seed + place), seed + place) for place, length in enumerate(lengths)]


def random_codes(rows: int, frames: int, seed: int = 0) -> Tensor:
    return torch.randint(0, 1000, (rows, STREAMS, frames), generator=torch.Generator().manual_seed(seed))
