"""Sizes of the speech decoder: flow and vocoder, read from the release's settings."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from models.released import fields


@dataclass(frozen=True)
class EstimatorConfig:
    """The network that estimates the flow: `inputs` = noisy + expected + speaker + prompt channels."""

    inputs: int
    outputs: int
    channels: tuple[int, ...]
    blocks: int
    mid_blocks: int
    heads: int
    head_width: int

    @property
    def halvings(self) -> int:
        """Steps of two on the way down."""
        return len(self.channels) - 1


@dataclass(frozen=True)
class FlowConfig:
    """From codes to a mel spectrogram; `block` is counted in codes, `guidance` is the weight of the free estimate."""

    codes: int
    embedding: int
    speaker: int
    mels: int
    width: int
    heads: int
    inner: int
    layers: int
    block: int
    regulator_layers: int
    guidance: float
    code_rate: float
    estimator: EstimatorConfig

    def __post_init__(self) -> None:
        if self.width % self.heads:
            raise ValueError(f"encoder.output_size {self.width} is no multiple of attention_heads {self.heads}")
        if self.estimator.inputs != 4 * self.mels or self.estimator.outputs != self.mels:
            raise ValueError(
                f"estimator.in_channels {self.estimator.inputs} and out_channels {self.estimator.outputs}: "
                f"expected {4 * self.mels} and {self.mels}, as flow.output_size is {self.mels}"
            )

    @classmethod
    def published(cls) -> FlowConfig:
        """glm-4-voice-decoder."""
        estimator = EstimatorConfig(320, 80, (256, 256), 4, 12, 8, 64)
        return cls(16384, 512, 192, 80, 512, 8, 2048, 6, 10, 4, 0.7, 12.5, estimator)

    @classmethod
    def tiny(cls) -> FlowConfig:
        """For tests and a model that runs anywhere: the published rates, 64 codes."""
        return cls(64, 16, 8, 8, 16, 2, 32, 1, 10, 1, 0.7, 12.5, EstimatorConfig(32, 8, (16, 16), 1, 1, 1, 16))

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> FlowConfig:
        """From the sections `flow`, `encoder`, `length_regulator`, `cfm` and `estimator`; ValueError names a fault."""
        flow, encoder, estimator = (fields.section(data, name) for name in ("flow", "encoder", "estimator"))
        return cls(
            codes=fields.whole(flow, "vocab_size"),
            embedding=fields.whole(flow, "input_size"),
            speaker=fields.whole(flow, "spk_embed_dim"),
            mels=fields.whole(flow, "output_size"),
            width=fields.whole(encoder, "output_size"),
            heads=fields.whole(encoder, "attention_heads"),
            inner=fields.whole(encoder, "linear_units"),
            layers=fields.whole(encoder, "num_blocks"),
            block=fields.whole(encoder, "block_size"),
            regulator_layers=len(fields.wholes(fields.section(data, "length_regulator"), "sampling_ratios")),
            guidance=fields.number(fields.section(data, "cfm"), "inference_cfg_rate"),
            code_rate=fields.number(flow, "input_frame_rate"),
            estimator=EstimatorConfig(
                inputs=fields.whole(estimator, "in_channels"),
                outputs=fields.whole(estimator, "out_channels"),
                channels=fields.wholes(estimator, "channels"),
                blocks=fields.whole(estimator, "n_blocks"),
                mid_blocks=fields.whole(estimator, "num_mid_blocks"),
                heads=fields.whole(estimator, "num_heads"),
                head_width=fields.whole(estimator, "attention_head_dim"),
            ),
        )

    def to_json(self) -> dict[str, Any]:
        """The sections that `from_json` reads."""
        estimator = self.estimator
        return {
            "flow": {
                "vocab_size": self.codes,
                "input_size": self.embedding,
                "spk_embed_dim": self.speaker,
                "output_size": self.mels,
                "input_frame_rate": self.code_rate,
            },
            "encoder": {
                "output_size": self.width,
                "attention_heads": self.heads,
                "linear_units": self.inner,
                "num_blocks": self.layers,
                "block_size": self.block,
            },
            "length_regulator": {"sampling_ratios": [1] * self.regulator_layers},
            "cfm": {"inference_cfg_rate": self.guidance},
            "estimator": {
                "in_channels": estimator.inputs,
                "out_channels": estimator.outputs,
                "channels": list(estimator.channels),
                "n_blocks": estimator.blocks,
                "num_mid_blocks": estimator.mid_blocks,
                "num_heads": estimator.heads,
                "attention_head_dim": estimator.head_width,
            },
        }


@dataclass(frozen=True)
class VocoderConfig:
    """From a mel spectrogram to a wave; `kernels` has one residual block each, `dilations` one list for each."""

    mels: int
    base: int
    predictor: int
    harmonics: int
    sample_rate: int
    sine_level: float
    noise_level: float
    voiced_above: float
    rates: tuple[int, ...]
    up_kernels: tuple[int, ...]
    fft: int
    hop: int
    kernels: tuple[int, ...]
    dilations: tuple[tuple[int, ...], ...]
    source_kernels: tuple[int, ...]
    source_dilations: tuple[tuple[int, ...], ...]
    slope: float
    limit: float

    def __post_init__(self) -> None:
        pairs = (
            ("upsample_kernel_sizes", self.up_kernels, self.rates),
            ("resblock_dilation_sizes", self.dilations, self.kernels),
            ("source_resblock_kernel_sizes", self.source_kernels, self.rates),
            ("source_resblock_dilation_sizes", self.source_dilations, self.source_kernels),
        )
        for name, values, others in pairs:
            if len(values) != len(others):
                raise ValueError(f"hift.{name} has {len(values)} entries, expected {len(others)}")

    @property
    def frame(self) -> int:
        """Samples of one mel frame."""
        return math.prod(self.rates) * self.hop

    @classmethod
    def published(cls) -> VocoderConfig:
        """glm-4-voice-decoder."""
        steps = (1, 3, 5)
        return cls(
            *(80, 512, 512, 8, 22050, 0.1, 0.003, 10.0, (8, 8), (16, 16), 16, 4),
            *((3, 7, 11), (steps,) * 3, (7, 11), (steps,) * 2, 0.1, 0.99),
        )

    @classmethod
    def tiny(cls) -> VocoderConfig:
        """For tests and a model that runs anywhere: the published rates, with few channels and one kernel a stage."""
        return replace(
            cls.published(),
            **{"mels": 8, "base": 8, "predictor": 8, "harmonics": 2},
            **{"kernels": (3,), "dilations": ((1,),), "source_kernels": (3, 3), "source_dilations": ((1,), (1,))},
        )

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> VocoderConfig:
        """From the sections `hift` and `f0_predictor`; ValueError names a field at fault."""
        hift, predictor = fields.section(data, "hift"), fields.section(data, "f0_predictor")
        fourier = fields.section(hift, "istft_params")
        return cls(
            mels=fields.whole(hift, "in_channels"),
            base=fields.whole(hift, "base_channels"),
            predictor=fields.whole(predictor, "cond_channels"),
            harmonics=fields.whole(hift, "nb_harmonics"),
            sample_rate=fields.whole(hift, "sampling_rate"),
            sine_level=fields.number(hift, "nsf_alpha"),
            noise_level=fields.number(hift, "nsf_sigma"),
            voiced_above=fields.number(hift, "nsf_voiced_threshold"),
            rates=fields.wholes(hift, "upsample_rates"),
            up_kernels=fields.wholes(hift, "upsample_kernel_sizes"),
            fft=fields.whole(fourier, "n_fft"),
            hop=fields.whole(fourier, "hop_len"),
            kernels=fields.wholes(hift, "resblock_kernel_sizes"),
            dilations=fields.lists(hift, "resblock_dilation_sizes"),
            source_kernels=fields.wholes(hift, "source_resblock_kernel_sizes"),
            source_dilations=fields.lists(hift, "source_resblock_dilation_sizes"),
            slope=fields.number(hift, "lrelu_slope"),
            limit=fields.number(hift, "audio_limit"),
        )

    def to_json(self) -> dict[str, Any]:
        """The sections that `from_json` reads."""
        hift = {
            "in_channels": self.mels,
            "base_channels": self.base,
            "nb_harmonics": self.harmonics,
            "sampling_rate": self.sample_rate,
            "nsf_alpha": self.sine_level,
            "nsf_sigma": self.noise_level,
            "nsf_voiced_threshold": self.voiced_above,
            "upsample_rates": list(self.rates),
            "upsample_kernel_sizes": list(self.up_kernels),
            "istft_params": {"n_fft": self.fft, "hop_len": self.hop},
            "resblock_kernel_sizes": list(self.kernels),
            "resblock_dilation_sizes": [list(steps) for steps in self.dilations],
            "source_resblock_kernel_sizes": list(self.source_kernels),
            "source_resblock_dilation_sizes": [list(steps) for steps in self.source_dilations],
            "lrelu_slope": self.slope,
            "audio_limit": self.limit,
        }
        return {"hift": hift, "f0_predictor": {"cond_channels": self.predictor}}
