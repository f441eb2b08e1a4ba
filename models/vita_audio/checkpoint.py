"""Reading and writing VITA-Audio's language model in the released layout (spec section 1).

    config.json                           kind of model and sizes; layers count the prediction modules too
    model.safetensors.index.json          and its shards, or one model.safetensors
    tokenizer.json                        with the tokens of speech
    generation_config.json                stop tokens, repetition penalty, mode of decoding
    config.yaml, am.mvn                   Plus: SenseVoice's settings and feature statistics

The speech tokenizer and the speech decoder are another's releases: `models.vita_audio.speech_folders`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import torch

from models.checkpoint_error import CheckpointError, left_out
from models.generation import GenerationDefaults
from models.released.files import (
    INDEX,
    SHARD_BYTES,
    fill,
    read_json,
    read_shapes,
    weight_files,
    write_json,
    write_weights,
)
from models.released.settings import GENERATION, Notes, Stated, generation_defaults
from models.text.tokenizer import END_OF_TEXT, TURN_END, QwenTokenizer, load_tokenizer
from models.vita_audio.config import ARCHITECTURES, MtpConfig
from models.vita_audio.hearing import Hearing
from models.vita_audio.language import MtpModel
from models.vita_audio.schedule import VANILLA, Mode
from models.vita_audio.sensevoice_files import CONFIG as HEARING_CONFIG
from models.vita_audio.sensevoice_files import STATISTICS, SenseVoiceFiles, read_sensevoice, write_sensevoice
from models.vita_audio.tokens import SpecialTokens

CONFIG, MODE = "config.json", "mtp_inference_mode"
STOPS = (TURN_END, END_OF_TEXT)
"""These always end an answer, by whichever network they are made."""
LAYERS = ("model.layers.", "mtp_")
"""Tensors of these names that are left over are layers and modules that config.json does not count."""
REMEDY = "Take config.json, tokenizer.json and all model-*.safetensors from one release of VITA-MLLM/VITA-Audio-..."


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """What a folder holds: all but the speech parts.

    `hearing` is Plus's, with the very weights that are in `model`. `settings` say where each came from; `told` is what
    has to be said, `unknown` the tensors that were left out.
    """

    model: MtpModel
    tokenizer: QwenTokenizer
    tokens: SpecialTokens
    generation: GenerationDefaults
    mode: Mode
    hearing: Hearing | None = None
    settings: Mapping[str, Stated] = field(default_factory=dict)
    told: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


class Kind(NamedTuple):
    """What a folder says of itself before a weight is read."""

    config: MtpConfig
    plus: bool


def load(folder: Path, device: str = "cpu", dtype: torch.dtype = torch.float32) -> Checkpoint:
    """Load a checkpoint's folder, in eval mode. Every name and shape is checked before a weight is read.

    A tensor that the model does not know is left out and told. Raises CheckpointError naming the folder or file,
    what is wrong with it and the remedy.
    """
    config, plus = outline(folder)
    notes, files = Notes(), weight_files(folder, REMEDY)
    shapes = read_shapes(files, REMEDY)
    tokenizer = load_tokenizer(folder)
    tokens = _tokens(folder, tokenizer, config, plus)
    generation = generation_defaults(folder / CONFIG, tokenizer, config.vocab_size, notes, REMEDY, STOPS)
    mode = _mode(folder / GENERATION, config, notes)
    heard = read_sensevoice(folder) if plus else None
    model, hearing = _built(folder, config, heard, len(shapes))
    unknown = fill(model, folder, files, shapes, device, dtype, REMEDY, layers=LAYERS)
    if unknown:
        notes.told.append(left_out(unknown))
    if hearing is not None:
        hearing.eval()
    return Checkpoint(
        model.eval(), tokenizer, tokens, generation, mode, hearing, notes.settings, tuple(notes.told), tuple(unknown)
    )


def outline(folder: Path) -> Kind:
    """The sizes of a checkpoint's folder, without reading a weight. Raises CheckpointError."""
    if not folder.is_dir():
        raise CheckpointError(f"{folder}: no such folder\n{REMEDY}")
    path = folder / CONFIG
    settings = read_json(path, REMEDY)
    kind = settings.get("model_type")
    if not isinstance(kind, str) or kind not in ARCHITECTURES:
        raise CheckpointError(f"{path}: model_type is {kind!r}, expected {' or '.join(ARCHITECTURES)}\n{REMEDY}")
    try:
        return Kind(MtpConfig.from_json(settings), ARCHITECTURES[kind])
    except ValueError as error:
        raise CheckpointError(f"{path}: {error}\n{REMEDY}") from error


def default_generation(tokenizer: QwenTokenizer) -> GenerationDefaults:
    """Stops at the end of a turn and of the text; no penalty."""
    return GenerationDefaults(tuple(sorted(tokenizer.id_of(token) for token in STOPS)))


def save(
    model: MtpModel,
    tokenizer: QwenTokenizer,
    folder: Path,
    mode: Mode = VANILLA,
    generation: GenerationDefaults | None = None,
    hearing: Hearing | None = None,
    shard_bytes: int = SHARD_BYTES,
) -> None:
    """Write the released layout; weights above `shard_bytes` go into several files with an index.

    `hearing` is given for a Plus model, whose weights hold its own.
    """
    folder.mkdir(parents=True, exist_ok=True)
    generation = generation or default_generation(tokenizer)
    write_json(folder / CONFIG, _released_settings(model, tokenizer, hearing is not None))
    end = tokenizer.id_of(TURN_END)
    defaults = {
        "eos_token_id": [end, *(token for token in generation.stop_ids if token != end)],
        "pad_token_id": tokenizer.id_of(END_OF_TEXT),
        "repetition_penalty": generation.repetition_penalty,
        MODE: mode.numbers,
    }
    write_json(folder / GENERATION, defaults)
    tokenizer.save(folder)
    if hearing is not None:
        write_sensevoice(folder, hearing.audio_model.model.config, hearing.front_end)
    write_weights(folder, model.state_dict(), shard_bytes)


def content_files(folder: Path) -> list[Path]:
    """The files whose contents are the language model: weights, settings and tokenizer, and how Plus hears."""
    names = (CONFIG, GENERATION, INDEX, "tokenizer.json", "vocab.json", "merges.txt", HEARING_CONFIG, STATISTICS)
    small = [folder / name for name in names if (folder / name).is_file()]
    return small + weight_files(folder, REMEDY)


class _Built(NamedTuple):
    model: MtpModel
    hearing: Hearing | None


def _built(folder: Path, config: MtpConfig, heard: SenseVoiceFiles | None, tensors: int) -> _Built:
    """The networks on the meta device; more layers than the weights have tensors are refused before they are made."""
    counts = {f"{CONFIG}: num_hidden_layers": config.num_hidden_layers}
    if heard is not None:
        counts[f"{HEARING_CONFIG}: num_blocks + tp_blocks"] = heard.config.layers + heard.config.top_layers
    for place, count in counts.items():
        if count > tensors:
            raise CheckpointError(f"{folder}/{place} is {count}, but the weights hold {tensors} tensors\n{REMEDY}")
    try:
        with torch.device("meta"):
            hearing = None if heard is None else Hearing(heard.config, config.hidden_size, heard.front_end)
            return _Built(MtpModel(config, None if hearing is None else hearing.parts()), hearing)
    except (ValueError, RuntimeError, OverflowError) as error:
        raise CheckpointError(f"{folder / CONFIG}: {error}\n{REMEDY}") from error


def _tokens(folder: Path, tokenizer: QwenTokenizer, config: MtpConfig, plus: bool) -> SpecialTokens:
    try:
        tokens = SpecialTokens.of(tokenizer)
    except ValueError as error:
        raise CheckpointError(f"{folder}: {error}") from error
    if tokens.plus != plus:
        kinds = "Plus", "plain"
        model, other = kinds if plus else kinds[::-1]
        raise CheckpointError(f"{folder}: {CONFIG} is of a {model} model, the tokenizer of a {other} one\n{REMEDY}")
    if len(tokenizer) > config.vocab_size:
        raise CheckpointError(
            f"{folder}: the tokenizer has {len(tokenizer)} tokens, vocab_size in {CONFIG} is {config.vocab_size}"
            f"\n{REMEDY}"
        )
    return tokens


def _mode(path: Path, config: MtpConfig, notes: Notes) -> Mode:
    """How the checkpoint wants to be decoded: as the ratio with which it was trained, where it states one."""
    remedy = f"Take {GENERATION} of the same release of VITA-MLLM/VITA-Audio-..., or mend the field."
    numbers = read_json(path, remedy).get(MODE) if path.exists() else None
    if numbers is None:
        why = f"{GENERATION} {'states none' if path.exists() else 'is not there'}"
        if config.modules:
            notes.told.append(f"decoded without its {config.modules} modules unless a mode is asked for: {why}")
        return notes.take("mode", VANILLA, f"default: {why}")
    try:
        if not isinstance(numbers, list):
            raise ValueError(f"{numbers!r} is no list")
        mode = Mode.of(numbers)
    except ValueError as error:
        raise CheckpointError(f"{path}: {MODE}: {error}\n{remedy}") from error
    if mode.uses_modules and not config.modules:  # how it was trained; the language model makes every token
        notes.told.append(f"{path.name} states the mode {mode}, but there are no modules: decoded as {VANILLA}")
        return notes.take("mode", VANILLA, f"{path.name} states {mode}, for which there are no modules")
    return notes.take("mode", mode, path.name)


def _released_settings(model: MtpModel, tokenizer: QwenTokenizer, plus: bool) -> dict[str, Any]:
    """config.json with the release's own keys; what is no size there stands as it was published."""
    names = {False: "Qwen2MTPForCausalLM", True: "Qwen2MTPSenseVoiceForCausalLM"}
    return {
        "architectures": [names[plus]],
        "model_type": next(kind for kind, hears in ARCHITECTURES.items() if hears == plus),
        **asdict(model.config),
        "hidden_act": "silu",
        "attention_dropout": 0.0,
        "use_sliding_window": False,
        "tie_word_embeddings": False,
        "mtp_loss_weight": 1.0,
        "bos_token_id": tokenizer.id_of(END_OF_TEXT),
        "eos_token_id": tokenizer.id_of(TURN_END),
        "torch_dtype": str(model.dtype).removeprefix("torch."),
    }
