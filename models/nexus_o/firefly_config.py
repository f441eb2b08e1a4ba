"""Sizes of the FireFly codec (fish-speech 1.4 and 1.5), read from the arguments of its constructor."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from models.released import fields


@dataclass(frozen=True)
class MelConfig:
    """Samples per second; mel bands; samples of a Fourier transform, between frames and of the window."""

    sample_rate: int
    mels: int
    fft: int
    hop: int
    window: int


@dataclass(frozen=True)
class BackboneConfig:
    """The encoder: how many blocks of which width each stage has, and the kernel of stem and blocks."""

    depths: tuple[int, ...]
    widths: tuple[int, ...]
    kernel: int


@dataclass(frozen=True)
class HeadConfig:
    """The generator; `kernels` has one residual block each, `dilations` one list for each."""

    width: int
    rates: tuple[int, ...]
    up_kernels: tuple[int, ...]
    kernels: tuple[int, ...]
    dilations: tuple[tuple[int, ...], ...]
    pre_kernel: int
    post_kernel: int


@dataclass(frozen=True)
class QuantizerConfig:
    """`groups` streams of codes over an equal part of the channels each; `factors` divide the frame rate."""

    groups: int
    levels: tuple[int, ...]
    factors: tuple[int, ...]


@dataclass(frozen=True)
class FireflyConfig:
    mel: MelConfig
    backbone: BackboneConfig
    head: HeadConfig
    quantizer: QuantizerConfig

    def __post_init__(self) -> None:
        mel, backbone, head, quantizer = self.mel, self.backbone, self.head, self.quantizer
        pairs = (
            ("backbone.depths", backbone.depths, backbone.widths),
            ("head.upsample_kernel_sizes", head.up_kernels, head.rates),
            ("head.resblock_dilation_sizes", head.dilations, head.kernels),
        )
        for name, values, others in pairs:
            if len(values) != len(others):
                raise ValueError(f"{name} has {len(values)} entries, expected {len(others)}")
        if math.prod(head.rates) != mel.hop:
            raise ValueError(f"head.upsample_rates {list(head.rates)} multiply to another number than hop {mel.hop}")
        if not mel.hop <= mel.window <= mel.fft:
            raise ValueError(f"spec.win_length {mel.window} must lie between hop {mel.hop} and n_fft {mel.fft}")
        if short := [kernel for kernel, rate in zip(head.up_kernels, head.rates, strict=True) if kernel < rate]:
            raise ValueError(f"head.upsample_kernel_sizes {short} are smaller than their rates")
        if self.width % quantizer.groups:
            raise ValueError(f"quantizer.input_dim {self.width} is no multiple of n_groups {quantizer.groups}")
        if head.width % 2 ** len(head.rates):
            raise ValueError(
                f"head.upsample_initial_channel {head.width} cannot be halved {len(head.rates)} times, "
                "once for each of upsample_rates"
            )

    @property
    def width(self) -> int:
        """Channels between encoder and generator."""
        return self.backbone.widths[-1]

    @property
    def codes(self) -> int:
        """Codes of a stream: ids are 0 to one less."""
        return math.prod(self.quantizer.levels)

    @property
    def mel_frames(self) -> int:
        """Mel frames of one code frame."""
        return math.prod(self.quantizer.factors)

    @property
    def samples(self) -> int:
        """Samples of one code frame."""
        return self.mel_frames * self.mel.hop

    @property
    def frame_rate(self) -> float:
        """Code frames per second."""
        return self.mel.sample_rate / self.samples

    @classmethod
    def published(cls) -> FireflyConfig:
        """firefly-gan-vq-fsq-8x1024-21hz: 44.1 kHz, 8 streams of 1000 codes at 21.5 frames a second."""
        return cls(
            MelConfig(44_100, 160, 2048, 512, 2048),
            BackboneConfig((3, 3, 9, 3), (128, 256, 384, 512), 7),
            HeadConfig(512, (8, 8, 2, 2, 2), (16, 16, 4, 4, 4), (3, 7, 11), ((1, 3, 5),) * 3, 13, 13),
            QuantizerConfig(8, (8, 5, 5, 5), (2, 2)),
        )

    @classmethod
    def tiny(cls) -> FireflyConfig:
        """A size for tests: the published rates of samples and codes, few channels."""
        return cls(
            MelConfig(44_100, 20, 2048, 512, 2048),
            BackboneConfig((1, 1), (16, 32), 7),
            HeadConfig(32, (8, 8, 2, 2, 2), (16, 16, 4, 4, 4), (3, 7), ((1, 3),) * 2, 13, 13),
            QuantizerConfig(8, (8, 5, 5, 5), (2, 2)),
        )

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> FireflyConfig:
        """From the sections `spec`, `backbone`, `head` and `quantizer`; ValueError names a field at fault."""
        spec, backbone, head, quantizer = (
            fields.section(data, name) for name in ("spec", "backbone", "head", "quantizer")
        )
        config = cls(
            MelConfig(
                *(fields.whole(spec, name) for name in ("sample_rate", "n_mels", "n_fft", "hop_length", "win_length"))
            ),
            BackboneConfig(
                fields.wholes(backbone, "depths"),
                fields.wholes(backbone, "dims"),
                fields.whole(backbone, "kernel_size"),
            ),
            HeadConfig(
                width=fields.whole(head, "upsample_initial_channel"),
                rates=fields.wholes(head, "upsample_rates"),
                up_kernels=fields.wholes(head, "upsample_kernel_sizes"),
                kernels=fields.wholes(head, "resblock_kernel_sizes"),
                dilations=fields.lists(head, "resblock_dilation_sizes"),
                pre_kernel=fields.whole(head, "pre_conv_kernel_size"),
                post_kernel=fields.whole(head, "post_conv_kernel_size"),
            ),
            QuantizerConfig(
                fields.whole(quantizer, "n_groups"),
                fields.wholes(quantizer, "levels"),
                fields.wholes(quantizer, "downsample_factor"),
            ),
        )
        stated = (
            (backbone, "backbone", "input_channels", config.mel.mels),
            (head, "head", "hop_length", config.mel.hop),
            (head, "head", "num_mels", config.width),
            (quantizer, "quantizer", "input_dim", config.width),
            (quantizer, "quantizer", "n_codebooks", 1),
        )
        for section, where, name, expected in stated:
            if fields.whole(section, name) != expected:
                raise ValueError(f"{where}.{name} is {section[name]}: expected {expected}")
        return config

    def to_json(self) -> dict[str, dict[str, Any]]:
        """The sections that `from_json` reads."""
        mel, backbone, head, quantizer = self.mel, self.backbone, self.head, self.quantizer
        return {
            "spec": {
                "sample_rate": mel.sample_rate,
                "n_mels": mel.mels,
                "n_fft": mel.fft,
                "hop_length": mel.hop,
                "win_length": mel.window,
            },
            "backbone": {
                "input_channels": mel.mels,
                "depths": backbone.depths,
                "dims": backbone.widths,
                "kernel_size": backbone.kernel,
            },
            "head": {
                "hop_length": mel.hop,
                "num_mels": self.width,
                "upsample_initial_channel": head.width,
                "upsample_rates": head.rates,
                "upsample_kernel_sizes": head.up_kernels,
                "resblock_kernel_sizes": head.kernels,
                "resblock_dilation_sizes": head.dilations,
                "pre_conv_kernel_size": head.pre_kernel,
                "post_conv_kernel_size": head.post_kernel,
            },
            "quantizer": {
                "input_dim": self.width,
                "n_codebooks": 1,
                "n_groups": quantizer.groups,
                "levels": quantizer.levels,
                "downsample_factor": quantizer.factors,
            },
        }
