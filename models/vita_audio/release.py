"""VITA-Audio on the hub: the released models and what of them is needed."""

from __future__ import annotations

from models.released.files import INDEX, SINGLE
from models.released.hub import Release
from models.released.identity import CARD
from models.vita_audio.checkpoint import content_files

FILES = (
    "config.json", "generation_config.json", CARD, SINGLE, INDEX, "model-*.safetensors",
    "tokenizer.json", "tokenizer_config.json", "vocab.json", "merges.txt", "config.yaml", "am.mvn",
)  # fmt: skip
NAMES = ("VITA-Audio-Boost", "VITA-Audio-Balance", "VITA-Audio-Plus-Vanilla", "VITA-Audio-Plus-Boost")
RELEASES = {release.id: release for release in (Release(f"VITA-MLLM/{name}", FILES, content_files) for name in NAMES)}
"""Hub id -> release."""
