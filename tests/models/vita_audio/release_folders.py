"""Folders in the released layout with random weights: a model, and beside it the speech parts of the goldens."""

from __future__ import annotations

import shutil
from pathlib import Path

from models.generation import GenerationDefaults
from models.vita_audio.checkpoint import STOPS, save
from models.vita_audio.config import MtpConfig
from models.vita_audio.hearing import Hearing
from models.vita_audio.language import build
from models.vita_audio.schedule import BOOST, VANILLA
from models.vita_audio.speech_folders import DECODER, TOKENIZER
from models.vita_audio.tokens import tiny_tokenizer

GOLDENS = Path(__file__).parents[2] / "goldens" / "vita_audio"
PARTS = {
    TOKENIZER: {
        "glm_tokenizer_config.json": "config.json",
        "glm_tokenizer_model.safetensors": "model.safetensors",
    },
    DECODER: {
        "decoder_config.json": "decoder_config.json",
        "flow_model.safetensors": "flow.safetensors",
        "hift_model.safetensors": "hift.safetensors",
    },
}
"""Part -> name among the goldens -> name in a release."""


def write_release(folder: Path, plus: bool = False, modules: int = 3, codes: int = 64, padding: int = 0) -> Path:
    """A whole release; the speech parts of the goldens have 64 codes. `padding` rows of the vocabulary are no token."""
    tokenizer = tiny_tokenizer(plus, codes)
    config = MtpConfig.tiny(len(tokenizer) + padding, modules)
    hearing = Hearing.tiny(config.hidden_size) if plus else None
    model = build(config, seed=5, hearing=None if hearing is None else hearing.parts())
    generation = GenerationDefaults(tuple(tokenizer.id_of(mark) for mark in STOPS), 1.05)
    save(model, tokenizer, folder, BOOST if modules else VANILLA, generation, hearing)
    for part, files in PARTS.items():
        (folder / part.name).mkdir()
        for source, target in files.items():
            shutil.copyfile(GOLDENS / source, folder / part.name / target)
    return folder
