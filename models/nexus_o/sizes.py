"""`python -m models.nexus_o.sizes [--json]`: parameters of each part at published size, beside what is published.

Modules are made on the meta device, so this takes no memory. The speech decoder and the codec are not among them.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, dataclass

import torch
from torch import nn

from models.nexus_o.config import NexusConfig
from models.nexus_o.omni import Nexus


@dataclass(frozen=True)
class Size:
    part: str
    parameters: int
    published: str = ""


def sizes(config: NexusConfig | None = None) -> list[Size]:
    """Every part of the understanding model and its number of parameters."""
    with torch.device("meta"):
        model = Nexus(config or NexusConfig.published())
    parts = model.model
    vision, language = _count(parts.visual), _count(parts.language_model) + _count(model.lm_head)
    return [
        Size("vision tower with its merger", vision),
        Size("language model", language, "7 B"),
        Size("backbone", vision + language, "7 B (Qwen2.5-VL-7B)"),
        Size("speech encoder", _count(parts.audio_tower), "Whisper-large-v3's encoder"),
        Size("audio adapter", _count(parts.audio_adapter)),
        Size("understanding, all", _count(model)),
    ]


def _count(*modules: nn.Module) -> int:
    return sum(p.numel() for module in modules for p in module.parameters())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    found = sizes()
    if parser.parse_args().json:
        print(json.dumps([asdict(size) for size in found], indent=1))
        return
    print(f"{'part':46}{'parameters':>15}  published")
    for size in found:
        print(f"{size.part:46}{size.parameters:>15,}  {size.published}".rstrip())


if __name__ == "__main__":
    main()
