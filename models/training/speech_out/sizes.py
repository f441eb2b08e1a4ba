"""How large the codec and the speech decoder are, and how many readings each learns from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from models.vita15.speech_config import CodecConfig, SpeechDecoderConfig


@dataclass(frozen=True)
class SpeechSize:
    codec: CodecConfig
    heads: int
    inner: int
    ar_layers: int
    nar_layers: int
    codec_readings: int
    decoder_readings: int
    held_out: int
    """Readings of other texts, for the controls of each stage."""

    def decoder(self, llm_hidden: int) -> SpeechDecoderConfig:
        """As wide as the language model, so that a token is one vector (in the release it is four)."""
        return SpeechDecoderConfig(
            self.codec.codes, llm_hidden, self.heads, self.inner, self.ar_layers, self.nar_layers
        )


SPEECH_SIZES: Mapping[str, SpeechSize] = {
    "mini": SpeechSize(
        CodecConfig(
            upsample_rates=(8, 5, 5, 3),
            upsample_kernels=(16, 11, 11, 5),
            upsample_channels=256,
            resblock_kernels=(3,),
            resblock_dilations=((1, 3, 5),),
            codes=1024,
            code_groups=1,
            global_codes=4,
            global_conv=(64, 32, 64, 3, 1),
            global_tokens=(0, 1, 2, 3),
            code_dim=64,
            global_dim=64,
            encoder_base=8,
        ),
        heads=4,
        inner=512,
        ar_layers=4,
        nar_layers=2,
        codec_readings=3000,
        decoder_readings=16_000,
        held_out=200,
    ),
    "tiny": SpeechSize(
        CodecConfig.tiny(),
        heads=2,
        inner=32,
        ar_layers=2,
        nar_layers=1,
        codec_readings=8,
        decoder_readings=8,
        held_out=2,
    ),
}
