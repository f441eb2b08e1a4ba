"""Sizes of VITA-Audio's language model with its prediction modules.

Facts from the released config.json (spec section 1.1): `num_hidden_layers` counts the layers of the language model and
of the modules together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from models.released.network import check_network

MOST = (1 << 31) - 1
ARCHITECTURES = {"qwen2_mtp": False, "qwen2_mtp_sensevoice": True}
"""`model_type` -> whether the model hears through SenseVoice (Plus)."""


@dataclass(frozen=True)
class MtpConfig:
    """Qwen2.5 with `num_nextn_predict_layers` modules of one layer each, behind the layers of the language model."""

    hidden_size: int = 3584
    intermediate_size: int = 18944
    num_hidden_layers: int = 38
    num_nextn_predict_layers: int = 10
    num_attention_heads: int = 28
    num_key_value_heads: int = 4
    vocab_size: int = 168072
    rope_theta: float = 1e6
    rms_norm_eps: float = 1e-6
    max_position_embeddings: int = 32768

    def __post_init__(self) -> None:
        if self.hidden_size % self.num_attention_heads or self.hidden_size // self.num_attention_heads % 2:
            raise ValueError(
                f"hidden_size {self.hidden_size} must be an even multiple of num_attention_heads "
                f"{self.num_attention_heads}"
            )
        if self.num_attention_heads % self.num_key_value_heads:
            raise ValueError(
                f"num_attention_heads {self.num_attention_heads} must be a multiple of num_key_value_heads "
                f"{self.num_key_value_heads}"
            )
        if not 0 <= self.num_nextn_predict_layers < self.num_hidden_layers:
            raise ValueError(
                f"num_nextn_predict_layers {self.num_nextn_predict_layers} must be below num_hidden_layers "
                f"{self.num_hidden_layers}, which counts the modules too"
            )

    @property
    def modules(self) -> int:
        return self.num_nextn_predict_layers

    @property
    def llm_layers(self) -> int:
        return self.num_hidden_layers - self.num_nextn_predict_layers

    @property
    def head_dim(self) -> int:
        return self.hidden_size // self.num_attention_heads

    @classmethod
    def published(cls, modules: int = 10) -> MtpConfig:
        """The released 7B models: ten modules, or none (Plus-Vanilla)."""
        return cls(num_hidden_layers=28 + modules, num_nextn_predict_layers=modules)

    @classmethod
    def half_billion(cls, modules: int = 10) -> MtpConfig:
        """On Qwen2.5-0.5B, of which the paper's table 8 gives speeds."""
        small = cls(hidden_size=896, intermediate_size=4864, num_attention_heads=14, num_key_value_heads=2)
        return replace(small, num_hidden_layers=24 + modules, num_nextn_predict_layers=modules)

    @classmethod
    def tiny(cls, vocab_size: int, modules: int = 10) -> MtpConfig:
        """At the size of tests, with every mechanism."""
        return cls(
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=2 + modules,
            num_nextn_predict_layers=modules,
            num_attention_heads=4,
            num_key_value_heads=2,
            vocab_size=vocab_size,
            max_position_embeddings=4096,
        )

    @classmethod
    def from_json(cls, settings: Mapping[str, Any]) -> MtpConfig:
        """From config.json's content. ValueError names a field that is missing or out of range."""
        given: dict[str, Any] = {}
        for part in fields(cls):
            value = settings.get(part.name)
            if part.name == "rope_theta" and isinstance(nested := settings.get("rope_parameters"), Mapping):
                value = nested.get("rope_theta", value)
            given[part.name] = _number(part.name, value)
        if settings.get("tie_word_embeddings"):
            raise ValueError(f"tie_word_embeddings is {settings['tie_word_embeddings']!r}: expected false")
        config = cls(**given)
        check_network(settings, config.hidden_size, config.num_attention_heads)
        return config


def _number(name: str, value: Any) -> int | float:
    real = name in ("rope_theta", "rms_norm_eps")
    least = 0 if name == "num_nextn_predict_layers" or real else 1
    if isinstance(value, bool) or not isinstance(value, (int, float) if real else int):
        raise ValueError(f"{name} is {value!r}: expected {'a number' if real else 'a whole number'}")
    if not least <= value <= MOST or (real and not value):
        raise ValueError(f"{name} is {value!r}: expected {'more than 0' if real else f'{least} to {MOST}'}")
    return value
