"""The sizes at which NEXUS-O's stages are run, and where they leave the release."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from models.nexus_o.choices import Choices
from models.nexus_o.config import (
    AudioConfig,
    LanguageConfig,
    NexusConfig,
    PictureConfig,
    SpeechConfig,
    VisionConfig,
)
from models.nexus_o.firefly_config import BackboneConfig, FireflyConfig, HeadConfig, MelConfig, QuantizerConfig
from models.text.tokenizer import QwenTokenizer, byte_tokenizer
from models.training.nexus.codec_run import CodecEffort
from models.training.nexus.learner import Weights
from models.training.nexus.run import BaseEffort
from models.training.nexus.stages import STAGES, Effort, Kind, Work
from models.training.nexus.words import nexus_tokenizer


@dataclass(frozen=True)
class Size:
    config: NexusConfig
    codec: FireflyConfig
    tokenizer: Callable[[], QwenTokenizer]
    efforts: Mapping[str, Effort]
    replies: int
    """Of each kind, made for the third stage."""
    words: str
    """What of it is not the release's."""
    base: Mapping[str, BaseEffort] = field(default_factory=dict)
    """Of the models that it starts from, where these are trained first."""
    weights: Weights = "tokens"
    voice: CodecEffort | None = None
    """Of the codec, where it is trained; else it has random weights."""

    def work(self, name: str, steps: int | None = None) -> Work:
        """`steps`: in place of the size's own."""
        effort = self.efforts[name]
        return Work(STAGES[name], effort if steps is None else replace(effort, steps=steps))


def _tiny() -> NexusConfig:
    """The tiny size with windows of 5 s, which an utterance of the mini world fits into or takes two of."""
    config = NexusConfig.tiny()
    return replace(config, audio=AudioConfig(**{**vars(config.audio), "max_source_positions": 250}))


_PIXELS = 224 * 224
MINI = NexusConfig(
    language=LanguageConfig(
        hidden_size=192, intermediate_size=512, num_hidden_layers=5, num_attention_heads=3, num_key_value_heads=1,
        vocab_size=3328, mrope_section=(8, 12, 12), max_position_embeddings=4096,
    ),
    vision=VisionConfig(
        hidden_size=144, intermediate_size=384, depth=5, num_heads=3, patch_size=16, window_size=224,
        fullatt_block_indexes=(1, 2, 3, 4),
    ),
    pictures=PictureConfig(_PIXELS, _PIXELS, video_min_pixels=_PIXELS, video_max_pixels=_PIXELS, max_frames=16),
    audio=AudioConfig(
        d_model=144, encoder_layers=5, encoder_attention_heads=3, encoder_ffn_dim=576, num_mel_bins=80,
        max_source_positions=200,
    ),
    speech=SpeechConfig(
        layers=4, num_attention_heads=4, num_key_value_heads=2, intermediate_size=256, rope_theta=1e4,
    ),
    choices=Choices(adapter_hidden=256, decoder_width=112),
)  # fmt: skip
"""Language model and vocabulary as large as those of vita15-mini; a picture of 224 pixels gives 7 by 7 tokens."""

SMALL_FIREFLY = FireflyConfig(
    MelConfig(sample_rate=16_000, mels=80, fft=1024, hop=256, window=1024),
    BackboneConfig(depths=(1, 1, 2), widths=(48, 64, 96), kernel=7),
    HeadConfig(
        width=128, rates=(4, 4, 4, 4), up_kernels=(8, 8, 8, 8), kernels=(3, 7), dilations=((1, 3), (1, 3)),
        pre_kernel=5, post_kernel=7,
    ),
    QuantizerConfig(groups=8, levels=(8, 5, 5, 5), factors=(2, 2)),
)  # fmt: skip
"""At 16 kHz, with fewer frames of codes, 15.6 a second, in as many streams of as many codes."""

TUNED: Mapping[Kind, float] = {"spoken question": 0.45, "transcript": 0.35, "translation": 0.2}
"""The published data are 85 % spoken questions; so few steps would not keep transcripts."""

SPOKEN: Mapping[Kind, float] = {"reading": 0.7, "spoken answer": 0.3}
"""Published are 180 readings for each spoken answer, which would leave a few steps for these."""

SIZES: Mapping[str, Size] = {
    "tiny": Size(
        _tiny(),
        FireflyConfig.tiny(),
        byte_tokenizer,
        {"1": Effort(3e-3, 20, 4), "2": Effort(3e-3, 20, 4), "3": Effort(3e-3, 20, 4)},
        replies=12,
        words="random weights, a token a byte, windows of 5 s",
    ),
    "mini": Size(
        MINI,
        SMALL_FIREFLY,
        nexus_tokenizer,
        {"1": Effort(1e-3, 1200, 12), "2": Effort(1e-4, 400, 16, TUNED), "3": Effort(2e-3, 4500, 16, SPOKEN)},
        replies=4000,
        words="vita15-mini's language model, a small vision tower and speech encoder, windows of 4 s",
        base={"seeing": BaseEffort(1300, 16), "hearing": BaseEffort(4000, 24), "looking": BaseEffort(800, 24)},
        weights="grounded",
        voice=CodecEffort(steps=1800, batch=6, readings=1500, held_out=100),
    ),
}
