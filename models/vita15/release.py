"""VITA-1.5 on the hub: what of the release is needed."""

from __future__ import annotations

from pathlib import Path

from models.released.files import INDEX, SINGLE, weight_files
from models.released.hub import Release
from models.released.identity import CARD
from models.vita15.settings import REMEDY

FILES = (
    "config.json", "origin_config.json", "generation_config.json", CARD, SINGLE, INDEX, "model-*.safetensors",
    "tokenizer.json", "tokenizer_config.json", "vocab.json", "merges.txt", "audio-encoder*/train.yaml",
    "vita_tts_ckpt/*/model.json", "vita_tts_ckpt/*/final.pt", "vita_tts_ckpt/*/model.safetensors",
)  # fmt: skip
"""The rest (the audio encoder's own copy) is not fetched."""


def _check(folder: Path) -> None:
    weight_files(folder, REMEDY)


RELEASE = Release("VITA-MLLM/VITA-1.5", FILES, _check)
