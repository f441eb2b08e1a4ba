"""Tiny speech models with random weights for tests."""

from __future__ import annotations

import torch

from models.vita15.codec import Codec
from models.vita15.speech_config import CodecConfig, SpeechDecoderConfig
from models.vita15.speech_decoder import SpeechDecoder

LLM_HIDDEN = 48


def tiny_decoder(prefix_layers: int = 0, codes: int = 20) -> SpeechDecoder:
    torch.manual_seed(0)
    config = SpeechDecoderConfig(
        codes=codes, hidden=12, heads=2, inner=16, ar_layers=2, nar_layers=3, prefix_layers=prefix_layers
    )
    decoder = SpeechDecoder(config).eval()
    torch.nn.init.normal_(decoder.embedding.weight)
    return decoder


def tiny_codec(codes: int = 20, groups: int = 1) -> Codec:
    torch.manual_seed(1)
    config = CodecConfig(
        upsample_rates=(4, 3),
        upsample_kernels=(8, 5),
        upsample_channels=16,
        resblock_kernels=(3, 5),
        resblock_dilations=((1, 3), (1, 2)),
        codes=codes,
        code_groups=groups,
        global_codes=2,
        global_conv=(4, 6, 4, 3, 1),
        global_tokens=(3, 7),
        code_dim=8,
        global_dim=4,
        encoder_base=2,
    )
    codec = Codec(config).eval()
    for parameter in codec.generator.parameters():  # loud enough that a wrong context shows
        torch.nn.init.normal_(parameter, std=0.3)
    return codec
