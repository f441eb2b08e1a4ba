"""The settings of a checkpoint's folder: sizes, attention chunks, dither, each with its source.

Everything that can be wrong with the files raises a CheckpointError that names the file and the field.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import yaml

from models.checkpoint_error import CheckpointError
from models.released.files import Shapes, read_json
from models.released.network import check_network
from models.released.settings import Notes, field_of
from models.vita15.config import AudioConfig, LanguageConfig, VisionConfig, Vita15Config

REMEDY = "Take config.json and all model-*.safetensors from one release of VITA-MLLM/VITA-1.5."
CONFIG, ORIGINAL = "config.json", "origin_config.json"
TRAIN = "audio-encoder*/train.yaml"
VISION_HEAD_DIM = 64


def config_file(folder: Path) -> Path:
    """Where the release's settings stand: VITA's demos keep them beside a config.json of another program."""
    original = folder / ORIGINAL
    return original if original.exists() else folder / CONFIG


def train_file(folder: Path, settings: Mapping[str, Any]) -> Path:
    """The speech encoder's train.yaml; of several the one that config.json names."""
    found = [path for path in sorted(folder.glob(TRAIN)) if path.is_file()]
    named = Path(str(settings.get("mm_audio_encoder", ""))).name
    chosen = [path for path in found if path.parent.name == named] or found
    if not chosen:
        raise CheckpointError(
            f"{folder}: {TRAIN} is missing; it holds the speech encoder's attention chunks and dither, without which "
            "speech is heard otherwise than the model was trained to. Take the folder audio-encoder-... of the release "
            "(or of VITA-MLLM/VITA-1.5_AudioEnc) and put its train.yaml there."
        )
    if len(chosen) > 1:
        names = ", ".join(path.relative_to(folder).as_posix() for path in chosen)
        raise CheckpointError(f"{folder}: {names} could each be the speech encoder's settings; keep one of them")
    return chosen[0]


def read_config(folder: Path, shapes: Shapes, notes: Notes) -> Vita15Config:
    """The model's sizes, from config.json and, where that is silent, from the shapes of the tensors."""
    path = config_file(folder)
    if path.name == ORIGINAL:
        notes.told.append(f"{CONFIG} is another program's; {ORIGINAL} beside it is read")
    settings = read_json(path, REMEDY)
    try:
        language = _language_config(path, settings, shapes)
        audio = replace(_audio_config(shapes), **_train_settings(folder, settings, notes))
        default = Vita15Config()
        limit, aspect = settings.get("tokenizer_model_max_length"), settings.get("image_aspect_ratio")
        source = path.name
        return Vita15Config(
            language=language,
            vision=_vision_config(settings, shapes),
            audio=audio,
            tokenizer_max_length=notes.take(
                "tokenizer_max_length",
                *((int(limit), source) if limit is not None else (default.tokenizer_max_length, "default")),
            ),
            image_aspect_ratio=notes.take(
                "image_aspect_ratio", *((aspect, source) if aspect else (default.image_aspect_ratio, "default"))
            ),
        )
    except KeyError as error:
        raise CheckpointError(f"{folder}: the weights lack {error.args[0]}\n{REMEDY}") from error
    except (IndexError, TypeError, ValueError, OverflowError, ZeroDivisionError) as error:
        raise CheckpointError(f"{path}: {error}\n{REMEDY}") from error


def _language_config(path: Path, settings: Mapping[str, Any], shapes: Shapes) -> LanguageConfig:
    names = {field.name for field in fields(LanguageConfig)}
    stated = {name: settings[name] for name in names & settings.keys()}
    if isinstance(nested := settings.get("rope_parameters"), Mapping):
        stated.setdefault("rope_theta", nested.get("rope_theta"))
    needed = names - {"vocab_size", "tie_word_embeddings", "max_position_embeddings"}
    if absent := sorted(needed - stated.keys()):
        raise CheckpointError(f"{path}: the field {', '.join(absent)} is missing\n{REMEDY}")
    stated["vocab_size"] = shapes["model.embed_tokens.weight"][0]  # 152064 or 151665: both were released
    for name, value in stated.items():
        real = name in ("rope_theta", "rms_norm_eps")
        kinds = (bool,) if name == "tie_word_embeddings" else (int, float) if real else (int,)
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            raise ValueError(f"{name} is {value!r}, expected {'a number' if real else kinds[0].__name__}")
        if bool not in kinds and not (0 < value < 1 << 31):
            raise ValueError(f"{name} is {value!r}, expected a number from 1 to {(1 << 31) - 1}")
    if stated["num_hidden_layers"] > len(shapes):
        raise ValueError(
            f"num_hidden_layers is {stated['num_hidden_layers']}, but the weights hold {len(shapes)} tensors"
        )
    config = LanguageConfig(**stated)
    check_network(settings, config.hidden_size, config.num_attention_heads)
    return config


def _vision_config(settings: Mapping[str, Any], shapes: Shapes) -> VisionConfig:
    tower = "model.vision_tower.vision_tower."
    width, _, patch, _ = shapes[tower + "embeddings.patch_embedding.weight"]
    side = math.isqrt(shapes[tower + "embeddings.position_embedding"][1] - 1)
    heads = dict(settings.get("vision_config") or {}).get("num_attention_heads")
    if heads is None and width % VISION_HEAD_DIM:
        raise ValueError(f"vision_config.num_attention_heads is missing, and a width of {width} is no multiple of 64")
    return VisionConfig(
        hidden_size=width,
        intermediate_size=shapes[tower + "encoder.layers.0.mlp.fc1.weight"][0],
        num_hidden_layers=_count(shapes, tower + "encoder.layers."),
        num_attention_heads=int(heads or width // VISION_HEAD_DIM),
        image_size=side * patch,
        patch_size=patch,
    )


def _audio_config(shapes: Shapes) -> AudioConfig:
    encoder, blocks = "model.audio_encoder.encoder.", "model.audio_encoder.encoder.enc.1.encoders."
    return AudioConfig(
        num_mel_bins=shapes[encoder + "global_cmvn.mean"][0],
        hidden_size=shapes[encoder + "enc.1.embed.0.weight"][0],
        num_attention_heads=shapes[blocks + "0.self_attn.pos_bias_u"][0],
        intermediate_size=shapes[blocks + "0.feed_forward.w_1.weight"][0],
        num_hidden_layers=_count(shapes, blocks),
        adapter_kernel=shapes["model.audio_encoder.adpter.conv1d2.weight"][2],
        num_prompt_embeddings=shapes.get("model.audio_encoder.prompt_embeddings.weight", (0,))[0],
    )


def _train_settings(folder: Path, settings: Mapping[str, Any], notes: Notes) -> dict[str, Any]:
    """Chunks and dither from the speech encoder's train.yaml.

    Dynamic chunks mean a random mask at each call in the reference implementation; here, full context, and said so.
    """
    path = train_file(folder, settings)
    name = path.relative_to(folder).as_posix()
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        transformer = content.get("encoder_conf", {}).get("para_conf", {}).get("transformer", {})
        noise = content.get("dataset_conf", {}).get("fbank_conf", {})
        dither = notes.take("dither", *field_of(noise, "dither", float, 0.0, name))
        if not (math.isfinite(dither) and dither >= 0):
            raise ValueError(f"dither is {dither}")
        chunk_size = notes.take("chunk_size", *field_of(transformer, "transformer-chunk_size", int, -1, name))
        left_chunks = notes.take("left_chunks", *field_of(transformer, "transformer-left_chunks", int, -1, name))
        if transformer.get("transformer-dynamic-chunks", False):
            notes.told.append(
                f"{name} says transformer-dynamic-chunks: the reference draws the chunks of each call at random, here "
                f"speech is encoded with full context (chunk_size {chunk_size} is not used)"
            )
            chunk_size = notes.take("chunk_size", -1, f"{name}: transformer-dynamic-chunks")
    except (OSError, yaml.YAMLError, AttributeError, TypeError, ValueError, OverflowError, RecursionError) as error:
        raise CheckpointError(f"{path}: cannot be read as the speech encoder's settings: {error}\n{REMEDY}") from error
    return {"chunk_size": chunk_size, "left_chunks": left_chunks, "dither": dither}


def _count(shapes: Shapes, prefix: str) -> int:
    """Number of numbered layers under a prefix."""
    return len({name[len(prefix) :].partition(".")[0] for name in shapes if name.startswith(prefix)})
