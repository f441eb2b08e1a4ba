"""The sizes of the decoder of speech codes, from sizes and choices of the whole model (spec section 1.5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from models.nexus_o.config import NexusConfig
from models.nexus_o.firefly_config import FireflyConfig
from models.sampling import GREEDY, Sampling

HEAD_WIDTH = 128
KV_HEADS = 4
TOP_K = Sampling(temperature=0.8, top_k=50)


@dataclass(frozen=True)
class DecoderConfig:
    """`codes` ids of each stream stand for sound, `special` for start, padding and end; the rest of the `vocabulary`
    is never made. `heads`, `kv_heads` and `inner` are of Qwen2 blocks `width` wide.

    Raises ValueError naming a size that does not fit.
    """

    language_width: int
    width: int
    heads: int
    kv_heads: int
    inner: int
    layers: int
    streams: int
    codes: int
    vocabulary: int
    special: int
    rope_theta: float
    eps: float
    mix: Literal["nine_way", "two_way"]
    schedule: Literal["hold_last", "last_only", "zero_after"]
    end: Literal["stream_0", "all_streams"]

    def __post_init__(self) -> None:
        if self.heads < 1 or self.width % self.heads or self.width // self.heads % 2:
            raise ValueError(
                f"decoder_width {self.width} does not divide into {self.heads} heads of an even width: "
                "choose another, or set audio_decoder_config.num_attention_heads"
            )
        if self.heads % self.kv_heads:
            raise ValueError(
                f"audio_decoder_config.num_key_value_heads {self.kv_heads} does not divide the {self.heads} heads"
            )
        if not self.codes <= self.special < self.vocabulary:
            raise ValueError(
                f"audio_decoder_config.codebook_size leaves {self.vocabulary} ids a stream: expected at least "
                f"{self.codes} codes and special_code {self.special} behind them"
            )

    @property
    def head_dim(self) -> int:
        return self.width // self.heads

    @classmethod
    def of(cls, config: NexusConfig) -> DecoderConfig:
        """Sizes that are not given are Qwen2.5-7B's for its width: heads of 128, 4 of them with keys and values, and
        37/7 of the width inside, whole multiples of 128."""
        speech, choices, width = config.speech, config.choices, config.choices.decoder_width
        codes = FireflyConfig.published().codes
        if speech.codebook_size < codes:
            raise ValueError(
                f"audio_decoder_config.codebook_size is {speech.codebook_size}: expected at least the codec's {codes}"
            )
        heads = speech.num_attention_heads or width // HEAD_WIDTH
        return cls(
            language_width=config.language.hidden_size,
            width=width,
            heads=heads,
            kv_heads=speech.num_key_value_heads or (heads if heads % KV_HEADS else KV_HEADS),
            inner=speech.intermediate_size or max(width * 37 // 7 // HEAD_WIDTH, 1) * HEAD_WIDTH,
            layers=speech.layers,
            streams=speech.streams,
            codes=codes,
            vocabulary=max(speech.codebook_size, choices.special_code + 1),
            special=choices.special_code,
            rope_theta=speech.rope_theta,
            eps=speech.rms_norm_eps,
            mix=choices.mix,
            schedule=choices.hidden_schedule,
            end=choices.code_end,
        )


def code_sampling(config: NexusConfig) -> Sampling:
    """How codes are drawn where a request does not say."""
    return TOP_K if config.choices.code_sampling == "top_k" else GREEDY
