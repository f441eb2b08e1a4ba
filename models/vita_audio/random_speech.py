"""Speech tokenizer and speech decoder with random weights, which follow the sizes and a seed alone.

What they say means nothing. The pitch's bias lies at `PITCH` Hz, so that the sound is voiced and its waves are under
test; a linear map keeps the size of what goes through it.
"""

from __future__ import annotations

from typing import TypeVar

import torch
from torch import nn

from models.vita_audio.decoder_config import FlowConfig, VocoderConfig
from models.vita_audio.flow import Flow
from models.vita_audio.speech_checkpoint import SpeechDecoder
from models.vita_audio.speech_tokenizer import SpeechTokenizer, TokenizerConfig
from models.vita_audio.vocoder import Vocoder

PITCH = 150.0

AnyModule = TypeVar("AnyModule", bound=nn.Module)


def build_random_tokenizer(config: TokenizerConfig, seed: int = 0) -> SpeechTokenizer:
    """A tokenizer in eval mode, on the CPU."""
    return _random(SpeechTokenizer(config), seed)


def build_random_decoder(flow: FlowConfig, vocoder: VocoderConfig, seed: int = 0) -> SpeechDecoder:
    """A flow and a vocoder in eval mode, on the CPU."""
    made = _random(Vocoder(vocoder), seed)
    nn.init.constant_(made.f0_predictor.classifier.bias, PITCH)
    return SpeechDecoder(_random(Flow(flow), seed), made, ())


@torch.no_grad()
def _random(model: AnyModule, seed: int) -> AnyModule:
    generator = torch.Generator().manual_seed(seed)
    for module in model.modules():
        for name, parameter in module.named_parameters(recurse=False):
            if isinstance(module, nn.LayerNorm | nn.GroupNorm) or name == "alpha":
                nn.init.constant_(parameter, 0.0 if name == "bias" else 1.0)
            elif name in ("bias", "pos_bias_u", "pos_bias_v"):
                nn.init.zeros_(parameter)
            else:
                inputs = 1 if isinstance(module, nn.Embedding) else parameter[0].numel()
                parameter.normal_(std=inputs**-0.5, generator=generator)
    return model.eval()
