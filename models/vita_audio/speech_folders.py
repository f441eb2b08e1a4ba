"""The speech tokenizer and the speech decoder, which VITA-Audio's releases leave to GLM-4-Voice's."""

from __future__ import annotations

from pathlib import Path

from models.checkpoint_error import CheckpointError
from models.released.files import SINGLE
from models.released.parts import Part
from models.released.single import state_file
from models.vita_audio.speech_checkpoint import DECODER_REMEDY, DECODER_SETTINGS, TOKENIZER_REMEDY


def tokenizer_files(folder: Path) -> list[Path]:
    """Settings and weights of a speech tokenizer."""
    if absent := [name for name in ("config.json", SINGLE) if not (folder / name).is_file()]:
        raise CheckpointError(f"{folder}: {', '.join(absent)} is missing\n{TOKENIZER_REMEDY}")
    return [folder / "config.json", folder / SINGLE]


def decoder_files(folder: Path) -> list[Path]:
    """Settings, as far as there are any, and weights of a speech decoder."""
    settings = [folder / name for name in DECODER_SETTINGS if (folder / name).is_file()]
    return [*settings[:1], *(state_file(folder, name, DECODER_REMEDY) for name in ("flow", "hift"))]


TOKENIZER = Part("THUDM/glm-4-voice-tokenizer", ("config.json", SINGLE), tokenizer_files)
DECODER = Part("THUDM/glm-4-voice-decoder", ("config.yaml", "flow.pt", "hift.pt"), decoder_files)
