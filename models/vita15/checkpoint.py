"""Reading and writing the understanding model in the released layout (`VITA-MLLM/VITA-1.5`).

    config.json                           sizes of the language model and settings
    model.safetensors.index.json          and its shards, or one model.safetensors
    tokenizer.json                        or vocab.json with merges.txt
    generation_config.json                optional: stop tokens, repetition penalty
    audio-encoder*/train.yaml             attention chunks and dither of the speech encoder

The released config.json holds no sizes of the vision tower and the speech encoder; they are read off the
tensors. Only the vision tower's number of heads leaves no trace there: it is 16 heads of 64 in the release;
other sizes state it in config.json as {"vision_config": {"num_attention_heads": n}}.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, NamedTuple

import torch
import yaml

from models.checkpoint_error import CheckpointError, left_out
from models.generation import GenerationDefaults
from models.released.files import INDEX, SHARD_BYTES, Shapes, fill, read_shapes, weight_files, write_json, write_weights
from models.released.settings import GENERATION, Notes, Stated, generation_defaults
from models.text.tokenizer import END_OF_TEXT, TURN_END, TURN_START, QwenTokenizer, load_tokenizer
from models.vita15.config import LanguageConfig, Vita15Config
from models.vita15.language import renew_rotary
from models.vita15.omni import Vita15
from models.vita15.settings import REMEDY, TRAIN, config_file, read_config

AUDIO_FOLDER = "audio-encoder-Qwen2-7B-1107-weight-base-11wh-tunning"  # the released name
SPEECH_FOLDER = "vita_tts_ckpt"


@dataclass(frozen=True, eq=False)
class Loaded:
    """`settings` say where each came from; `told` is what has to be said, `unknown` the tensors that were left out."""

    model: Vita15
    tokenizer: QwenTokenizer
    generation: GenerationDefaults
    settings: Mapping[str, Stated] = field(default_factory=dict)
    told: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


def load(folder: Path, device: str = "cpu", dtype: torch.dtype = torch.float32) -> Loaded:
    """Load a checkpoint's folder, in eval mode. Every name and shape is checked before a weight is read.

    A tensor that the model does not know is left out and told. Raises CheckpointError naming the folder or file,
    what is wrong with it and the remedy.
    """
    if not folder.is_dir():
        raise CheckpointError(f"{folder}: no such folder\n{REMEDY}")
    notes = Notes()
    files = weight_files(folder, REMEDY)
    shapes = read_shapes(files, REMEDY)
    config = read_config(folder, shapes, notes)
    tokenizer = load_tokenizer(folder)
    if len(tokenizer) > config.language.vocab_size:
        raise CheckpointError(
            f"{folder}: the tokenizer has {len(tokenizer)} tokens, model.embed_tokens.weight only "
            f"{config.language.vocab_size} rows\n{REMEDY}"
        )
    generation = generation_defaults(config_file(folder), tokenizer, config.language.vocab_size, notes, REMEDY)
    model, unknown = _fill(config, folder, files, shapes, device, dtype)
    if unknown:
        notes.told.append(left_out(unknown))
    return Loaded(model, tokenizer, generation, notes.settings, tuple(notes.told), tuple(unknown))


def outline(folder: Path) -> Vita15Config:
    """The sizes of a checkpoint's folder, without reading a weight. Raises CheckpointError."""
    if not folder.is_dir():
        raise CheckpointError(f"{folder}: no such folder\n{REMEDY}")
    return read_config(folder, read_shapes(weight_files(folder, REMEDY), REMEDY), Notes())


def build(config: Vita15Config, seed: int, device: str = "cpu", dtype: torch.dtype = torch.float32) -> Vita15:
    """A model with random weights drawn from the seed, in eval mode; the global random state is left alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = Vita15(config)
    model = model.to(device, dtype)
    renew_rotary(model.model, device)
    return model.eval()


def default_generation(tokenizer: QwenTokenizer) -> GenerationDefaults:
    """Stops at the marks that start and end a turn and at the end of text; no penalty."""
    return GenerationDefaults(tuple(sorted(tokenizer.id_of(token) for token in (TURN_START, TURN_END, END_OF_TEXT))))


def save(
    model: Vita15,
    tokenizer: QwenTokenizer,
    folder: Path,
    shard_bytes: int = SHARD_BYTES,
    generation: GenerationDefaults | None = None,
) -> None:
    """Write the released layout; weights above `shard_bytes` go into several files with an index."""
    folder.mkdir(parents=True, exist_ok=True)
    generation = generation or default_generation(tokenizer)
    config = model.config
    turn_end = tokenizer.id_of(TURN_END)
    write_json(folder / "config.json", _released_settings(config, tokenizer, model.dtype))
    stops = [turn_end, *(token for token in generation.stop_ids if token != turn_end)]
    defaults = {"do_sample": False, "eos_token_id": stops, "repetition_penalty": generation.repetition_penalty}
    write_json(folder / "generation_config.json", defaults)
    transformer = {
        "transformer-chunk_size": config.audio.chunk_size,
        "transformer-left_chunks": config.audio.left_chunks,
        "transformer-dynamic-chunks": False,
    }
    train = {
        "dataset_conf": {"fbank_conf": {"dither": config.audio.dither}},
        "encoder_conf": {"para_conf": {"transformer": transformer}},
    }
    (folder / AUDIO_FOLDER).mkdir(exist_ok=True)
    (folder / AUDIO_FOLDER / "train.yaml").write_text(yaml.safe_dump(train), encoding="utf-8")
    tokenizer.save(folder)
    write_weights(folder, model.state_dict(), shard_bytes)


def content_files(folder: Path) -> list[Path]:
    """The files whose contents are the model: weights, settings and tokenizer, those of the speech decoder too."""
    small = [GENERATION, INDEX, "tokenizer.json", "vocab.json", "merges.txt"]
    found = [config_file(folder), *(folder / name for name in small if (folder / name).is_file())]
    found += weight_files(folder, REMEDY) + sorted(folder.glob(TRAIN))
    for name in ("model.json", "model.safetensors", "final.pt"):
        found += sorted(folder.glob(f"{SPEECH_FOLDER}/*/{name}"))
    return found


class _Filled(NamedTuple):
    model: Vita15
    unknown: list[str]


def _fill(
    config: Vita15Config, folder: Path, files: Iterable[Path], shapes: Shapes, device: str, dtype: torch.dtype
) -> _Filled:
    with torch.device("meta"):
        try:
            model = Vita15(config)
        except (ValueError, RuntimeError, OverflowError) as error:
            raise CheckpointError(f"{config_file(folder)}: {error}\n{REMEDY}") from error
    unknown = fill(model, folder, files, shapes, device, dtype, REMEDY, layers=("model.layers.",))
    renew_rotary(model.model, device)
    return _Filled(model.eval(), unknown)


def _released_settings(config: Vita15Config, tokenizer: QwenTokenizer, dtype: torch.dtype) -> dict[str, Any]:
    """config.json with the release's own keys; what is no size there stands as it was published."""
    language = {field.name: getattr(config.language, field.name) for field in fields(LanguageConfig)}
    return {
        "architectures": ["VITAQwen2ForCausalLM"],
        "model_type": "vita-Qwen2",
        **language,
        "max_window_layers": config.language.num_hidden_layers,
        "hidden_act": "silu",
        "use_sliding_window": False,
        "sliding_window": None,
        "attention_dropout": 0.0,
        "bos_token_id": tokenizer.id_of(END_OF_TEXT),
        "eos_token_id": tokenizer.id_of(TURN_END),
        "mm_vision_tower": "OpenGVLab/InternViT-300M-448px",
        "mm_audio_encoder": "VITA-MLLM/VITA-1.5_AudioEnc",
        "mm_projector_type": "mlp2x_gelu",
        "mm_hidden_size": config.mm_hidden_size,
        "use_mm_proj": True,
        "image_aspect_ratio": config.image_aspect_ratio,
        "tokenizer_model_max_length": config.tokenizer_max_length,
        "tokenizer_padding_side": "right",
        "torch_dtype": str(dtype).removeprefix("torch."),
        "vision_config": {"num_attention_heads": config.vision.num_attention_heads},
    }
