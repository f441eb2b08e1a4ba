"""What answers in text: the language model with its tokenizer, its ear and how it is decoded."""

from __future__ import annotations

from dataclasses import dataclass

from models.generation import GenerationDefaults
from models.text.tokenizer import QwenTokenizer
from models.vita_audio.ears import Ear
from models.vita_audio.language import MtpModel
from models.vita_audio.schedule import Mode
from models.vita_audio.tokens import SpecialTokens


@dataclass(frozen=True, eq=False)
class Answerer:
    """Raises ValueError where the mode asks for modules and there are none."""

    model: MtpModel
    tokenizer: QwenTokenizer
    tokens: SpecialTokens
    ear: Ear
    generation: GenerationDefaults
    mode: Mode

    def __post_init__(self) -> None:
        if self.mode.uses_modules and not self.model.config.modules:
            raise ValueError(
                f"mode {self.mode} needs prediction modules, and these weights have none: use mode vanilla"
            )
