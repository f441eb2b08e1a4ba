"""FireFly, the codec that NEXUS-O speaks through, is Fish-Speech's release (CC BY-NC-SA 4.0)."""

from __future__ import annotations

from pathlib import Path

from models.nexus_o.firefly_checkpoint import NAME, REMEDY
from models.released.parts import Part
from models.released.single import state_file


def codec_files(folder: Path) -> list[Path]:
    """The codec's weights. Raises CheckpointError where they are not there."""
    return [state_file(folder, NAME, REMEDY, ".pth")]


CODEC = Part("fishaudio/fish-speech-1.5", (f"{NAME}.*",), codec_files)
