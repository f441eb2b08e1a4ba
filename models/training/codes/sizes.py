"""How large the speech tokenizer, the flow and the vocoder are, what they learn from, and for how long."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from models.vita_audio.decoder_config import EstimatorConfig, FlowConfig, VocoderConfig
from models.vita_audio.speech_tokenizer import TokenizerConfig


class Effort(NamedTuple):
    steps: int
    batch: int
    learning_rate: float


@dataclass(frozen=True)
class SpeechSize:
    tokenizer: TokenizerConfig
    flow: FlowConfig
    vocoder: VocoderConfig
    sentences: int
    """In each language, by many voices."""
    facts: int
    """Spoken questions."""
    readings: int
    """By the voice that the model speaks with."""
    held_out: int
    """Clips of each kind that no training sees, for the controls."""
    efforts: Mapping[str, Effort]
    """By phase."""


_MINI_VOCODER = replace(
    VocoderConfig.published(),
    **{"mels": 64, "base": 128, "predictor": 64},
    **{"kernels": (3,), "dilations": ((1, 3, 5),)},
    **{"source_kernels": (3, 3), "source_dilations": ((1,), (1,))},
)

SPEECH_SIZES: Mapping[str, SpeechSize] = {
    "mini": SpeechSize(
        TokenizerConfig(
            width=96, heads=4, inner=288, layers=4, mels=80, positions=1500, codes=512, block=200, pooling=4,
            pooling_layer=4,
        ),
        FlowConfig(
            codes=512, embedding=64, speaker=16, mels=64, width=96, heads=4, inner=256, layers=2, block=10,
            regulator_layers=2, guidance=0.3, code_rate=12.5,
            estimator=EstimatorConfig(256, 64, (64, 64), 1, 1, 2, 32),
        ),
        _MINI_VOCODER,
        sentences=8000,
        facts=4000,
        readings=9000,
        held_out=200,
        efforts={
            "phonemes": Effort(1800, 24, 2e-3),
            "codes": Effort(800, 24, 1e-3),
            "vocoder": Effort(900, 8, 2e-3),
            "flow": Effort(3500, 8, 2e-3),
        },
    ),
}  # fmt: skip
