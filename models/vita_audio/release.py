"""VITA-Audio on the hub: the released models by their names here, and what of them is needed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from models.released import hub
from models.released.files import INDEX, SINGLE
from models.released.identity import CARD
from models.vita_audio.checkpoint import content_files
from models.vita_audio.speech_folders import DECODER, TOKENIZER

FILES = (
    "config.json", "generation_config.json", CARD, SINGLE, INDEX, "model-*.safetensors",
    "tokenizer.json", "tokenizer_config.json", "vocab.json", "merges.txt", "config.yaml", "am.mvn",
)  # fmt: skip


class Release(NamedTuple):
    """Weights as they were published; Plus hears through an encoder of its own."""

    on_hub: hub.Release
    plus: bool


def _release(name: str, plus: bool) -> Release:
    return Release(hub.Release(f"VITA-MLLM/{name}", FILES, content_files), plus)


RELEASES: Mapping[str, Release] = {
    "vita-audio-boost": _release("VITA-Audio-Boost", plus=False),
    "vita-audio-balance": _release("VITA-Audio-Balance", plus=False),
    "vita-audio-plus-vanilla": _release("VITA-Audio-Plus-Vanilla", plus=True),
    "vita-audio-plus-boost": _release("VITA-Audio-Plus-Boost", plus=True),
}


def needs_of(name: str) -> hub.Needs:
    """What a released model says that it needs: GLM-4-Voice's tokenizer unless it hears by itself, and its decoder."""
    on_hub, plus = RELEASES[name]
    return hub.needing(on_hub, *([] if plus else [TOKENIZER.release]), speaks_by=DECODER.release)
