"""Reading and writing the decoder of speech codes.

    audio_decoder/model.safetensors      or shards with an index, named as in `audio_decoder`; or else
    model.safetensors, model-*           among the other weights, as `audio_decoder.*` or `model.audio_decoder.*`

Which way the release has it, and by what names, is not known. Sizes are those of config.json (`audio_decoder_config`
and `choices`). Every tensor must be there, in its shape; one that the decoder does not know is left out and told.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import torch

from models.checkpoint_error import CheckpointError
from models.nexus_o.audio_decoder import AudioDecoder
from models.nexus_o.config import NexusConfig
from models.nexus_o.decoder_config import DecoderConfig
from models.released.files import SHARD_BYTES, fill, read_shapes, weight_files, write_weights
from models.released.single import Loaded

FOLDER = "audio_decoder"
PREFIXES = (f"{FOLDER}.", f"model.{FOLDER}.")
REMEDY = f"Take {FOLDER}/ and config.json from one release, or all model-*.safetensors that hold {FOLDER}.*."


class DecoderParameters(NamedTuple):
    """Parameters of the blocks, and of all."""

    blocks: int
    whole: int


def decoder_files(folder: Path) -> list[Path]:
    """The weight files that a speech decoder has to itself; none where it is among the model's other weights.

    Raises `CheckpointError` where there is no decoder, or its files are broken.
    """
    if (folder / FOLDER).is_dir():
        return weight_files(folder / FOLDER, REMEDY)
    if any(name.startswith(PREFIXES) for name in read_shapes(weight_files(folder, REMEDY), REMEDY)):
        return []
    raise CheckpointError(f"{folder}: neither a folder {FOLDER} nor tensors {PREFIXES[0]}* are there\n{REMEDY}")


def load_decoder(
    folder: Path, config: NexusConfig, device: str = "cpu", dtype: torch.dtype = torch.float32
) -> Loaded[AudioDecoder]:
    """Load the decoder of a checkpoint's folder, in eval mode. Every name and shape is checked before a weight is read.

    Raises `CheckpointError` naming the folder or file, what is wrong with it and the remedy.
    """
    inside = (folder / FOLDER).is_dir()
    place = folder / FOLDER if inside else folder
    files = weight_files(place, REMEDY)
    shapes = {name: shape for name, shape in read_shapes(files, REMEDY).items() if inside or name.startswith(PREFIXES)}
    if not shapes:
        raise CheckpointError(f"{folder}: neither a folder {FOLDER} nor tensors {PREFIXES[0]}* are there\n{REMEDY}")
    try:
        with torch.device("meta"):
            decoder = AudioDecoder(DecoderConfig.of(config))
    except (ValueError, RuntimeError, OverflowError) as error:
        raise CheckpointError(f"{folder / 'config.json'}: {error}\n{REMEDY}") from error
    unknown = fill(decoder, place, files, shapes, device, dtype, REMEDY, str if inside else _own_name, ("layers.",))
    return Loaded(decoder.eval(), tuple(unknown))


def save_decoder(decoder: AudioDecoder, folder: Path, shard_bytes: int = SHARD_BYTES) -> None:
    """Write the decoder into the subfolder of a checkpoint's folder; config.json is the whole model's to write."""
    (folder / FOLDER).mkdir(parents=True, exist_ok=True)
    write_weights(folder / FOLDER, decoder.state_dict(), shard_bytes)


def parameter_counts(config: DecoderConfig) -> DecoderParameters:
    """Counts from the sizes alone, without memory for the weights."""
    with torch.device("meta"):
        decoder = AudioDecoder(config)
    return DecoderParameters(
        *(sum(parameter.numel() for parameter in module.parameters()) for module in (decoder.layers, decoder))
    )


def _own_name(name: str) -> str:
    """A tensor's name in the decoder for its name among the whole model's."""
    return name.removeprefix(next(prefix for prefix in PREFIXES if name.startswith(prefix)))
