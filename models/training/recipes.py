"""VITA-1.5's training stages as one table, and the sizes at which they are run.

What is trained, the loss and the data follow the VITA-1.5 paper, section 3.3 and table 1 (spec section 6). Where a
mini model has to leave the paper, the stage says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from models.training.making import Kind
from models.vita15.config import AudioConfig, LanguageConfig, VisionConfig, Vita15Config

VISION = "model.vision_tower."
PROJECTOR = "model.mm_projector."
ENCODER = "model.audio_encoder.encoder."
ADAPTER = ("model.audio_encoder.adpter.", "model.audio_encoder.prompt_embeddings.")
EMBEDDINGS = "model.embed_tokens."
LANGUAGE = ("model.layers.", "model.norm.", "lm_head.")
"""All but the words' embeddings. Those stay: pictures and speech are named by them, the speech decoder says them."""
TOWER_LAYERS, LANGUAGE_LAYERS = "model.vision_tower.vision_tower.encoder.", "model.layers."
"""What the stages after the paper's move: neither how words, pictures and speech are put in, nor how words come out."""
CTC_HEAD = "ctc_head."


@dataclass(frozen=True)
class Stage:
    name: str
    title: str
    after: tuple[str, ...]
    """Stages it starts from: all weights of the first, and what each further one has trained. None: random weights."""
    trainable: tuple[str, ...]
    """Prefixes of parameter names; all else is frozen."""
    shares: Mapping[Kind, float]
    """Parts of a batch, by kind of example."""
    learning_rate: float
    loss: Literal["lm", "ctc", "naming", "spectra", "codes"] = "lm"
    language_rate: float = 1.0
    """Of the learning rate, for the language model."""


STAGES: Mapping[str, Stage] = {
    stage.name: stage
    for stage in (
        # The paper starts from Qwen2.5-7B and InternViT-300M. There is no such thing at this size: the language model
        # first learns the world's words here, and the vision tower to name what is where by them.
        Stage(
            "0",
            "language model",
            (),
            LANGUAGE,
            {
                "drill": 0.08,
                "quiz": 0.16,
                "imagined": 0.1,
                "sketch": 0.42,
                "storyboard": 0.06,
                "text": 0.02,
                "sentence": 0.02,
                "fact": 0.06,
                "translation": 0.08,
                "reading": 0.04,
            },
            1e-3,
        ),
        Stage("0v", "vision tower", (), (VISION, PROJECTOR), {"collage": 0.4, "gallery": 0.6}, 1e-3, "naming"),
        Stage("1.1", "vision alignment", ("0", "0v"), (PROJECTOR,), {"caption": 1}, 1e-3),
        Stage(
            "1.2",
            "vision understanding",
            ("1.1",),
            (VISION, PROJECTOR, *LANGUAGE),
            {"caption": 1},
            7e-4,
            language_rate=0.15,
        ),
        # Text goes along, so that the language model does not forget how to compare, to copy and to translate.
        Stage(
            "1.3",
            "vision instruction tuning",
            ("1.2",),
            (VISION, PROJECTOR, *LANGUAGE),
            {
                "exercise": 0.4,
                "clip": 0.05,
                "question": 0.14,
                "caption": 0.02,
                "sketch": 0.12,
                "storyboard": 0.03,
                "quiz": 0.13,
                "drill": 0.03,
                "fact": 0.04,
                "translation": 0.05,
                "reading": 0.03,
                "sentence": 0.01,
            },
            7e-4,
        ),
        Stage("2.1a", "speech encoder", (), (ENCODER, CTC_HEAD), {"transcript": 1}, 1e-3, "ctc"),
        Stage("2.1b", "speech adapter", ("1.3", "2.1a"), ADAPTER, {"transcript": 1}, 1e-3),
        # The paper's data is a fifth of the questions, half of them spoken, and 4 % of the captions. The released model
        # answers speech and does not transcribe it; ours is to do both, so transcripts stay in, and fewer questions
        # are spoken.
        Stage(
            "2.2",
            "speech instruction tuning",
            ("2.1b",),
            (VISION, PROJECTOR, ENCODER, *ADAPTER, *LANGUAGE),
            {
                "exercise": 0.22,
                "clip": 0.03,
                "question": 0.22,
                "spoken question": 0.03,
                "sketch": 0.03,
                "quiz": 0.03,
                "transcript": 0.19,
                "spoken fact": 0.16,
                "spoken translation": 0.04,
                "translation": 0.02,
                "reading": 0.02,
                "noise": 0.01,
            },
            6e-4,
        ),
        # Speech output learns from readings, which are no conversations (`models.training.speech_out`).
        Stage("3.1", "codec", (), ("codec.",), {}, 1.5e-3, "spectra"),
        Stage("3.2", "speech decoders", ("2.2", "3.1"), ("decoder.",), {}, 1.5e-3, "codes"),
        # The paper ends here. What a small model is weak at is practised once more: to read, without the language
        # model; to look and to watch, in pictures of words and so without the tower; then both together. Words and
        # their output stay as they are, so that the speech decoders go on to fit.
        Stage(
            "4.1",
            "vision tower, further",
            ("2.2",),
            (TOWER_LAYERS,),
            {"page": 0.4, "collage": 0.2, "gallery": 0.4},
            8e-4,
            "naming",
        ),
        Stage(
            "4.2",
            "language model, further",
            ("2.2",),
            (LANGUAGE_LAYERS,),
            {
                "sketch": 0.5,
                "storyboard": 0.17,
                "quiz": 0.07,
                "drill": 0.07,
                "imagined": 0.04,
                "fact": 0.03,
                "translation": 0.04,
                "reading": 0.04,
                "sentence": 0.04,
            },
            1e-3,
        ),
        Stage(
            "4.3",
            "all together, further",
            ("4.1", "4.2"),
            (TOWER_LAYERS, LANGUAGE_LAYERS),
            {
                "exercise": 0.31,
                "clip": 0.12,
                "question": 0.12,
                "spoken question": 0.03,
                "sketch": 0.09,
                "storyboard": 0.03,
                "quiz": 0.03,
                "transcript": 0.11,
                "spoken fact": 0.06,
                "spoken translation": 0.06,
                "reading": 0.02,
                "noise": 0.02,
            },
            6e-4,
        ),
    )
}
SPEAKING: tuple[str, ...] = tuple(name for name, stage in STAGES.items() if stage.loss in ("spectra", "codes"))
"""The stages of speech output."""


class Effort(NamedTuple):
    steps: int
    batch: int


@dataclass(frozen=True)
class Size:
    """How large a model is, and how long each stage lasts. The vocabulary is as large as the tokenizer's."""

    config: Vita15Config
    utterances: int
    """Training utterances in each language."""
    efforts: Mapping[str, Effort]


MINI = Vita15Config(
    language=LanguageConfig(
        hidden_size=192,
        intermediate_size=512,
        num_hidden_layers=5,
        num_attention_heads=3,
        num_key_value_heads=1,
        max_position_embeddings=4096,
    ),
    vision=VisionConfig(
        hidden_size=160,
        intermediate_size=640,
        num_hidden_layers=6,
        num_attention_heads=2,
        image_size=224,
        patch_size=16,
    ),
    audio=AudioConfig(
        hidden_size=144,
        num_attention_heads=4,
        intermediate_size=576,
        num_hidden_layers=5,
        chunk_size=8,
        left_chunks=1,
        num_prompt_embeddings=4,
    ),
    tokenizer_max_length=4096,
)

MINI_UTTERANCES = 14_000

SIZES: Mapping[str, Size] = {
    "mini": Size(
        MINI,
        utterances=MINI_UTTERANCES,
        efforts={
            "0": Effort(4500, 20),
            "0v": Effort(5000, 16),
            "1.1": Effort(80, 8),
            "1.2": Effort(240, 8),
            "1.3": Effort(900, 24),
            "2.1a": Effort(3000, 10),
            "2.1b": Effort(300, 12),
            "2.2": Effort(720, 32),
            "3.1": Effort(2800, 8),
            "3.2": Effort(5000, 16),
            "4.1": Effort(3200, 16),
            "4.2": Effort(800, 28),
            "4.3": Effort(900, 32),
        },
    ),
    "tiny": Size(
        Vita15Config.tiny(), utterances=48, efforts=dict.fromkeys(STAGES, Effort(2, 12)) | {"3.1": Effort(8, 4)}
    ),
}
