"""Sizes of VITA-1.5's speech decoder and codec, and the sampling settings.

The published values and the two `model.json` formats are those of the released `vita_tts_ckpt` folder and of
Freeze-Omni, whose speech modules VITA-1.5 uses. Layer counts and the widths that the JSON leaves out are read
from the state dict, because the released code builds half as many NAR layers as its JSON states blocks.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor


@dataclass(frozen=True, slots=True)
class SpeechDecoderConfig:
    """LLaMA-style NAR and AR decoders over a table of codec ids and four marks."""

    codes: int
    hidden: int
    heads: int
    inner: int
    ar_layers: int
    nar_layers: int
    prefix_layers: int = 0
    rope_theta: float = 10000.0
    rms_eps: float = 1e-6

    def __post_init__(self) -> None:
        if self.hidden % self.heads or (self.hidden // self.heads) % 2:
            raise ValueError(
                f"speech decoder: hidden size {self.hidden} must split into {self.heads} heads of even width"
            )
        if self.prefix_layers not in (0, self.ar_layers):
            raise ValueError(
                f"speech decoder: {self.prefix_layers} prefix layers; each of the {self.ar_layers} AR layers "
                "needs one, or there are none"
            )

    @classmethod
    def tiny(cls, llm_hidden: int) -> SpeechDecoderConfig:
        """Random-weight size for tests, beside a language model of that width."""
        return cls(codes=64, hidden=llm_hidden // 4, heads=2, inner=32, ar_layers=2, nar_layers=1)

    @classmethod
    def published(cls) -> SpeechDecoderConfig:
        return cls(codes=1024, hidden=896, heads=14, inner=4864, ar_layers=4, nar_layers=2)

    @property
    def bos(self) -> int:
        return self.codes

    @property
    def sos(self) -> int:
        return self.codes + 1

    @property
    def eos(self) -> int:
        return self.codes + 2

    @property
    def pad(self) -> int:
        return self.codes + 3

    @property
    def vocabulary(self) -> int:
        return self.codes + 4

    @property
    def head_dim(self) -> int:
        return self.hidden // self.heads

    @classmethod
    def from_json(cls, data: Any) -> SpeechDecoderConfig:
        """Read `decoder/model.json`: `[idim, odim, {arguments}]`. Raises ValueError naming a bad field."""
        if not (isinstance(data, list) and len(data) == 3 and isinstance(data[2], dict)):
            raise ValueError("expected a list [idim, odim, {arguments}]")
        arguments = data[2]
        blocks = _integer(arguments, "transformer_num_blocks")
        hidden = _integer(arguments, "transformer_attention_dim")
        idim, odim = (_integer({"idim": data[0], "odim": data[1]}, name) for name in ("idim", "odim"))
        if idim != hidden:
            raise ValueError(f"idim is {idim} but transformer_attention_dim is {hidden}; they must be equal")
        return cls(
            codes=odim,
            hidden=hidden,
            heads=_integer(arguments, "transformer_attention_heads"),
            inner=_integer(arguments, "transformer_linear_units"),
            ar_layers=blocks,
            nar_layers=blocks // 2,
        )

    def to_json(self) -> list[Any]:
        return [
            self.hidden,
            self.codes,
            {
                "idim": self.hidden,
                "odim": self.codes,
                "encoder_output_dim": self.hidden,
                "transformer_attention_dim": self.hidden,
                "transformer_attention_heads": self.heads,
                "transformer_linear_units": self.inner,
                "transformer_num_blocks": self.ar_layers,
                "kv_cache_prefix_finetune": int(self.prefix_layers > 0),
            },
        ]

    def with_layers_of(self, state: Mapping[str, Tensor]) -> SpeechDecoderConfig:
        """The same sizes with the layer counts that a state dict holds."""
        return replace(
            self,
            ar_layers=_layers(state, "layers"),
            nar_layers=_layers(state, "layers_pre_nn"),
            prefix_layers=_layers(state, "layers_prefix"),
        )


@dataclass(frozen=True, slots=True)
class CodecConfig:
    """TiCodec: HiFi-GAN generator and encoder around a single codebook, and a fixed voice.

    `code_dim`, `global_dim` and `encoder_base` are constants of the released code (512, 128, 32).
    """

    upsample_rates: tuple[int, ...]
    upsample_kernels: tuple[int, ...]
    upsample_channels: int
    resblock_kernels: tuple[int, ...]
    resblock_dilations: tuple[tuple[int, ...], ...]
    codes: int
    code_groups: int
    global_codes: int
    global_conv: tuple[int, ...]
    global_tokens: tuple[int, ...]
    code_dim: int = 512
    global_dim: int = 128
    encoder_base: int = 32
    sample_rate: int = 24000

    def __post_init__(self) -> None:
        if min(self.sample_rate, *self.upsample_rates) < 1:
            raise ValueError(
                f"codec: sampling_rate {self.sample_rate} and upsample_rates {self.upsample_rates} count from 1"
            )
        pairs = list(zip(self.upsample_rates, self.upsample_kernels, strict=False))
        if len(self.upsample_rates) != len(self.upsample_kernels) or any((k - r) % 2 or k < r for r, k in pairs):
            raise ValueError(
                f"codec: upsample kernels {self.upsample_kernels} must be as many as the rates "
                f"{self.upsample_rates}, each longer than its rate by an even number"
            )
        if len(self.resblock_kernels) != len(self.resblock_dilations):
            raise ValueError("codec: resblock_dilation_sizes needs one list for each resblock kernel size")
        bad = [token for token in self.global_tokens if token >= self.codes]
        if len(self.global_tokens) != self.global_codes or bad:
            raise ValueError(
                f"codec: global_tokens {self.global_tokens}; expected {self.global_codes} ids below {self.codes}"
            )
        for name, width, parts in (
            ("code_dim", self.code_dim, self.code_groups),
            ("global_dim", self.global_dim, self.global_codes),
        ):
            if width % parts:
                raise ValueError(f"codec: {name} {width} does not split into {parts} equal parts")

    @classmethod
    def tiny(cls) -> CodecConfig:
        """Random-weight size for tests, with the published hop of 600 samples."""
        return cls(
            upsample_rates=(8, 5, 5, 3),
            upsample_kernels=(16, 11, 11, 5),
            upsample_channels=32,
            resblock_kernels=(3,),
            resblock_dilations=((1, 3),),
            codes=64,
            code_groups=1,
            global_codes=2,
            global_conv=(8, 6, 8, 3, 1),
            global_tokens=(3, 7),
            code_dim=16,
            global_dim=8,
            encoder_base=2,
        )

    @classmethod
    def published(cls) -> CodecConfig:
        return cls(
            upsample_rates=(8, 5, 5, 3),
            upsample_kernels=(16, 11, 11, 5),
            upsample_channels=512,
            resblock_kernels=(3, 7, 11),
            resblock_dilations=((1, 3, 5),) * 3,
            codes=1024,
            code_groups=1,
            global_codes=8,
            global_conv=(128, 64, 128, 3, 1),
            global_tokens=(473, 975, 419, 219, 565, 121, 550, 616),
        )

    @property
    def hop(self) -> int:
        """Samples per token; 600 in the release, which is 40 tokens a second at 24 kHz."""
        hop = 1
        for rate in self.upsample_rates:
            hop *= rate
        return hop

    @classmethod
    def from_json(cls, data: Any) -> CodecConfig:
        """Read `codec/model.json`. Raises ValueError naming a bad field."""
        if not isinstance(data, dict):
            raise ValueError("expected an object")
        if str(data.get("resblock", "1")) != "1":
            raise ValueError(f"resblock {data['resblock']!r} is not supported, only '1'")
        if int(data.get("residul_layer", 1)) != 1:
            raise ValueError(f"residul_layer {data['residul_layer']} is not supported, only 1")
        return cls(
            upsample_rates=_integers(data, "upsample_rates"),
            upsample_kernels=_integers(data, "upsample_kernel_sizes"),
            upsample_channels=_integer(data, "upsample_initial_channel"),
            resblock_kernels=_integers(data, "resblock_kernel_sizes"),
            resblock_dilations=tuple(
                _integers({"resblock_dilation_sizes": row}, "resblock_dilation_sizes")
                for row in data.get("resblock_dilation_sizes", ())
            ),
            codes=_integer(data, "n_codes"),
            code_groups=_integer(data, "n_code_groups"),
            global_codes=_integer(data, "global_code_num"),
            global_conv=_integers(data, "global_feature_conv"),
            global_tokens=_integers(data, "global_tokens"),
            sample_rate=int(data.get("sampling_rate", 24000)),
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "resblock": "1",
            "upsample_rates": list(self.upsample_rates),
            "upsample_kernel_sizes": list(self.upsample_kernels),
            "upsample_initial_channel": self.upsample_channels,
            "resblock_kernel_sizes": list(self.resblock_kernels),
            "resblock_dilation_sizes": [list(row) for row in self.resblock_dilations],
            "n_code_groups": self.code_groups,
            "residul_layer": 1,
            "n_codes": self.codes,
            "global_code_num": self.global_codes,
            "global_feature_conv": list(self.global_conv),
            "global_tokens": list(self.global_tokens),
            "sampling_rate": self.sample_rate,
        }

    def with_widths_of(self, state: Mapping[str, Tensor]) -> CodecConfig:
        """The same layout with the three widths that `model.json` leaves out, from a state dict.

        Raises KeyError naming the tensor that would tell a width.
        """
        code = state["quantizer.quantizer_modules.0.embedding.weight"]
        voice = state["quantizer.quantizer_modules_globaltokens.0.embedding.weight"]
        return replace(
            self,
            code_dim=code.shape[1] * self.code_groups,
            global_dim=voice.shape[1] * self.global_codes,
            encoder_base=state["encoder.conv_pre.bias"].shape[0],
        )


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the AR decoder picks codes. Defaults are those of the released demo and server, made safe.

    With `restrict_to_codec` only codec ids and EOS can be drawn, and the repetition penalty lowers each of
    the last `penalty_window` codes once. Without it the reference's raw sampler is reproduced: BOS, SOS and
    PAD can be drawn (the codec has no entry for them), a code that occurs twice in the window is divided
    twice, and dividing a negative logit makes the code *more* likely.
    """

    top_k: int = 2
    temperature: float = 1.0
    penalty: float = 1.0
    penalty_window: int = -1
    max_tokens: int = 1000
    restrict_to_codec: bool = True

    def __post_init__(self) -> None:
        for name, value, low in (
            ("top_k", self.top_k, 1),
            ("max_tokens", self.max_tokens, 1),
            ("penalty_window", self.penalty_window, -1),
        ):
            if value < low:
                raise ValueError(f"sampling: {name} is {value}, must be at least {low}")
        for name, number in (("temperature", self.temperature), ("penalty", self.penalty)):
            if not number > 0:
                raise ValueError(f"sampling: {name} is {number}, must be above 0 (top_k=1 is greedy)")


def _layers(state: Mapping[str, Tensor], prefix: str) -> int:
    pattern = re.compile(rf"{prefix}\.(\d+)\.")
    return 1 + max((int(match[1]) for name in state if (match := pattern.match(name))), default=-1)


def _integer(data: Mapping[str, Any], name: str) -> int:
    value = data.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"{name} is {value!r}, expected a positive integer")
    return value


def _integers(data: Mapping[str, Any], name: str) -> tuple[int, ...]:
    values = data.get(name)
    if not isinstance(values, list) or not all(isinstance(v, int) and v >= 0 for v in values) or not values:
        raise ValueError(f"{name} is {values!r}, expected a list of integers")
    return tuple(values)
