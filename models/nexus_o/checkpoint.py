"""Reading and writing the understanding model in the released layout (`HiThink-Research/NEXUS-O`).

    config.json                      sizes; of its own the fields `picture_config` and `choices`
    model.safetensors.index.json     and its shards, or one model.safetensors
    tokenizer.json                   or vocab.json with merges.txt
    generation_config.json           optional: stop tokens, repetition penalty

Tensors are named as in transformers up to 4.51 (`visual.*`, `model.layers.*`), of which the release is, or as since
(`model.visual.*`, `model.language_model.layers.*`). How the release names its audio parts is not known: here they are
`audio_tower` and `audio_adapter`, with or without `model.` before them. The speech decoder is another model's part
(`decoder_checkpoint`), also where it stands among these.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path

import torch

from models.checkpoint_error import CheckpointError, left_out
from models.generation import GenerationDefaults
from models.nexus_o.choices import with_options
from models.nexus_o.config import NexusConfig, PictureConfig, SpeechConfig
from models.nexus_o.decoder_checkpoint import PREFIXES
from models.nexus_o.omni import Nexus, ready
from models.nexus_o.prompts import mark_ids
from models.released.files import (
    INDEX,
    SHARD_BYTES,
    SINGLE,
    Shapes,
    fill,
    read_json,
    read_shapes,
    weight_files,
    write_json,
    write_weights,
)
from models.released.hub import Release
from models.released.identity import CARD
from models.released.settings import GENERATION, TURN_MARKS, Notes, Stated, generation_defaults
from models.text.tokenizer import END_OF_TEXT, QwenTokenizer, load_tokenizer

CONFIG, PREPROCESSOR = "config.json", "preprocessor_config.json"
REMEDY = "Take config.json and all model-*.safetensors from one release of HiThink-Research/NEXUS-O."
FILES = (
    CONFIG, PREPROCESSOR, GENERATION, CARD, SINGLE, INDEX, "model-*.safetensors", "tokenizer.json",
    "tokenizer_config.json", "vocab.json", "merges.txt",
)  # fmt: skip
LAYERS = ("model.language_model.layers.", "model.visual.blocks.", "model.audio_tower.layers.")
"""Tensors of these names that are left over are layers that config.json does not count."""

_BODY = re.compile(r"^model\.(embed_tokens|layers|norm)\.")
_READ = {part.name for part in fields(SpeechConfig)} | {"model_type"}
"""Of audio_decoder_config."""
_PARTS = re.compile(r"^(visual|audio_tower|audio_adapter)\.")


@dataclass(frozen=True, eq=False)
class Loaded:
    """`settings` say where each came from; `told` is what has to be said, `unknown` the tensors that were left out."""

    model: Nexus
    tokenizer: QwenTokenizer
    generation: GenerationDefaults
    settings: Mapping[str, Stated] = field(default_factory=dict)
    told: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


def renamed(name: str) -> str:
    """A tensor's name in the model: that of the later layout, whichever it is named by."""
    return _PARTS.sub(r"model.\1.", _BODY.sub(r"model.language_model.\1.", name))


def older(name: str) -> str:
    """A tensor's name in the earlier layout, in which the release was written."""
    return name.replace("model.language_model.", "model.") if "language_model" in name else name.removeprefix("model.")


def load(
    folder: Path,
    device: str = "cpu",
    dtype: torch.dtype = torch.float32,
    options: Mapping[str, str] | None = None,
) -> Loaded:
    """Load a checkpoint's folder, in eval mode. Every name and shape is checked before a weight is read.

    `options` are choices that are set by hand. A tensor that the model does not know is left out and told. Raises
    CheckpointError naming the folder or file, what is wrong with it and the remedy; UsageError for a bad option.
    """
    notes = Notes()
    files = _files(folder)
    shapes = read_shapes(files, REMEDY)
    config = _config(folder, shapes, notes, options or {})
    tokenizer = load_tokenizer(folder)
    rows = config.language.vocab_size
    if len(tokenizer) > rows:
        raise CheckpointError(
            f"{folder}: the tokenizer has {len(tokenizer)} tokens, embed_tokens.weight only {rows} rows\n{REMEDY}"
        )
    try:
        marks = mark_ids(tokenizer, config.choices)
        with torch.device("meta"):
            model = Nexus(config)
    except (ValueError, RuntimeError, OverflowError) as error:
        raise CheckpointError(f"{folder}: {error}\n{REMEDY}") from error
    notes.take("audio_token_id", marks["<|AUDIO|>"], _source_of_audio(tokenizer))
    generation = generation_defaults(folder / CONFIG, tokenizer, rows, notes, REMEDY, TURN_MARKS, penalty=None)
    own = {name: shape for name, shape in shapes.items() if not name.startswith(PREFIXES)}
    unknown = fill(model, folder, files, own, device, dtype, REMEDY, renamed, LAYERS)
    if unknown:
        notes.told.append(left_out(unknown))
    return Loaded(ready(model, device), tokenizer, generation, notes.settings, tuple(notes.told), tuple(unknown))


def outline(folder: Path, options: Mapping[str, str] | None = None) -> NexusConfig:
    """The sizes of a checkpoint's folder, without reading a weight. Raises CheckpointError and UsageError."""
    return _config(folder, read_shapes(_files(folder), REMEDY), Notes(), options or {})


def save(
    model: Nexus, tokenizer: QwenTokenizer, folder: Path, shard_bytes: int = SHARD_BYTES, earlier: bool = True
) -> None:
    """Write the released layout; with `earlier` names of tensors as the release has them."""
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / CONFIG, model.config.to_json())
    stops = [tokenizer.id_of(TURN_MARKS[1]), tokenizer.id_of(END_OF_TEXT)]
    write_json(folder / GENERATION, {"do_sample": False, "eos_token_id": stops})
    tokenizer.save(folder)
    state = model.state_dict()
    write_weights(folder, {older(name): tensor for name, tensor in state.items()} if earlier else state, shard_bytes)


def content_files(folder: Path) -> list[Path]:
    """The files whose contents are the model: weights, settings and tokenizer."""
    small = [CONFIG, PREPROCESSOR, GENERATION, INDEX, "tokenizer.json", "vocab.json", "merges.txt"]
    return [folder / name for name in small if (folder / name).is_file()] + weight_files(folder, REMEDY)


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise CheckpointError(f"{folder}: no such folder\n{REMEDY}")
    return weight_files(folder, REMEDY)


def _config(folder: Path, shapes: Shapes, notes: Notes, options: Mapping[str, str]) -> NexusConfig:
    """The sizes from config.json; the vocabulary is as large as the embeddings are."""
    path = folder / CONFIG
    settings = read_json(path, REMEDY)
    rows = {renamed(name): shape for name, shape in shapes.items()}.get("model.language_model.embed_tokens.weight")
    if not rows:
        raise CheckpointError(f"{folder}: the weights lack model.embed_tokens.weight\n{REMEDY}")
    try:
        config = NexusConfig.from_json(settings, rows[0])
    except (ValueError, TypeError) as error:
        raise CheckpointError(f"{path}: {error}\n{REMEDY}") from error
    if config.language.num_hidden_layers + config.vision.depth + config.audio.encoder_layers > len(shapes):
        raise CheckpointError(f"{path}: more layers than the weights' {len(shapes)} tensors can fill\n{REMEDY}")
    for part, own in (("vision_config", config.vision), ("audio_config", config.audio)):
        for name, value in asdict(own).items():
            source = CONFIG if name in settings[part] else f"default: {part} does not state {name}"
            notes.take(f"{part}.{name}", value, source)
    if strange := sorted(set(settings.get("audio_decoder_config", {})) - _READ):
        notes.told.append(f"{CONFIG}: audio_decoder_config.{', '.join(strange)} is not known here and not read")
    config = replace(config, pictures=_pictures(folder, config.pictures, notes))
    chosen = with_options(config.choices, options)
    stated = settings.get("choices", {})
    for name, value in chosen.stated().items():
        source = f"--option {name}" if name in options else CONFIG if name in stated else "default: not published"
        notes.take(name, value, source)
    return replace(config, choices=chosen)


def _pictures(folder: Path, pictures: PictureConfig, notes: Notes) -> PictureConfig:
    """The limits of an image's pixels that preprocessor_config.json states, where it is there."""
    path = folder / PREPROCESSOR
    stated = read_json(path, REMEDY) if path.exists() else {}
    found = {name: stated[name] for name in ("min_pixels", "max_pixels") if stated.get(name) is not None}
    for name, value in found.items():
        if isinstance(value, bool) or not isinstance(value, int):
            raise CheckpointError(f"{path}: {name} is {value!r}, expected a whole number\n{REMEDY}")
        notes.take(name, value, PREPROCESSOR)
    try:
        return replace(pictures, **found)
    except ValueError as error:
        raise CheckpointError(f"{path}: {error}\n{REMEDY}") from error


def _source_of_audio(tokenizer: QwenTokenizer) -> str:
    try:
        tokenizer.id_of("<|AUDIO|>")
    except KeyError:
        return "audio_first_id: the tokenizer does not know <|AUDIO|>"
    return "the tokenizer"


def _check(folder: Path) -> None:
    weight_files(folder, REMEDY)


RELEASE = Release("HiThink-Research/NEXUS-O", FILES, _check)
