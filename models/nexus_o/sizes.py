"""`python -m models.nexus_o.sizes [--json]`: parameters of each part at published size, beside what is published.

Modules are made on the meta device, so this takes no memory. The width of the speech decoder is not published: both
that the choice `decoder_width` names are counted.
"""

from __future__ import annotations

from dataclasses import replace

import torch

from models.counting import Size, command, count
from models.nexus_o import decoder_checkpoint, firefly_checkpoint
from models.nexus_o.config import NexusConfig
from models.nexus_o.decoder_config import DecoderConfig
from models.nexus_o.firefly_config import FireflyConfig
from models.nexus_o.omni import Nexus

SMALL = 1024
"""The other width of the speech decoder."""


def sizes() -> list[Size]:
    """Every part of the published model and its number of parameters."""
    config = NexusConfig.published()
    small = replace(config, choices=replace(config.choices, decoder_width=SMALL))
    with torch.device("meta"):
        model = Nexus(config)
    parts = model.model
    vision, language = count(parts.visual), count(parts.language_model, model.lm_head)
    decoder, narrow = (decoder_checkpoint.parameter_counts(DecoderConfig.of(one)) for one in (config, small))
    return [
        Size("vision tower with its merger", vision),
        Size("language model", language, "7 B"),
        Size("backbone", vision + language, "7 B (Qwen2.5-VL-7B)"),
        Size("speech encoder", count(parts.audio_tower), "Whisper-large-v3's encoder"),
        Size("audio adapter", count(parts.audio_adapter)),
        Size("understanding, all", count(model)),
        Size("speech decoder, blocks", decoder.blocks, "6 layers"),
        Size("speech decoder, all", decoder.whole),
        Size(f"speech decoder with decoder_width={SMALL}", narrow.whole),
        Size("codec (FireFly)", sum(firefly_checkpoint.parameter_counts(FireflyConfig.published())), "47 M"),
    ]


if __name__ == "__main__":
    command(__doc__, sizes)
