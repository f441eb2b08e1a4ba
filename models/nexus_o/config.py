"""Sizes and settings of NEXUS-O.

The defaults are those of the base models that its card names, Qwen2.5-VL-7B-Instruct and Whisper-large-v3 (spec
sections 1.1 and 1.2); what is not published stands in `choices`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from models.nexus_o.choices import MOST, Choices
from models.released.network import check_network, check_stated

ACTIVATION = "activation_function"
STACK = 5
"""Frames of the speech encoder that one audio token stands for."""

_SILENT = ("max_position_embeddings", "rope_theta", "vocab_size")
"""Of the language model, what a file may be silent about."""


@dataclass(frozen=True)
class LanguageConfig:
    """Qwen2.5-7B with positions on three axes; `mrope_section` are the frequencies of time, height and width."""

    hidden_size: int = 3584
    intermediate_size: int = 18944
    num_hidden_layers: int = 28
    num_attention_heads: int = 28
    num_key_value_heads: int = 4
    vocab_size: int = 152064
    rope_theta: float = 1e6
    mrope_section: tuple[int, int, int] = (16, 24, 24)
    rms_norm_eps: float = 1e-6
    max_position_embeddings: int = 128000

    def __post_init__(self) -> None:
        _multiple("hidden_size", self.hidden_size, "num_attention_heads", self.num_attention_heads)
        _multiple("num_attention_heads", self.num_attention_heads, "num_key_value_heads", self.num_key_value_heads)
        half = self.hidden_size // self.num_attention_heads / 2
        if sum(self.mrope_section) != half:
            raise ValueError(f"mrope_section {list(self.mrope_section)} must sum to half a head's width, {half:g}")


@dataclass(frozen=True)
class VisionConfig:
    """Qwen2.5-VL's tower. `window_size` is in pixels, `tokens_per_second` spaces a video's frames on the time axis."""

    hidden_size: int = 1280
    intermediate_size: int = 3420
    depth: int = 32
    num_heads: int = 16
    patch_size: int = 14
    temporal_patch_size: int = 2
    spatial_merge_size: int = 2
    window_size: int = 112
    fullatt_block_indexes: tuple[int, ...] = (7, 15, 23, 31)
    tokens_per_second: int = 2

    def __post_init__(self) -> None:
        _multiple("vision_config.hidden_size", self.hidden_size, "num_heads", self.num_heads)
        _multiple("vision_config.window_size", self.window_size, "a token's side in pixels", self.factor)

    @property
    def factor(self) -> int:
        """Pixels on the side of what becomes one token; pictures are brought to multiples of it."""
        return self.patch_size * self.spatial_merge_size

    @property
    def merged(self) -> int:
        """Patches that become one token."""
        return self.spatial_merge_size**2


@dataclass(frozen=True)
class PictureConfig:
    """How pictures are brought to size, in pixels of a picture or frame.

    The image's limits are of the release's preprocessor_config.json. It says nothing of videos: theirs are what
    Qwen2.5-VL's own tools (qwen-vl-utils) use, which sample `video_fps` frames a second.
    """

    min_pixels: int = 56 * 56
    max_pixels: int = 12845056
    video_min_pixels: int = 128 * 28 * 28
    video_max_pixels: int = 768 * 28 * 28
    video_total_pixels: int = 128000 * 28 * 28 * 9 // 10
    """Of two frames, which become one layer of tokens, as often as the video has them."""
    video_fps: float = 2.0
    min_frames: int = 4
    max_frames: int = 768

    def __post_init__(self) -> None:
        for low, high in (("min_pixels", "max_pixels"), ("min_frames", "max_frames")):
            if not 0 < getattr(self, low) <= getattr(self, high):
                raise ValueError(
                    f"{low} {getattr(self, low)} and {high} {getattr(self, high)}: expected 0 < min <= max"
                )


@dataclass(frozen=True)
class AudioConfig:
    """Whisper-large-v3's encoder: `max_source_positions` frames of 20 ms make a window."""

    d_model: int = 1280
    encoder_layers: int = 32
    encoder_attention_heads: int = 20
    encoder_ffn_dim: int = 5120
    num_mel_bins: int = 128
    max_source_positions: int = 1500

    def __post_init__(self) -> None:
        _multiple("audio_config.d_model", self.d_model, "encoder_attention_heads", self.encoder_attention_heads)
        if self.d_model % 2:
            raise ValueError(f"audio_config.d_model {self.d_model} must be even for the sinusoid positions")


@dataclass(frozen=True)
class SpeechConfig:
    """The autoregressive decoder of speech codes, in Qwen2's blocks; its width is the choice `decoder_width`.

    Sizes that are not given follow from the width as in Qwen2.5-7B (`decoder_config`).
    """

    codebook_size: int = 1024
    streams: int = 8
    layers: int = 6
    num_attention_heads: int | None = None
    num_key_value_heads: int | None = None
    intermediate_size: int | None = None
    rope_theta: float = 1e6
    rms_norm_eps: float = 1e-6


@dataclass(frozen=True)
class NexusConfig:
    language: LanguageConfig = field(default_factory=LanguageConfig)
    vision: VisionConfig = field(default_factory=VisionConfig)
    pictures: PictureConfig = field(default_factory=PictureConfig)
    audio: AudioConfig = field(default_factory=AudioConfig)
    speech: SpeechConfig = field(default_factory=SpeechConfig)
    choices: Choices = field(default_factory=Choices)

    @classmethod
    def published(cls) -> NexusConfig:
        """The released size."""
        return cls()

    @classmethod
    def tiny(cls) -> NexusConfig:
        """For tests, with every mechanism; the vocabulary holds 256 bytes, 22 specials and some unused rows."""
        return cls(
            language=LanguageConfig(
                hidden_size=64,
                intermediate_size=96,
                num_hidden_layers=2,
                num_attention_heads=4,
                num_key_value_heads=2,
                vocab_size=320,
                mrope_section=(2, 3, 3),
                max_position_embeddings=16384,
            ),
            vision=VisionConfig(
                hidden_size=32, intermediate_size=48, depth=3, num_heads=2, window_size=56, fullatt_block_indexes=(1,)
            ),
            pictures=PictureConfig(max_pixels=100 * 784, video_min_pixels=4 * 784, video_max_pixels=16 * 784),
            audio=AudioConfig(
                d_model=32, encoder_layers=2, encoder_attention_heads=4, encoder_ffn_dim=48, num_mel_bins=16
            ),
            speech=SpeechConfig(layers=2, num_attention_heads=4, num_key_value_heads=2, intermediate_size=96),
            choices=Choices(adapter_hidden=48, audio_first_id=278, decoder_width=64),
        )

    @classmethod
    def from_json(cls, settings: Mapping[str, Any], vocabulary: int | None = None) -> NexusConfig:
        """From config.json's content: of transformers 4.50, where the language model's fields stand at the top, or of
        a later one, where they stand in `text_config`. `vocabulary` is the number of rows of the embeddings.

        transformers writes of a part only what differs from the defaults of its class, so that most of `vision_config`
        and `audio_config` may be absent: what is has the published value. Raises ValueError naming a field that is
        missing or out of range.
        """
        text = settings.get("text_config", settings)
        if not isinstance(text, Mapping):
            raise ValueError(f"text_config is {text!r}: expected an object")
        language = _part(LanguageConfig, _with_rope(text), "", absent=_SILENT)
        if vocabulary is not None:
            language = replace(language, vocab_size=vocabulary)
        if settings.get("tie_word_embeddings", text.get("tie_word_embeddings")):
            raise ValueError("tie_word_embeddings is true: NEXUS-O's output layer has weights of its own (lm_head)")
        check_network(text, language.hidden_size, language.num_attention_heads, rope=("mrope",))
        for section, name, built in (("vision_config", "hidden_act", "silu"), ("audio_config", ACTIVATION, "gelu")):
            if isinstance(part := settings.get(section), Mapping):
                check_stated(part, name, built, f"{section}.")
        return cls(
            language=language,
            vision=_part(VisionConfig, settings.get("vision_config"), "vision_config."),
            pictures=_part(PictureConfig, settings.get("picture_config", {}), "picture_config."),
            audio=_part(AudioConfig, settings.get("audio_config"), "audio_config."),
            speech=_part(SpeechConfig, settings.get("audio_decoder_config", {}), "audio_decoder_config."),
            choices=_choices(settings.get("choices", {})),
        )

    def to_json(self) -> dict[str, Any]:
        """As `from_json` reads it: the released fields, and of its own those that say what was chosen."""
        language = asdict(self.language)
        section = language.pop("mrope_section")
        return {
            "architectures": ["HithinkOmniForConditionalGeneration"],
            "model_type": "hithink_omni",
            **language,
            "rope_scaling": {"type": "mrope", "mrope_section": list(section)},
            "tie_word_embeddings": False,
            "hidden_act": "silu",
            "vision_config": {**asdict(self.vision), "model_type": "qwen2_5_vl"},
            "picture_config": asdict(self.pictures),
            "audio_config": {**asdict(self.audio), "model_type": "hithink_audio_encoder"},
            "audio_decoder_config": asdict(self.speech),
            "choices": self.choices.stated(),
        }


def _with_rope(text: Mapping[str, Any]) -> dict[str, Any]:
    """The language model's fields with the rotary ones, which stand in an object of their own, beside them."""
    found = dict(text)
    for name in ("rope_scaling", "rope_parameters"):
        if isinstance(nested := text.get(name), Mapping):
            found |= {key: nested[key] for key in ("mrope_section", "rope_theta") if key in nested}
    return found


def _choices(stated: Any) -> Choices:
    if not isinstance(stated, Mapping):
        raise ValueError(f"choices is {stated!r}: expected an object")
    if unknown := sorted(set(stated) - {part.name for part in fields(Choices)}):
        raise ValueError(f"choices.{unknown[0]}: there is no such choice")
    return Choices(**stated)


def _part(kind: type[Any], given: Any, prefix: str, absent: tuple[str, ...] | None = None) -> Any:
    """One of the dataclasses from an object; the fields `absent` (None: all) keep their default where it is silent."""
    if not isinstance(given, Mapping):
        raise ValueError(f"{prefix.rstrip('.')} is {'missing' if given is None else repr(given)}: expected an object")
    found = {}
    for part in fields(kind):
        value = given.get(part.name)
        if value is None:
            if absent is None or part.name in absent:
                continue
            raise ValueError(f"{prefix}{part.name} is missing")
        found[part.name] = _value(prefix + part.name, value, part.default)
    return kind(**found)


def _value(name: str, value: Any, default: Any) -> Any:
    if isinstance(default, tuple):
        if not isinstance(value, (list, tuple)):
            raise ValueError(f"{name} is {value!r}: expected a list of whole numbers")
        return tuple(_number(name, one, least=0, real=False) for one in value)
    return _number(name, value, least=1, real=isinstance(default, float))


def _number(name: str, value: Any, least: int, real: bool) -> int | float:
    if isinstance(value, bool) or not isinstance(value, (int, float) if real else int):
        raise ValueError(f"{name} is {value!r}: expected a {'number' if real else 'whole number'}")
    if not (0 < value <= MOST if real else least <= value <= MOST):
        raise ValueError(f"{name} is {value!r}: expected {'more than 0' if real else f'{least} to {MOST}'}")
    return value


def _multiple(name: str, value: int, of: str, divisor: int) -> None:
    if divisor < 1 or value < 1 or value % divisor:
        raise ValueError(f"{name} {value} must be a multiple of {of} {divisor}")
