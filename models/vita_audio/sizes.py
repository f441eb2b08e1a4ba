"""`python -m models.vita_audio.sizes [--json]`: parameters of each part at published size, beside what the paper says.

Modules are made on the meta device, so this takes no memory. A prediction module is one layer, a projection of two
states to one and two norms; embedding, final norm and head are the language model's. The speech tokenizer and the
speech decoder are GLM-4-Voice's, counted without the codebook's moving averages and with weight norm fused.
"""

from __future__ import annotations

import torch

from models.counting import Size, command, count
from models.vita_audio.config import MtpConfig
from models.vita_audio.decoder_config import FlowConfig, VocoderConfig
from models.vita_audio.hearing import Hearing
from models.vita_audio.language import MtpModel
from models.vita_audio.sensevoice_config import FrontEndConfig, SenseVoiceConfig
from models.vita_audio.sensevoice_features import Cmvn, FrontEnd
from models.vita_audio.speech_checkpoint import parameter_counts
from models.vita_audio.speech_tokenizer import TokenizerConfig


def sizes() -> list[Size]:
    """Every part of the published models and its number of parameters."""
    config, front = MtpConfig.published(), FrontEndConfig()
    with torch.device("meta"):
        model, vanilla = MtpModel(config), MtpModel(MtpConfig.published(modules=0))
        hearing = Hearing(SenseVoiceConfig.published(), config.hidden_size, FrontEnd(front, Cmvn.none(front.width)))
    speech = parameter_counts(TokenizerConfig.published(), FlowConfig.published(), VocoderConfig.published())
    return [
        Size("language model", count(vanilla), "7 B"),
        Size("one prediction module", _module(model)),
        Size("ten prediction modules", config.modules * _module(model)),
        Size("language model with ten modules (Boost, Balance)", count(model)),
        Size("hearing, Plus: SenseVoiceSmall", count(hearing.audio_model)),
        Size("hearing, Plus: projector", count(hearing.audio_projection)),
        Size("speech tokenizer", speech.tokenizer),
        Size("speech decoder, flow", speech.flow),
        Size("speech decoder, vocoder", speech.vocoder),
    ]


def _module(model: MtpModel) -> int:
    parts = model.mtp_projs[0], model.mtp_embed_norms[0], model.mtp_hidden_norms[0]
    return count(*parts, model.model.layers[model.config.llm_layers])


if __name__ == "__main__":
    command(__doc__, sizes)
