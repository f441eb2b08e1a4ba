"""FireFly, the codec that NEXUS-O speaks through, is Fish-Speech's release (CC BY-NC-SA 4.0)."""

from __future__ import annotations

from pathlib import Path

from models.nexus_o.firefly_checkpoint import NAME, REMEDY, SIZES
from models.released.parts import Part
from models.released.single import state_file


def codec_files(folder: Path) -> list[Path]:
    """The codec's weights and the sizes that it states. Raises CheckpointError where the weights are not there."""
    stated = [folder / SIZES] if (folder / SIZES).exists() else []
    return [state_file(folder, NAME, REMEDY, ".pth"), *stated]


CODEC = Part("fishaudio/fish-speech-1.5", (f"{NAME}.*",), codec_files)
