"""`python -m models.nexus_o.sizes [--json]`: parameters of each part at published size, beside what is published.

Modules are made on the meta device, so this takes no memory.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, dataclass, replace

import torch
from torch import nn

from models.nexus_o.config import NexusConfig
from models.nexus_o.decoder_checkpoint import parameter_counts
from models.nexus_o.decoder_config import DecoderConfig
from models.nexus_o.firefly_checkpoint import parameter_counts as codec_counts
from models.nexus_o.firefly_config import FireflyConfig
from models.nexus_o.omni import Nexus

SMALL_WIDTH = 1024
"""The alternative to a speech decoder as wide as the language model."""


@dataclass(frozen=True)
class Size:
    part: str
    parameters: int
    published: str = ""


def sizes(config: NexusConfig | None = None) -> list[Size]:
    """Every part and its number of parameters; the speech decoder's also at the smaller width."""
    config = config or NexusConfig.published()
    with torch.device("meta"):
        model = Nexus(config)
    parts = model.model
    vision, language = _count(parts.visual), _count(parts.language_model) + _count(model.lm_head)
    return [
        Size("vision tower with its merger", vision),
        Size("language model", language, "7 B"),
        Size("backbone", vision + language, "7 B (Qwen2.5-VL-7B)"),
        Size("speech encoder", _count(parts.audio_tower), "Whisper-large-v3's encoder"),
        Size("audio adapter", _count(parts.audio_adapter)),
        Size("understanding, all", _count(model)),
        *(size for width in (config.choices.decoder_width, SMALL_WIDTH) for size in _decoder_sizes(config, width)),
        Size("codec (FireFly)", sum(codec_counts(FireflyConfig.published()))),
    ]


def _decoder_sizes(config: NexusConfig, width: int) -> list[Size]:
    chosen = replace(config, choices=replace(config.choices, decoder_width=width))
    counts = parameter_counts(DecoderConfig.of(chosen))
    return [
        Size(f"speech decoder {width} wide, blocks", counts.blocks),
        Size(f"speech decoder {width} wide, all", counts.whole),
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
