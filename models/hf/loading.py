"""Where a model is and what it is, and its weights: safetensors only, every tensor accounted for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from harness.contracts import DType, ModelOptions
from harness.failures import UsageError
from harness.files import at_home, is_there
from models.checkpoint_error import CheckpointError, left_out
from models.devices import dtype_of
from models.generation import GenerationDefaults
from models.hf.outline import REMEDY, Outline, outlined, stated_dtype
from models.hf.processors import has_torchvision, load_processor, tokenizer_of
from models.hf.quiet import quiet
from models.released import hub, identity
from models.released.files import read_json, weight_files
from models.released.identity import Identity

SETTINGS = ("*.json", "*.jinja", "*.txt", "*.model")
FILES = ("*.safetensors", *SETTINGS, "spk_dict.pt")
SPEAKERS = "spk_dict.pt"
"""The voices of Qwen2.5-Omni: tensors, read with weights_only."""


@dataclass(frozen=True)
class Place:
    """What is behind "transformers:": a folder, or a hub id with a revision after @."""

    name: str
    revision: str | None = None

    @classmethod
    def of(cls, rest: str) -> Place:
        if (whole := cls(rest)).folder is not None:
            return whole
        name, _, revision = rest.partition("@")
        return cls(name, revision or None)

    @property
    def folder(self) -> Path | None:
        path = at_home(self.name)
        return path if is_there(path) and path.is_dir() else None

    @property
    def shown(self) -> str:
        """What a model from here is called: a folder's own name, a hub id as it is."""
        return self.name if self.folder is None else self.folder.resolve().name


@dataclass(frozen=True)
class Opened:
    """A loaded model with its processor, what identifies it, and what ends its answers."""

    model: Any
    processor: Any
    outline: Outline
    identity: Identity
    generation: GenerationDefaults

    @property
    def tokenizer(self) -> Any:
        return tokenizer_of(self.processor)


def settings_folder(place: Place) -> Path:
    """A folder with the config.json of a model, which is all that is fetched of one on the hub."""
    return place.folder or _located(place, SETTINGS, lambda folder: read_json(folder / "config.json", REMEDY)).folder


def dtype(rest: str) -> DType:
    """The number type that a model was released in."""
    try:
        return stated_dtype(read_json(settings_folder(Place.of(rest)) / "config.json", REMEDY))
    except CheckpointError as error:
        raise UsageError(str(error)) from error


def load(place: Place, options: ModelOptions) -> Opened:
    """Raises UsageError naming the file and the remedy."""
    source = hub.Source(place.folder, str(place.folder), None) if place.folder else _located(place, FILES, _weights)
    try:
        outline = outlined(source.folder)
        files = _weights(source.folder)
        with quiet():
            processor = load_processor(source.folder, outline)
            model, unknown = _model(source.folder, outline, options)
    except CheckpointError as error:
        raise UsageError(str(error)) from error
    told = [left_out(unknown)] if unknown else []
    if outline.recognises:
        told.append("a recogniser: the text of prompts is not used")
    if "video" in outline.capabilities.inputs:
        told.append("videos are shown as their frames, one picture each")
    known = Identity(
        source=source.name,
        digest=identity.digest(source.folder, files),
        revision=source.revision,
        released=source.revision is not None,
        note=identity.read_card(source.folder).note,
        told=tuple(told),
        more={"architecture": type(model).__name__, "torchvision": has_torchvision(), "unknown_tensors": unknown,
              "speech": bool(getattr(model, "has_talker", False) and model.speaker_map)},
    )  # fmt: skip
    return Opened(model, processor, outline, known, _defaults(model, tokenizer_of(processor)))


def _weights(folder: Path) -> list[Path]:
    """All that an answer depends on: weights, and the settings beside them."""
    settings = {path for pattern in SETTINGS for path in folder.glob(pattern) if path.name != identity.CARD}
    speakers = [folder / SPEAKERS] if (folder / SPEAKERS).is_file() else []
    return [*weight_files(folder, f"Only safetensors are read. {REMEDY}"), *sorted(settings), *speakers]


def _located(place: Place, files: tuple[str, ...], check: Any) -> hub.Source:
    if "/" not in place.name or place.name.startswith((".", "/", "~")):
        raise UsageError(
            f"--model transformers:{place.name}: no such folder, and no hub id of the form owner/name. {REMEDY}"
        )
    release = hub.Release(place.name, files, check, folder="name its folder: --model transformers:DIR")
    return hub.locate(place.name, release, place.revision)


def _model(folder: Path, outline: Outline, options: ModelOptions) -> tuple[Any, list[str]]:
    import transformers
    from transformers import PreTrainedModel

    config = transformers.AutoConfig.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
    auto: Any = getattr(transformers, outline.auto)
    cls = auto._model_mapping[type(config)]
    try:
        # Not by the class's own method, which for models with voices demands a file of these.
        model, info = PreTrainedModel.from_pretrained.__func__(  # type: ignore[attr-defined]
            cls, folder, config=config, dtype=dtype_of(options), use_safetensors=True, local_files_only=True,
            output_loading_info=True,
        )  # fmt: skip
    except Exception as error:  # a broken file makes the library raise nearly anything
        reason = (str(error).strip() or type(error).__name__).partition("\n")[0]
        raise CheckpointError(
            f"{folder}: its weights cannot be loaded as {cls.__name__}: {reason}\n{REMEDY}"
        ) from error
    faults = [f"missing {name}" for name in sorted(info["missing_keys"])]
    faults += [f"{name[0]} has another shape" for name in sorted(info["mismatched_keys"])]
    if faults:
        listed = "\n  ".join(faults[:12])
        raise CheckpointError(f"{folder}: the weights do not fit {cls.__name__}\n  {listed}\n{REMEDY}")
    if getattr(model, "has_talker", False) and (folder / SPEAKERS).is_file():
        model.speaker_map.update(torch.load(folder / SPEAKERS, weights_only=True, map_location=options.device))
    return model.to(options.device).eval(), sorted(info["unexpected_keys"])


def _defaults(model: Any, tokenizer: Any) -> GenerationDefaults:
    stated = getattr(writer(model), "generation_config", None)
    ends = getattr(stated, "eos_token_id", None)
    if ends is None:
        ends = getattr(tokenizer, "eos_token_id", None)
    stops = tuple(ends) if isinstance(ends, list | tuple) else () if ends is None else (int(ends),)
    penalty = getattr(stated, "repetition_penalty", None)
    return GenerationDefaults(stops, 1.0 if penalty is None else float(penalty))


def writer(model: Any) -> Any:
    """The part that writes text: of a model that speaks too its thinker."""
    return getattr(model, "thinker", model)
