"""Reading the released speech tokenizer and speech decoder.

    tokenizer/config.json, model.safetensors
    decoder/flow.pt, hift.pt                 a state dict each; `.safetensors` is read first
    decoder/config.yaml                      sizes, as released; or decoder_config.json, or none: the published ones

A `.pt` is only ever opened with `weights_only=True`. Every tensor must be there, in its shape. Tensors that the models
do not know are left out and told.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from models.checkpoint_error import CheckpointError, check_tensors
from models.nn.weight_norm import fuse_weight_norm
from models.vita_audio.decoder_config import FlowConfig, VocoderConfig
from models.vita_audio.decoder_yaml import read_decoder_yaml
from models.vita_audio.flow import Flow
from models.vita_audio.speech_tokenizer import SpeechTokenizer, TokenizerConfig
from models.vita_audio.vocoder import Vocoder

TOKENIZER_REMEDY = "Download glm-4-voice-tokenizer again, with config.json and model.safetensors."
DECODER_REMEDY = "Download glm-4-voice-decoder again, with config.yaml, flow.pt and hift.pt."
DECODER_SETTINGS = ("config.yaml", "decoder_config.json")
"""Of these the first that is there is read."""

AnyModule = TypeVar("AnyModule", bound=nn.Module)


class Loaded(NamedTuple, Generic[AnyModule]):
    """A model in eval mode, and the names of tensors that were left out."""

    model: AnyModule
    unknown: tuple[str, ...]


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
    return build_tokenizer(config, state, folder, device)


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
    flow = build_flow(flow_config, read_state(folder, "flow", DECODER_REMEDY), folder / "flow", device)
    vocoder = build_vocoder(vocoder_config, read_state(folder, "hift", DECODER_REMEDY), folder / "hift", device)
    return SpeechDecoder(flow.model, vocoder.model, flow.unknown + vocoder.unknown)


def build_tokenizer(
    config: TokenizerConfig, state: Mapping[str, Tensor], source: Path, device: str = "cpu"
) -> Loaded[SpeechTokenizer]:
    """The tokenizer with the weights of `state`, which came from `source`."""
    with torch.device("meta"):
        model = SpeechTokenizer(config)
    return _fill(model, state, source, TOKENIZER_REMEDY, device)


def build_flow(config: FlowConfig, state: Mapping[str, Tensor], source: Path, device: str = "cpu") -> Loaded[Flow]:
    """The flow with the weights of `state`, which came from `source`."""
    with torch.device("meta"):
        model = Flow(config)
    return _fill(model, state, source, DECODER_REMEDY, device)


def build_vocoder(
    config: VocoderConfig, state: Mapping[str, Tensor], source: Path, device: str = "cpu"
) -> Loaded[Vocoder]:
    """The vocoder with the weights of `state`, which came from `source`; weight norm is fused."""
    with torch.device("meta"):
        model = Vocoder(config)
    return _fill(model, fuse_weight_norm(state), source, DECODER_REMEDY, device)


def parameter_counts(tokenizer: TokenizerConfig, flow: FlowConfig, vocoder: VocoderConfig) -> SpeechParameters:
    """Counts from the sizes alone, without memory for the weights; weight norm counts as fused."""
    with torch.device("meta"):
        modules = SpeechTokenizer(tokenizer), Flow(flow), Vocoder(vocoder)
    return SpeechParameters(*(sum(parameter.numel() for parameter in module.parameters()) for module in modules))


def read_state(folder: Path, name: str, remedy: str) -> dict[str, Tensor]:
    """The tensors of `name.safetensors`, or of `name.pt` where that is not there."""
    path = state_file(folder, name, remedy)
    try:
        if path.suffix == ".safetensors":
            state: Any = load_file(path)
        else:
            state = torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path))
    except Exception as error:  # a broken file makes torch's reader raise nearly anything
        reason = (str(error) or type(error).__name__).partition("\n")[0]
        raise CheckpointError(f"{path}: cannot be read as tensors only: {reason}\n{remedy}") from error
    if not isinstance(state, Mapping) or not all(isinstance(value, Tensor) for value in state.values()):
        raise CheckpointError(f"{path}: expected a dictionary of tensors\n{remedy}")
    return dict(state)


def state_file(folder: Path, name: str, remedy: str) -> Path:
    """`name.safetensors`, or `name.pt` where that is not there. Raises CheckpointError where neither is."""
    safe, pickled = folder / f"{name}.safetensors", folder / f"{name}.pt"
    path = safe if safe.exists() else pickled
    if not path.is_file():
        raise CheckpointError(f"{folder}: neither {safe.name} nor {pickled.name} is there\n{remedy}")
    return path


def _fill(model: AnyModule, state: Mapping[str, Tensor], source: Path, remedy: str, device: str) -> Loaded[AnyModule]:
    unknown = check_tensors(source, model.state_dict(), state, remedy)
    placed = {name: tensor.to(device, torch.float32) for name, tensor in state.items() if name not in set(unknown)}
    model.load_state_dict(placed, assign=True)
    return Loaded(model.eval(), tuple(unknown))


def _read_json(path: Path) -> dict[str, Any]:
    data = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(data, dict):
        raise ValueError(f"holds {type(data).__name__}, expected an object")
    return data
