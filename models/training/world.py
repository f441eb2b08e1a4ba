"""Examples of the mini world by their kinds. Each depends on the seed, its kind and its number only."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from models.text.tokenizer import QwenTokenizer
from models.training.corpus import Clip
from models.training.examples import CLIP, PICTURE, user
from models.training.making import Kind, Make
from models.training.picturing import Picturing
from models.training.readers import VitaReader
from models.training.talking import Talking
from models.training.texts import known_words
from models.training.tokenizer import closed_tokenizer
from models.training.writing import Writing
from models.vita15.config import Vita15Config
from models.vita15.prompts import SYSTEM, system_prompt
from tasks.mini.training import STANDING


def world_tokenizer() -> QwenTokenizer:
    """The tokenizer of the mini world; the same whatever the seed of a training."""
    seeing = [system_prompt([user(medium)]).removeprefix(SYSTEM) for medium in (PICTURE, CLIP)]
    return closed_tokenizer(known_words(), [SYSTEM, *seeing, *(part.strip("\n") for part in STANDING if part)])


class World:
    """Makes examples for a model of `config`.

    `utterances` in each language and a quarter as many spoken questions are made, once, below `cache`. A share of them
    is kept from training; `held_out` is the world of those, and of pictures never trained on.
    """

    def __init__(
        self,
        config: Vita15Config,
        tokenizer: QwenTokenizer,
        seed: int,
        utterances: int,
        cache: Path,
        held_out: bool = False,
    ) -> None:
        reader = VitaReader(config, tokenizer)
        self.writing = Writing(reader, seed, held_out)
        self.picturing = Picturing(reader, seed, held_out)
        self.talking = Talking(self.picturing, utterances, cache)
        self.kinds: Mapping[Kind, Make] = {**self.writing.kinds, **self.picturing.kinds, **self.talking.kinds}

    @property
    def speech(self) -> list[Clip]:
        """English and Mandarin utterances, from the shortest to the longest."""
        return self.talking.speech
