"""Where the speech tokenizer and the speech decoder are, which VITA-Audio's releases leave to GLM-4-Voice's.

A model's folder may hold them as `glm-4-voice-tokenizer/` and `glm-4-voice-decoder/`; else they are looked for in the
hub's cache and on the hub.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from models.checkpoint_error import CheckpointError
from models.released import hub
from models.released.files import SINGLE
from models.released.single import state_file
from models.vita_audio.speech_checkpoint import (
    DECODER_REMEDY,
    DECODER_SETTINGS,
    TOKENIZER_REMEDY,
)

OWNER = "THUDM"


@dataclass(frozen=True)
class Part:
    """One of the two: the name of its folder, the patterns of what is needed of its release, and the files that make
    it, which raises CheckpointError where one is missing."""

    name: str
    patterns: tuple[str, ...]
    files: Callable[[Path], list[Path]]

    @property
    def release(self) -> hub.Release:
        way = f"put it into the model's folder, as {self.name}/ in --weights DIR"
        return hub.Release(f"{OWNER}/{self.name}", self.patterns, self.files, "vita15-mini", way)


def locate_part(model: Path, part: Part) -> hub.Source:
    """Where a part of the model in a folder is. Raises UsageError that says how else it can be given."""
    inside = model / part.name
    if inside.is_dir():
        return hub.Source(inside, str(inside), None)
    return hub.locate(part.release.id, part.release)


def tokenizer_files(folder: Path) -> list[Path]:
    """Settings and weights of a speech tokenizer."""
    if absent := [name for name in ("config.json", SINGLE) if not (folder / name).is_file()]:
        raise CheckpointError(f"{folder}: {', '.join(absent)} is missing\n{TOKENIZER_REMEDY}")
    return [folder / "config.json", folder / SINGLE]


def decoder_files(folder: Path) -> list[Path]:
    """Settings, as far as there are any, and weights of a speech decoder."""
    settings = [folder / name for name in DECODER_SETTINGS if (folder / name).is_file()]
    return [*settings[:1], *(state_file(folder, name, DECODER_REMEDY) for name in ("flow", "hift"))]


TOKENIZER = Part("glm-4-voice-tokenizer", ("config.json", SINGLE), tokenizer_files)
DECODER = Part("glm-4-voice-decoder", ("config.yaml", "flow.pt", "hift.pt"), decoder_files)
