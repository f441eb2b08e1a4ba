"""Reading the released speech tokenizer and speech decoder.

    tokenizer/config.json, model.safetensors
    decoder/flow.pt, hift.pt                 a state dict each; `.safetensors` is read first
    decoder/config.yaml                      sizes, as released; or decoder_config.json, or none: the published ones

Every tensor must be there, in its shape. Tensors that the models do not know are left out and told.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors.torch import save_file
from torch import Tensor

from models.checkpoint_error import CheckpointError
from models.nn.weight_norm import fuse_weight_norm, split_weight_norm
from models.released.files import SINGLE, write_json
from models.released.single import Loaded, fill, read_state, state_file
from models.vita_audio.decoder_config import FlowConfig, VocoderConfig
from models.vita_audio.decoder_yaml import read_decoder_yaml
from models.vita_audio.flow import Flow
from models.vita_audio.speech_tokenizer import SpeechTokenizer, TokenizerConfig
from models.vita_audio.vocoder import Vocoder

TOKENIZER_REMEDY = "Download glm-4-voice-tokenizer again, with config.json and model.safetensors."
DECODER_REMEDY = "Download glm-4-voice-decoder again, with config.yaml, flow.pt and hift.pt."
DECODER_SETTINGS = ("config.yaml", "decoder_config.json")
"""Of these the first that is there is read."""


class SpeechDecoder(NamedTuple):
    """`unknown` names the tensors that were left out."""

    flow: Flow
    vocoder: Vocoder
    unknown: tuple[str, ...]


class SpeechParameters(NamedTuple):
    """Parameter counts, without the codebook's moving averages."""

    tokenizer: int
    flow: int
    vocoder: int


def load_tokenizer(folder: Path, device: str = "cpu") -> Loaded[SpeechTokenizer]:
    """Load a tokenizer folder in fp32. Raises `CheckpointError` naming what is wrong and the remedy."""
    path = folder / "config.json"
    try:
        config = TokenizerConfig.from_json(_read_json(path))
    except (OSError, ValueError, RecursionError) as error:
        raise CheckpointError(f"{path}: {error}\n{TOKENIZER_REMEDY}") from error
    state = read_state(folder, "model", TOKENIZER_REMEDY)
    return build_tokenizer(config, state, state_file(folder, "model", TOKENIZER_REMEDY), device)


def load_decoder(folder: Path, device: str = "cpu") -> SpeechDecoder:
    """Load a decoder folder in fp32. Raises `CheckpointError` naming what is wrong and the remedy."""
    flow_config, vocoder_config = FlowConfig.published(), VocoderConfig.published()
    path = next((folder / name for name in DECODER_SETTINGS if (folder / name).exists()), None)
    if path is not None:
        try:
            data = read_decoder_yaml(path) if path.suffix == ".yaml" else _read_json(path)
            flow_config, vocoder_config = FlowConfig.from_json(data), VocoderConfig.from_json(data)
        except (OSError, ValueError, RecursionError) as error:
            raise CheckpointError(f"{path}: {error}\n{DECODER_REMEDY}") from error
    files = [state_file(folder, name, DECODER_REMEDY) for name in ("flow", "hift")]
    flow = build_flow(flow_config, read_state(folder, "flow", DECODER_REMEDY), files[0], device)
    vocoder = build_vocoder(vocoder_config, read_state(folder, "hift", DECODER_REMEDY), files[1], device)
    return SpeechDecoder(flow.model, vocoder.model, flow.unknown + vocoder.unknown)


def save_tokenizer(folder: Path, tokenizer: SpeechTokenizer, dtype: torch.dtype = torch.float32) -> None:
    """Write a tokenizer folder in the released layout."""
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "config.json", tokenizer.config.to_json())
    _write(folder / SINGLE, tokenizer.state_dict(), dtype)


def save_decoder(folder: Path, flow: Flow, vocoder: Vocoder, dtype: torch.dtype = torch.float32) -> None:
    """Write a decoder folder: settings as JSON, and weights as safetensors under the names of the release.

    The vocoder's convolutions are split into `weight_g` and `weight_v`, as they are there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / DECODER_SETTINGS[1], flow.config.to_json() | vocoder.config.to_json())
    _write(folder / "flow.safetensors", flow.state_dict(), dtype)
    _write(folder / "hift.safetensors", split_weight_norm(vocoder.state_dict(), _normed), dtype)


def _normed(name: str) -> bool:
    """HiFT's convolutions with weight norm: all but those of the source, and no layer of another kind."""
    return name.endswith(".weight") and not name.startswith(("m_source.", "source_downs.", "f0_predictor.classifier."))


def _write(path: Path, state: Mapping[str, Tensor], dtype: torch.dtype) -> None:
    save_file({name: tensor.detach().to(dtype).contiguous() for name, tensor in state.items()}, path)


def build_tokenizer(
    config: TokenizerConfig, state: Mapping[str, Tensor], source: Path, device: str = "cpu"
) -> Loaded[SpeechTokenizer]:
    """The tokenizer with the weights of `state`, which came from `source`."""
    with torch.device("meta"):
        model = SpeechTokenizer(config)
    return fill(model, state, source, TOKENIZER_REMEDY, device)


def build_flow(config: FlowConfig, state: Mapping[str, Tensor], source: Path, device: str = "cpu") -> Loaded[Flow]:
    """The flow with the weights of `state`, which came from `source`."""
    with torch.device("meta"):
        model = Flow(config)
    return fill(model, state, source, DECODER_REMEDY, device)


def build_vocoder(
    config: VocoderConfig, state: Mapping[str, Tensor], source: Path, device: str = "cpu"
) -> Loaded[Vocoder]:
    """The vocoder with the weights of `state`, which came from `source`, weight norm fused. Raises CheckpointError."""
    with torch.device("meta"):
        model = Vocoder(config)
    try:
        fused = fuse_weight_norm(state)
    except ValueError as error:
        raise CheckpointError(f"{source}: {error}\n{DECODER_REMEDY}") from error
    return fill(model, fused, source, DECODER_REMEDY, device)


def parameter_counts(tokenizer: TokenizerConfig, flow: FlowConfig, vocoder: VocoderConfig) -> SpeechParameters:
    """Counts from the sizes alone, without memory for the weights; weight norm counts as fused."""
    with torch.device("meta"):
        modules = SpeechTokenizer(tokenizer), Flow(flow), Vocoder(vocoder)
    return SpeechParameters(*(sum(parameter.numel() for parameter in module.parameters()) for module in modules))


def _read_json(path: Path) -> dict[str, Any]:
    data = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(data, dict):
        raise ValueError(f"holds {type(data).__name__}, expected an object")
    return data
