"""The sizes at which VITA-Audio's stages are run, and where they leave the released recipe."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from models.text.tokenizer import QwenTokenizer
from models.training.codes.sizes import SPEECH_SIZES, SpeechSize
from models.training.codes.world import speaking_tokenizer
from models.training.mtp.stages import STAGES, Kind, Stage
from models.vita_audio.config import MtpConfig
from models.vita_audio.tokens import tiny_tokenizer


@dataclass(frozen=True)
class Size:
    """How large a model is, and where its stages leave the released recipe. The vocabulary is the tokenizer's."""

    config: MtpConfig
    """Of the whole model; each stage has its own number of modules."""
    tokenizer: Callable[[], QwenTokenizer]
    """With the tokens of speech."""
    changes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    speech: SpeechSize | None = None
    """Of what makes and says the codes; without, they are synthetic."""

    def stage(self, name: str) -> Stage:
        return replace(STAGES[name], **self.changes.get(name, {}))

    def config_of(self, stage: Stage, vocabulary: int) -> MtpConfig:
        layers = self.config.llm_layers + stage.modules
        return replace(
            self.config, num_hidden_layers=layers, num_nextn_predict_layers=stage.modules, vocab_size=vocabulary
        )


RANDOM = "random weights"
"""There is no Qwen2.5 of these sizes."""
MINI_SPEECH = SPEECH_SIZES["mini"]
LEARNT: Mapping[Kind, float] = {"transcript": 1.0, "text": 0.1, "reading": 1.0, "spoken question": 0.3}
TUNED: Mapping[Kind, float] = {"transcript": 1.0, "text": 0.1, "reading": 1.0, "spoken question": 0.5}
"""Spoken questions come in from the start, as there are few facts; and the last stage, after which the model is to
transcribe and read as before, has as much of these."""

PACKS: Mapping[str, Any] = {"length": 384, "accumulation": 2}
"""Short ones: attention within a pack is over all of it."""

SIZES: Mapping[str, Size] = {
    # So small a network takes larger steps.
    "tiny": Size(
        MtpConfig.tiny(vocab_size=8),
        tokenizer=partial(tiny_tokenizer, codes=256),
        changes={
            "1": {"learning_rate": 3e-3, "steps": 20, "length": 384, "accumulation": 2, "start": RANDOM},
            "2": {"learning_rate": 3e-3, "steps": 10, "length": 384, "accumulation": 2},
            "3": {"learning_rate": 3e-3, "steps": 20, "length": 384, "accumulation": 2},
            "4": {"learning_rate": 1e-3, "steps": 10, "length": 320, "accumulation": 2},
        },
    ),
    "mini": Size(
        MtpConfig(
            hidden_size=128, intermediate_size=256, num_hidden_layers=16, num_nextn_predict_layers=10,
            num_attention_heads=4, num_key_value_heads=1, vocab_size=8, max_position_embeddings=4096,
        ),
        tokenizer=partial(speaking_tokenizer, MINI_SPEECH.tokenizer.codes),
        changes={
            "1": {**PACKS, "learning_rate": 4e-3, "steps": 6000, "accumulation": 4, "shares": LEARNT, "start": RANDOM},
            "2": {**PACKS, "learning_rate": 3e-3, "steps": 2000, "shares": LEARNT},
            "3": {**PACKS, "learning_rate": 3e-3, "steps": 2500, "shares": LEARNT},
            "4": {**PACKS, "learning_rate": 1.2e-3, "steps": 5000, "shares": TUNED, "module_rate": 2.5},
        },
        speech=MINI_SPEECH,
    ),
}  # fmt: skip
