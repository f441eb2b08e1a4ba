"""Reading and writing the understanding model in the released layout (`VITA-MLLM/VITA-1.5`).

    config.json                           sizes of the language model and settings
    model.safetensors.index.json          and its shards, or one model.safetensors
    tokenizer.json                        or vocab.json with merges.txt
    generation_config.json                optional: stop tokens, repetition penalty
    audio-encoder*/train.yaml             optional: attention chunks and dither of the speech encoder

The released config.json holds no sizes of the vision tower and the speech encoder; they are read off the
tensors. Only the vision tower's number of heads leaves no trace there: it is 16 heads of 64 in the release;
other sizes state it in config.json as {"vision_config": {"num_attention_heads": n}}.
"""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import torch
import yaml
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from models.checkpoint_error import CheckpointError, check_tensors
from models.vita15.config import AudioConfig, LanguageConfig, VisionConfig, Vita15Config
from models.vita15.generation import GenerationDefaults
from models.vita15.language import renew_rotary
from models.vita15.omni import Vita15
from models.vita15.tokenizer import END_OF_TEXT, TURN_END, TURN_START, VitaTokenizer, load_tokenizer

INDEX, SINGLE = "model.safetensors.index.json", "model.safetensors"
AUDIO_FOLDER = "audio-encoder-Qwen2-7B-1107-weight-base-11wh-tunning"  # the released name
SPEECH_FOLDER = "vita_tts_ckpt"
REMEDY = "Take config.json and all model-*.safetensors from one release of VITA-MLLM/VITA-1.5."
VISION_HEAD_DIM = 64

Shapes = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True, eq=False)
class Loaded:
    model: Vita15
    tokenizer: VitaTokenizer
    generation: GenerationDefaults


def load(folder: Path, device: str = "cpu", dtype: torch.dtype = torch.float32) -> Loaded:
    """Load a checkpoint's folder, in eval mode. Every name and shape is checked before a weight is read.

    Raises CheckpointError naming the folder or file, what is wrong with it and the remedy.
    """
    if not folder.is_dir():
        raise CheckpointError(f"{folder}: no such folder\n{REMEDY}")
    settings = _read_json(folder / "config.json")
    files = weight_files(folder)
    shapes = _shapes(folder, files)
    config = read_config(folder, settings, shapes)
    tokenizer = load_tokenizer(folder)
    if len(tokenizer) > config.language.vocab_size:
        raise CheckpointError(
            f"{folder}: the tokenizer has {len(tokenizer)} tokens, model.embed_tokens.weight only "
            f"{config.language.vocab_size} rows\n{REMEDY}"
        )
    generation = _generation_defaults(folder, settings, tokenizer)
    return Loaded(_fill(config, folder, files, shapes, device, dtype), tokenizer, generation)


def outline(folder: Path) -> Vita15Config:
    """The sizes of a checkpoint's folder, without reading a weight. Raises CheckpointError."""
    if not folder.is_dir():
        raise CheckpointError(f"{folder}: no such folder\n{REMEDY}")
    return read_config(folder, _read_json(folder / "config.json"), _shapes(folder, weight_files(folder)))


def build(config: Vita15Config, seed: int, device: str = "cpu", dtype: torch.dtype = torch.float32) -> Vita15:
    """A model with random weights drawn from the seed, in eval mode; the global random state is left alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = Vita15(config)
    model = model.to(device, dtype)
    renew_rotary(model.model, device)
    return model.eval()


def default_generation(tokenizer: VitaTokenizer) -> GenerationDefaults:
    """Stops at the marks that start and end a turn and at the end of text; no penalty."""
    return GenerationDefaults(tuple(sorted(tokenizer.id_of(token) for token in (TURN_START, TURN_END, END_OF_TEXT))))


def save(
    model: Vita15,
    tokenizer: VitaTokenizer,
    folder: Path,
    shard_bytes: int = 5_000_000_000,
    generation: GenerationDefaults | None = None,
) -> None:
    """Write the released layout; weights above `shard_bytes` go into several files with an index."""
    folder.mkdir(parents=True, exist_ok=True)
    generation = generation or default_generation(tokenizer)
    config, state = model.config, model.state_dict()
    turn_end = tokenizer.id_of(TURN_END)
    _write_json(folder / "config.json", _released_settings(config, tokenizer, model.dtype))
    stops = [turn_end, *(token for token in generation.stop_ids if token != turn_end)]
    defaults = {"do_sample": False, "eos_token_id": stops, "repetition_penalty": generation.repetition_penalty}
    _write_json(folder / "generation_config.json", defaults)
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
    shards = _shards(state, shard_bytes)
    if len(shards) == 1:
        save_file(shards[0], folder / SINGLE, metadata={"format": "pt"})
        return
    where: dict[str, str] = {}
    for number, shard in enumerate(shards, start=1):
        name = f"model-{number:05d}-of-{len(shards):05d}.safetensors"
        save_file(shard, folder / name, metadata={"format": "pt"})
        where |= dict.fromkeys(shard, name)
    total = sum(tensor.numel() * tensor.element_size() for tensor in state.values())
    _write_json(folder / INDEX, {"metadata": {"total_size": total}, "weight_map": where})


def content_files(folder: Path) -> list[Path]:
    """The files whose contents are the model: weights, settings and tokenizer, those of the speech decoder too."""
    small = ["config.json", "generation_config.json", INDEX, "tokenizer.json", "vocab.json", "merges.txt"]
    found = [folder / name for name in small if (folder / name).is_file()] + weight_files(folder)
    found += sorted(folder.glob("audio-encoder*/train.yaml"))
    for name in ("model.json", "model.safetensors", "final.pt"):
        found += sorted(folder.glob(f"{SPEECH_FOLDER}/*/{name}"))
    return found


def weight_files(folder: Path) -> list[Path]:
    """The weight files of a folder. Raises CheckpointError if there are none or the index names absent ones."""
    if (folder / INDEX).exists():
        where = _read_json(folder / INDEX).get("weight_map")
        if not isinstance(where, Mapping) or not where:
            raise CheckpointError(f"{folder / INDEX}: no weight_map in it\n{REMEDY}")
        names = sorted({str(name) for name in where.values()})
        unsafe = [name for name in names if Path(name).name != name]
        if unsafe:
            raise CheckpointError(f"{folder / INDEX}: {unsafe[0]!r} is no plain file name\n{REMEDY}")
        if absent := [name for name in names if not (folder / name).exists()]:
            raise CheckpointError(f"{folder}: {', '.join(absent)} of {len(names)} weight files are missing\n{REMEDY}")
        return [folder / name for name in names]
    if (folder / SINGLE).exists():
        return [folder / SINGLE]
    raise CheckpointError(f"{folder}: neither {INDEX} nor {SINGLE} is there\n{REMEDY}")


def read_config(folder: Path, settings: Mapping[str, Any], shapes: Shapes) -> Vita15Config:
    """The model's sizes, from config.json and, where that is silent, from the shapes of the tensors."""
    path = folder / "config.json"
    names = {field.name for field in fields(LanguageConfig)}
    stated = {name: settings[name] for name in names & settings.keys()}
    if isinstance(nested := settings.get("rope_parameters"), Mapping):
        stated.setdefault("rope_theta", nested.get("rope_theta"))
    needed = names - {"vocab_size", "tie_word_embeddings", "max_position_embeddings"}
    if absent := sorted(needed - stated.keys()):
        raise CheckpointError(f"{path}: the field {', '.join(absent)} is missing\n{REMEDY}")
    try:
        stated["vocab_size"] = shapes["model.embed_tokens.weight"][0]  # 152064 or 151665: both were released
        return Vita15Config(
            language=LanguageConfig(**stated),
            vision=_vision_config(settings, shapes),
            audio=replace(_audio_config(shapes), **_train_settings(folder)),
            tokenizer_max_length=int(settings.get("tokenizer_model_max_length", Vita15Config().tokenizer_max_length)),
            image_aspect_ratio=settings.get("image_aspect_ratio", "square"),
        )
    except KeyError as error:
        raise CheckpointError(f"{folder}: the weights lack {error.args[0]}\n{REMEDY}") from error
    except (IndexError, TypeError, ValueError) as error:
        raise CheckpointError(f"{path}: {error}\n{REMEDY}") from error


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


def _train_settings(folder: Path) -> dict[str, Any]:
    """Chunks and dither from the speech encoder's train.yaml; without the file, full context and no dither.

    Dynamic chunks mean a random mask at each call in the reference implementation; here, full context.
    """
    path = next(iter(sorted(folder.glob("audio-encoder*/train.yaml"))), None)
    if path is None:
        return {}
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        transformer = content.get("encoder_conf", {}).get("para_conf", {}).get("transformer", {})
        dither = float(content.get("dataset_conf", {}).get("fbank_conf", {}).get("dither", 0.0))
        dynamic = bool(transformer.get("transformer-dynamic-chunks", False))
        chunk_size = -1 if dynamic else int(transformer.get("transformer-chunk_size", -1))
        left_chunks = int(transformer.get("transformer-left_chunks", -1))
    except (OSError, UnicodeDecodeError, yaml.YAMLError, AttributeError, TypeError, ValueError) as error:
        raise CheckpointError(f"{path}: cannot be read as the speech encoder's settings: {error}\n{REMEDY}") from error
    return {"chunk_size": chunk_size, "left_chunks": left_chunks, "dither": dither}


def _generation_defaults(folder: Path, settings: Mapping[str, Any], tokenizer: VitaTokenizer) -> GenerationDefaults:
    path = folder / "generation_config.json"
    stated = _read_json(path) if path.exists() else {}
    ends = stated.get("eos_token_id", settings.get("eos_token_id"))
    stops = {tokenizer.id_of(TURN_START), tokenizer.id_of(TURN_END)}
    try:
        stops |= {int(token) for token in (ends if isinstance(ends, list) else [] if ends is None else [ends])}
        return GenerationDefaults(tuple(sorted(stops)), float(stated.get("repetition_penalty") or 1.0))
    except (TypeError, ValueError) as error:
        raise CheckpointError(f"{path}: eos_token_id or repetition_penalty: {error}\n{REMEDY}") from error


def _shapes(folder: Path, files: Iterable[Path]) -> dict[str, tuple[int, ...]]:
    """Name -> shape of every tensor, from the headers alone."""
    shapes: dict[str, tuple[int, ...]] = {}
    for path in files:
        try:
            with safe_open(path, "pt") as file:
                shapes |= {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
        except (OSError, SafetensorError) as error:
            raise CheckpointError(f"{path}: cannot be read as safetensors: {error}\n{REMEDY}") from error
    return shapes


def _fill(
    config: Vita15Config, folder: Path, files: Iterable[Path], shapes: Shapes, device: str, dtype: torch.dtype
) -> Vita15:
    with torch.device("meta"):
        try:
            model = Vita15(config)
        except ValueError as error:
            raise CheckpointError(f"{folder / 'config.json'}: {error}\n{REMEDY}") from error
    found = {name: torch.empty(shape, device="meta") for name, shape in shapes.items()}
    check_tensors(folder, model.state_dict(), found, REMEDY)
    state: dict[str, Tensor] = {}
    for path in files:
        with safe_open(path, "pt") as file:
            for name in file.keys():  # noqa: SIM118  one tensor at a time: the file is never whole in memory
                state[name] = file.get_tensor(name).to(device, dtype)
    model.load_state_dict(state, assign=True)
    renew_rotary(model.model, device)
    return model.eval()


def _released_settings(config: Vita15Config, tokenizer: VitaTokenizer, dtype: torch.dtype) -> dict[str, Any]:
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


def _shards(state: Mapping[str, Tensor], shard_bytes: int) -> list[dict[str, Tensor]]:
    shards: defaultdict[int, dict[str, Tensor]] = defaultdict(dict)
    number, filled = 0, 0
    for name, tensor in state.items():
        size = tensor.numel() * tensor.element_size()
        if filled and filled + size > shard_bytes:
            number, filled = number + 1, 0
        shards[number][name] = tensor.detach().cpu().contiguous()
        filled += size
    return list(shards.values())


def _count(shapes: Shapes, prefix: str) -> int:
    """Number of numbered layers under a prefix."""
    return len({name[len(prefix) :].partition(".")[0] for name in shapes if name.startswith(prefix)})


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CheckpointError(f"{path}: no such file\n{REMEDY}") from None
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise CheckpointError(f"{path}: cannot be read as JSON: {error}\n{REMEDY}") from error
    if not isinstance(content, dict):
        raise CheckpointError(f"{path}: holds {type(content).__name__}, expected an object\n{REMEDY}")
    return content


def _write_json(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
