"""`python -m models.vita15.sizes [--json]`: parameters of each part at published size, beside what the paper says.

Modules are made on the meta device, so this takes no memory. The differences: the paper speaks of 4 NAR layers, the
released code makes half as many as there are AR layers, 2; the optional prefix layers are in the code and not used.
The paper's figure for the speech encoder leaves its adapter out.
"""

from __future__ import annotations

from dataclasses import replace

import torch

from models.counting import Size, command, count
from models.vita15.config import Vita15Config
from models.vita15.omni import Vita15
from models.vita15.speech_checkpoint import parameter_counts
from models.vita15.speech_config import CodecConfig, SpeechDecoderConfig


def sizes() -> list[Size]:
    """Every part of the published model and its number of parameters."""
    with torch.device("meta"):
        model = Vita15(Vita15Config.published())
    audio = model.model.audio_encoder
    language = (model.model.embed_tokens, model.model.layers, model.model.norm, model.lm_head)
    published, codec = SpeechDecoderConfig.published(), CodecConfig.published()
    speech = parameter_counts(published, codec)
    four_nar = parameter_counts(replace(published, nar_layers=4), codec).decoder
    with_prefix = parameter_counts(replace(published, prefix_layers=published.ar_layers), codec).decoder
    return [
        Size("vision tower", count(model.model.vision_tower), "about 300 M (InternViT-300M)"),
        Size("vision projector", count(model.model.mm_projector)),
        Size("speech encoder", count(audio.encoder), "about 350 M"),
        Size("speech adapter", count(audio.adpter)),
        Size("language model", count(*language), "7 B"),
        Size("understanding, all", count(model)),
        Size("speech decoder, NAR", speech.nar),
        Size("speech decoder, AR", speech.ar),
        Size("speech decoder, all", speech.decoder, "about 120 M"),
        Size("speech decoder with 4 NAR layers", four_nar),
        Size("speech decoder with prefix layers", with_prefix),
        Size("codec", speech.codec),
    ]


if __name__ == "__main__":
    command(__doc__, sizes)
