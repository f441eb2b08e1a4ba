"""A model of VITA-Audio with everything that it needs to answer in text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from models.generation import GenerationDefaults
from models.released.settings import Stated
from models.text.tokenizer import QwenTokenizer
from models.vita_audio.ears import Ear
from models.vita_audio.language import MtpModel
from models.vita_audio.schedule import Mode
from models.vita_audio.tokens import SpecialTokens


@dataclass(frozen=True, eq=False)
class Loaded:
    """`settings` say where each came from; `told` is what has to be said of the weights."""

    model: MtpModel
    tokenizer: QwenTokenizer
    tokens: SpecialTokens
    ear: Ear
    generation: GenerationDefaults
    mode: Mode
    settings: Mapping[str, Stated] = field(default_factory=dict)
    told: tuple[str, ...] = ()
