"""`python -m models.vita_audio.sizes [--json]`: parameters of each part at published size, beside what the paper says.

Modules are made on the meta device, so this takes no memory. A prediction module is one layer, a projection of two
states to one and two norms; embedding, final norm and head are the language model's. The speech tokenizer and the
speech decoder are GLM-4-Voice's, counted without the codebook's moving averages and with weight norm fused.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, dataclass

import torch
from torch import nn

from models.vita_audio.config import MtpConfig
from models.vita_audio.decoder_config import FlowConfig, VocoderConfig
from models.vita_audio.hearing import Hearing
from models.vita_audio.language import MtpModel
from models.vita_audio.sensevoice_config import FrontEndConfig, SenseVoiceConfig
from models.vita_audio.sensevoice_features import Cmvn, FrontEnd
from models.vita_audio.speech_checkpoint import parameter_counts
from models.vita_audio.speech_tokenizer import TokenizerConfig


@dataclass(frozen=True)
class Size:
    part: str
    parameters: int
    paper: str = ""


def sizes() -> list[Size]:
    """Every part of the published models and its number of parameters."""
    config, front = MtpConfig.published(), FrontEndConfig()
    with torch.device("meta"):
        model, vanilla = MtpModel(config), MtpModel(MtpConfig.published(modules=0))
        hearing = Hearing(SenseVoiceConfig.published(), config.hidden_size, FrontEnd(front, Cmvn.none(front.width)))
    speech = parameter_counts(TokenizerConfig.published(), FlowConfig.published(), VocoderConfig.published())
    return [
        Size("language model", _count(vanilla), "7 B"),
        Size("one prediction module", _module(model)),
        Size("ten prediction modules", config.modules * _module(model)),
        Size("language model with ten modules (Boost, Balance)", _count(model)),
        Size("hearing, Plus: SenseVoiceSmall", _count(hearing.audio_model)),
        Size("hearing, Plus: projector", _count(hearing.audio_projection)),
        Size("speech tokenizer", speech.tokenizer),
        Size("speech decoder, flow", speech.flow),
        Size("speech decoder, vocoder", speech.vocoder),
    ]


def _module(model: MtpModel) -> int:
    parts = model.mtp_projs[0], model.mtp_embed_norms[0], model.mtp_hidden_norms[0]
    return _count(*parts, model.model.layers[model.config.llm_layers])


def _count(*modules: nn.Module) -> int:
    return sum(p.numel() for module in modules for p in module.parameters())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    found = sizes()
    if parser.parse_args().json:
        print(json.dumps([asdict(size) for size in found], indent=1))
        return
    print(f"{'part':50}{'parameters':>15}  paper")
    for size in found:
        print(f"{size.part:50}{size.parameters:>15,}  {size.paper}".rstrip())


if __name__ == "__main__":
    main()
