"""Sizes and settings of VITA-1.5's understanding model.

The defaults are those of the released checkpoint `VITA-MLLM/VITA-1.5` (its config.json, the
InternViT-300M-448px config and the shapes of its tensors). `Vita15Config.tiny()` keeps every mechanism at a
size for tests.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

ImageAspectRatio = Literal["square", "pad"]


@dataclass(frozen=True)
class VisionConfig:
    """InternViT-300M-448px."""

    hidden_size: int = 1024
    intermediate_size: int = 4096
    num_hidden_layers: int = 24
    num_attention_heads: int = 16
    image_size: int = 448
    patch_size: int = 14
    layer_norm_eps: float = 1e-6

    def __post_init__(self) -> None:
        _require_heads("vision", self.hidden_size, self.num_attention_heads)
        if self.image_size <= 0 or self.image_size % (2 * self.patch_size):
            raise ValueError(
                f"vision: image_size {self.image_size} must be a multiple of twice the patch_size "
                f"({2 * self.patch_size}), because 2x2 patches become one token"
            )

    @property
    def patches_per_side(self) -> int:
        return self.image_size // self.patch_size

    @property
    def tokens_per_tile(self) -> int:
        """Embeddings that one tile or frame puts into the prompt: 256 in the released model."""
        return (self.patches_per_side // 2) ** 2


@dataclass(frozen=True)
class AudioConfig:
    """Speech encoder and its adapter.

    `chunk_size` frames of the encoder (40 ms each) see one another, with `left_chunks` chunks before them
    (negative: all). A chunk size of 0 or less means full context, which is how the official vLLM port runs
    the released weights. `dither` is the standard deviation of the noise added before the filter bank, on
    the int16 scale. `num_prompt_embeddings` learned vectors stand before the speech in an unreleased
    variant; the release has none.
    """

    num_mel_bins: int = 80
    hidden_size: int = 1024
    num_attention_heads: int = 16
    intermediate_size: int = 4096
    num_hidden_layers: int = 24
    chunk_size: int = -1
    left_chunks: int = -1
    adapter_kernel: int = 5
    dither: float = 0.0
    num_prompt_embeddings: int = 0

    def __post_init__(self) -> None:
        _require_heads("audio", self.hidden_size, self.num_attention_heads)
        if self.hidden_size % 2:
            raise ValueError(f"audio: hidden_size {self.hidden_size} must be even for the sinusoid positions")
        if self.num_mel_bins < 7:
            raise ValueError(f"audio: num_mel_bins {self.num_mel_bins} is below 7, too few to subsample by four")


@dataclass(frozen=True)
class LanguageConfig:
    """Qwen2.5-7B-Instruct."""

    hidden_size: int = 3584
    intermediate_size: int = 18944
    num_hidden_layers: int = 28
    num_attention_heads: int = 28
    num_key_value_heads: int = 4
    vocab_size: int = 152064
    rope_theta: float = 1e6
    rms_norm_eps: float = 1e-6
    max_position_embeddings: int = 32768
    tie_word_embeddings: bool = False

    def __post_init__(self) -> None:
        _require_heads("language", self.hidden_size, self.num_attention_heads)
        if self.num_attention_heads % self.num_key_value_heads:
            raise ValueError(
                f"language: num_attention_heads {self.num_attention_heads} must be a multiple of "
                f"num_key_value_heads {self.num_key_value_heads}"
            )


@dataclass(frozen=True)
class Vita15Config:
    """The whole understanding model. `tokenizer_max_length` bounds a prompt after media are expanded."""

    language: LanguageConfig = field(default_factory=LanguageConfig)
    vision: VisionConfig = field(default_factory=VisionConfig)
    audio: AudioConfig = field(default_factory=AudioConfig)
    tokenizer_max_length: int = 6200
    image_aspect_ratio: ImageAspectRatio = "square"
    state_classes: int = 0
    """Outputs of the paper's speech/text classification head; 0 leaves it out, as the release does."""

    def __post_init__(self) -> None:
        if self.image_aspect_ratio not in ("square", "pad"):
            raise ValueError(f"image_aspect_ratio {self.image_aspect_ratio!r} is neither 'square' nor 'pad'")

    @classmethod
    def published(cls) -> Vita15Config:
        """The released 8B model."""
        return cls()

    @classmethod
    def tiny(cls) -> Vita15Config:
        """Random-weight size for tests; the vocabulary holds 256 bytes, 22 specials and some unused rows."""
        return cls(
            language=LanguageConfig(
                hidden_size=64,
                intermediate_size=96,
                num_hidden_layers=2,
                num_attention_heads=4,
                num_key_value_heads=2,
                vocab_size=320,
                max_position_embeddings=4096,
            ),
            vision=VisionConfig(
                hidden_size=32,
                intermediate_size=64,
                num_hidden_layers=2,
                num_attention_heads=4,
                image_size=56,
            ),
            audio=AudioConfig(hidden_size=32, num_attention_heads=4, intermediate_size=48, num_hidden_layers=2),
            tokenizer_max_length=4096,
        )

    @property
    def mm_hidden_size(self) -> int:
        """Width of the vision features that enter the projector: four patches side by side."""
        return 4 * self.vision.hidden_size

    @property
    def tokens_per_tile(self) -> int:
        return self.vision.tokens_per_tile


def _require_heads(part: str, hidden_size: int, heads: int) -> None:
    if heads <= 0 or hidden_size % heads:
        raise ValueError(f"{part}: hidden_size {hidden_size} must be a multiple of num_attention_heads {heads}")
