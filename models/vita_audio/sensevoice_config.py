"""Sizes of SenseVoiceSmall and of its front end, read from FunASR's config.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MOST_LAYERS = 1000  # more are a slip in the settings, and would take long to build

_ONLY_ENCODER = {
    "input_layer": "pe",
    "pos_enc_class": "SinusoidalPositionEncoder",
    "normalize_before": True,
    "sanm_shfit": 0,  # sic
    "selfattention_layer_type": "sanm",
}
_ONLY_FRONT_END = {"fs": 16_000, "window": "hamming", "frame_length": 25, "frame_shift": 10}


@dataclass(frozen=True)
class FrontEndConfig:
    """`stack` filter-bank frames of `mels` bins are joined to one, and every `step`-th is kept."""

    mels: int = 80
    stack: int = 7
    step: int = 6

    @property
    def width(self) -> int:
        """Numbers of one joined frame."""
        return self.mels * self.stack

    @classmethod
    def from_yaml(cls, data: Mapping[str, Any]) -> FrontEndConfig:
        """From the section `frontend_conf`; ValueError names a field that is at fault or has no implementation."""
        section = _section(data, "frontend_conf")
        _require(section, "frontend_conf", _ONLY_FRONT_END)
        return cls(*(_whole(section, "frontend_conf", name) for name in ("n_mels", "lfr_m", "lfr_n")))


@dataclass(frozen=True)
class SenseVoiceConfig:
    """`layers` counts the first one, which takes `inputs` numbers a frame; `top_layers` come after them.

    `vocabulary` is that of the CTC head, which VITA-Audio carries and does not use.
    """

    inputs: int
    width: int
    heads: int
    inner: int
    layers: int
    top_layers: int
    kernel: int
    vocabulary: int

    def __post_init__(self) -> None:
        if self.inputs % 2 or self.inputs < 4:
            raise ValueError(f"input_size {self.inputs} must be even and at least 4")
        if self.width % self.heads:
            raise ValueError(f"output_size {self.width} is no multiple of attention_heads {self.heads}")
        if self.layers + self.top_layers > MOST_LAYERS:
            raise ValueError(f"num_blocks {self.layers} and tp_blocks {self.top_layers}: at most {MOST_LAYERS} in all")
        if not self.kernel % 2:
            raise ValueError(f"kernel_size {self.kernel} must be odd")

    @classmethod
    def published(cls) -> SenseVoiceConfig:
        """FunAudioLLM/SenseVoiceSmall."""
        return cls(560, 512, 4, 2048, 50, 20, 11, 25_055)

    @classmethod
    def tiny(cls) -> SenseVoiceConfig:
        """For random weights, with 4 mel bins."""
        return cls(28, 24, 4, 36, 3, 2, 11, 20)

    @classmethod
    def from_yaml(cls, data: Mapping[str, Any]) -> SenseVoiceConfig:
        """From the section `encoder_conf`, and `input_size` and `vocab_size` where they are stated.

        FunASR finds these two out from the front end and the tokenizer: without them they are the front end's width
        and the published vocabulary. Raises ValueError naming a field that is at fault or has no implementation.
        """
        _require(data, "", {"encoder": "SenseVoiceEncoderSmall"})
        section = _section(data, "encoder_conf")
        _require(section, "encoder_conf", _ONLY_ENCODER)
        names = ("output_size", "attention_heads", "linear_units", "num_blocks", "tp_blocks", "kernel_size")
        inputs = _whole(data, "", "input_size") if "input_size" in data else FrontEndConfig.from_yaml(data).width
        vocabulary = _whole(data, "", "vocab_size") if "vocab_size" in data else cls.published().vocabulary
        return cls(inputs, *(_whole(section, "encoder_conf", name) for name in names), vocabulary)


def _section(data: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = data.get(name)
    if not isinstance(value, Mapping):
        raise ValueError(f"{name} is missing or no section: expected a mapping of settings")
    return value


def _require(section: Mapping[str, Any], place: str, only: Mapping[str, Any]) -> None:
    """Settings that are stated have the one value that is implemented."""
    for name, value in only.items():
        if section.get(name, value) != value:
            raise ValueError(f"{_named(place, name)} is {section[name]!r}: only {value!r} is supported")


def _whole(section: Mapping[str, Any], place: str, name: str) -> int:
    value = section.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError(f"{_named(place, name)} is {value!r}: expected a positive whole number")
    return value


def _named(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name
