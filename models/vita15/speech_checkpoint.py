"""Reading and writing the released `vita_tts_ckpt` folder.

    decoder/model.json  [idim, odim, {arguments}]
    decoder/final.pt    a state dict, or a training snapshot {"model": state dict, ...}
    codec/model.json    {...}
    codec/final.pt      a state dict each under "generator", "quantizer" and "encoder"

In place of each `final.pt` a `model.safetensors` is read first; there the codec's parts are prefixes of the
names. A `.pt` is only ever opened with `weights_only=True`, and with argparse.Namespace as the one class allowed in
it, which holds settings in training snapshots. Every tensor must be there, in its shape: the released loader skips
what does not fit, which leaves random weights behind unseen. Tensors that the models do not know are left out and told.
"""

from __future__ import annotations

import argparse
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from harness.texts import unread
from models.checkpoint_error import CheckpointError, check_tensors
from models.nn.weight_norm import fuse_weight_norm, split_weight_norm
from models.released.files import FLOATING
from models.vita15.codec import Codec
from models.vita15.speech_config import CodecConfig, SpeechDecoderConfig
from models.vita15.speech_decoder import SpeechDecoder

CODEC_PARTS = ("generator", "quantizer", "encoder")
REMEDY = "Download the folder vita_tts_ckpt of the model again, with its model.json and final.pt from one release."

AnyModule = TypeVar("AnyModule", bound=nn.Module)


class SpeechModels(NamedTuple):
    """`unknown` names the tensors that were left out."""

    decoder: SpeechDecoder
    codec: Codec
    unknown: tuple[str, ...] = ()


class SpeechParameters(NamedTuple):
    """Parameter counts; `decoder` is NAR + AR + embedding, norm and output layer."""

    nar: int
    ar: int
    decoder: int
    codec: int


def build_speech(
    decoder: SpeechDecoderConfig, codec: CodecConfig, seed: int, dtype: torch.dtype = torch.float32, device: str = "cpu"
) -> SpeechModels:
    """Both models with random weights drawn from the seed, in eval mode; the codec stays in float32.

    The embedding is drawn wide and the codec loud, so that codes differ from each other and sound is not silence.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        models = SpeechModels(SpeechDecoder(decoder), Codec(codec))
        nn.init.normal_(models.decoder.embedding.weight)
        for parameter in models.codec.generator.parameters():
            nn.init.normal_(parameter, std=0.2)
    return SpeechModels(models.decoder.to(device, dtype).eval(), models.codec.to(device).eval())


def load_speech(folder: Path, dtype: torch.dtype = torch.float32, device: str = "cpu") -> SpeechModels:
    """Load both models of a `vita_tts_ckpt` folder, in eval mode; the codec stays in float32.

    On the device "meta" no weight is read, but all is checked. Raises `CheckpointError` naming the folder, what is
    wrong and the remedy.
    """
    decoder = _load_decoder(folder / "decoder", dtype, device)
    codec = _load_codec(folder / "codec", device)
    names = [f"decoder: {name}" for name in decoder.unknown] + [f"codec: {name}" for name in codec.unknown]
    return SpeechModels(decoder.module, codec.module, tuple(names))


def load_speech_decoder(folder: Path, dtype: torch.dtype = torch.float32, device: str = "cpu") -> SpeechDecoder:
    """Load `decoder/`. The NAR and prefix layer counts are those of the state dict."""
    return _load_decoder(folder, dtype, device).module


def load_codec(folder: Path, device: str = "cpu") -> Codec:
    """Load `codec/`, fusing the weight norm."""
    return _load_codec(folder, device).module


class _Filled(NamedTuple, Generic[AnyModule]):
    module: AnyModule
    unknown: list[str]


def _load_decoder(folder: Path, dtype: torch.dtype, device: str) -> _Filled[SpeechDecoder]:
    state = _read_state(folder, device)
    if isinstance(state.get("model"), Mapping):
        state = dict(state["model"])
    _require_tensors(folder, state)
    try:
        stated = SpeechDecoderConfig.from_json(_read_json(folder))
        config = stated.with_layers_of(state)
    except ValueError as error:
        raise CheckpointError(f"{folder / 'model.json'}: {error}\n{REMEDY}") from error
    if config.ar_layers != stated.ar_layers:
        raise CheckpointError(
            f"{folder}: the weights hold {config.ar_layers} AR layers, model.json states {stated.ar_layers} "
            f"(transformer_num_blocks)\n{REMEDY}"
        )
    with torch.device("meta"):
        decoder = SpeechDecoder(config)
    return _fill(decoder, state, folder, dtype, device)


def _load_codec(folder: Path, device: str) -> _Filled[Codec]:
    state = _read_state(folder, device)
    if not all(isinstance(value, Tensor) for value in state.values()):
        state = _flatten_parts(folder, state)
    _require_tensors(folder, state)
    try:
        state = fuse_weight_norm(state)
        config = CodecConfig.from_json(_read_json(folder)).with_widths_of(state)
        with torch.device("meta"):
            codec = Codec(config)
    except KeyError as error:
        raise CheckpointError(f"{folder}: the weights lack {error.args[0]}\n{REMEDY}") from error
    except (ValueError, TypeError, RuntimeError, IndexError) as error:  # IndexError: too few dimensions to tell a width
        raise CheckpointError(f"{folder}: weights and model.json do not fit: {error}\n{REMEDY}") from error
    return _fill(codec, state, folder, torch.float32, device)


def save_speech(folder: Path, decoder: SpeechDecoder, codec: Codec, dtype: torch.dtype = torch.float32) -> None:
    """Write both models in the released layout, weight norm split, as safetensors."""
    save_speech_decoder(folder / "decoder", decoder, dtype)
    save_codec(folder / "codec", codec, dtype)


def save_speech_decoder(folder: Path, decoder: SpeechDecoder, dtype: torch.dtype = torch.float32) -> None:
    """Write `decoder/`."""
    _write(folder, decoder.config.to_json(), decoder.state_dict(), dtype)


def save_codec(folder: Path, codec: Codec, dtype: torch.dtype = torch.float32) -> None:
    """Write `codec/`, weight norm split, as safetensors."""
    _write(folder, codec.config.to_json(), split_weight_norm(codec.state_dict(), _is_weight_normed), dtype)


def parameter_counts(decoder: SpeechDecoderConfig, codec: CodecConfig) -> SpeechParameters:
    """Counts from the sizes alone, without memory for the weights.

    The VITA-1.5 paper gives about 120 M for the NAR and AR decoders. The published sizes as the released
    code builds them (2 NAR + 4 AR layers) make 99.6 M; the paper's 4 + 4 layers make 132.1 M. The paper's
    about 350 M is the speech *encoder*, which is not part of this folder.
    """
    with torch.device("meta"):
        speech, tokens = SpeechDecoder(decoder), Codec(codec)
    return SpeechParameters(_count(speech.layers_pre_nn), _count(speech.layers), _count(speech), _count(tokens))


def _count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def _is_weight_normed(name: str) -> bool:
    """The release norms every convolution but the encoder's last one and its voice branch."""
    module, _, leaf = name.rpartition(".")
    plain = module == "encoder.conv_post" or "GlobalTokenEncoder" in module
    convolution = any(part in module for part in ("conv_pre", "conv_post", "ups.", "resblocks."))
    return leaf == "weight" and convolution and not plain


def _fill(
    module: AnyModule, state: Mapping[str, Tensor], folder: Path, dtype: torch.dtype, device: str
) -> _Filled[AnyModule]:
    own = module.state_dict()
    unknown = check_tensors(folder, own, state, REMEDY)
    if whole := [name for name in own if own[name].is_floating_point() and not state[name].is_floating_point()]:
        raise CheckpointError(f"{folder}: {whole[0]} is of {state[whole[0]].dtype}, expected floating-point\n{REMEDY}")
    placed = {
        name: tensor.to(device, dtype if tensor.is_floating_point() else tensor.dtype)
        for name, tensor in state.items()
        if name not in set(unknown)
    }
    module.load_state_dict(placed, assign=True)
    return _Filled(module.eval(), unknown)


def _read_state(folder: Path, device: str) -> dict[str, Any]:
    """The content of the weights' file on the CPU; on the device "meta", names, shapes and types alone."""
    safe, pickled = folder / "model.safetensors", folder / "final.pt"
    path = safe if safe.exists() else pickled
    if not path.is_file():
        raise CheckpointError(f"{folder}: neither model.safetensors nor final.pt is there\n{REMEDY}")
    headers = device == "meta"
    try:
        if path == safe:
            state: Any = _headers(path) if headers else load_file(path)
        else:
            with torch.serialization.safe_globals([argparse.Namespace]):
                where = "meta" if headers else "cpu"
                state = torch.load(path, map_location=where, weights_only=True, mmap=zipfile.is_zipfile(path))
    except Exception as error:  # a broken file makes torch's reader raise nearly anything
        raise CheckpointError(f"{path}: cannot be read as tensors only: {unread(error)}\n{REMEDY}") from error
    if not isinstance(state, Mapping):
        raise CheckpointError(f"{path}: holds {type(state).__name__}, expected a dictionary\n{REMEDY}")
    return dict(state)


def _headers(path: Path) -> dict[str, Tensor]:
    with safe_open(path, "pt") as file:
        slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118
        return {
            name: torch.empty(part.get_shape(), dtype=FLOATING.get(part.get_dtype(), torch.int8), device="meta")
            for name, part in slices.items()
        }


def _flatten_parts(folder: Path, state: Mapping[str, Any]) -> dict[str, Any]:
    absent = [part for part in CODEC_PARTS if not isinstance(state.get(part), Mapping)]
    if absent:
        raise CheckpointError(f"{folder}: final.pt lacks the state dict of {', '.join(absent)}\n{REMEDY}")
    return {f"{part}.{name}": tensor for part in CODEC_PARTS for name, tensor in state[part].items()}


def _require_tensors(folder: Path, state: Mapping[str, Any]) -> None:
    wrong = [f"{name} is {type(value).__name__}" for name, value in state.items() if not isinstance(value, Tensor)]
    if wrong:
        raise CheckpointError(f"{folder}: expected tensors, but {', '.join(wrong[:5])}\n{REMEDY}")


def _read_json(folder: Path) -> Any:
    path = folder / "model.json"
    if path.exists() and not path.is_file():
        raise CheckpointError(f"{path}: is no plain file\n{REMEDY}")
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except RecursionError:
        raise CheckpointError(f"{path}: nested too deeply\n{REMEDY}") from None
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path}: {error}\n{REMEDY}") from error


def _write(folder: Path, config: Any, state: Mapping[str, Tensor], dtype: torch.dtype) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(config, ensure_ascii=False, indent=1)
    (folder / "model.json").write_text(text + "\n", encoding="utf-8")
    stored = {
        name: tensor.detach().to("cpu", dtype if tensor.is_floating_point() else tensor.dtype).contiguous()
        for name, tensor in state.items()
    }
    save_file(stored, folder / "model.safetensors")
