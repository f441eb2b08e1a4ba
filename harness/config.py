"""`RunConfig`: the one definition behind command-line flags, the YAML file and the manifest."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from harness.failures import UsageError

DEVICES = r"auto|cpu|cuda(:\d+)?"


class RunConfig(BaseModel):
    """What is run, on what, with what. Two runs with equal configs ask the same questions in the same way."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str = Field(min_length=1, description="model name, see `harness list models`")
    tasks: tuple[str, ...] = Field(min_length=1, description="task and suite names")
    data: str = Field("hub", description='"hub", "mini", or a folder with the archives as they unpack')
    weights: str | None = Field(None, description="folder in the released layout, or a hub id")
    limit: int | None = Field(None, ge=1, description="first N samples of each task")
    seed: int = Field(0, ge=0, description="seed of sampling, random weights and bootstraps")
    batch_tokens: int = Field(16384, ge=1, description="token budget of a batch (longest prompt x rows)")
    device: str = Field("auto", pattern=rf"^({DEVICES})$", description="auto, cpu, cuda, cuda:N")
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = Field(
        "auto", description="auto is float32 on a CPU and float16, the released precision, on CUDA"
    )
    profile: dict[str, str] = Field(default_factory=dict, description="scoring profile of a task")
    ablate: Literal["image", "audio", "video"] | None = Field(
        None, description="input to replace by a blank one: a grey picture or clip, silence"
    )
    prompt: str | None = Field(None, description="prompt preset; default: the model's own style")

    @field_validator("tasks", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        return tuple(value.split(",")) if isinstance(value, str) else value

    def differences(self, other: RunConfig) -> list[str]:
        """Lines "field: ours -> theirs" for the fields that differ."""
        ours, theirs = self.model_dump(), other.model_dump()
        return [f"{name}: {ours[name]!r} -> {theirs[name]!r}" for name in ours if ours[name] != theirs[name]]


def read_yaml(path: Path) -> dict[str, Any]:
    """The fields that a YAML config file sets; the names are those of `RunConfig`."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"config file cannot be read: {path}: {error}") from error
    except yaml.YAMLError as error:
        raise UsageError(f"config file is not YAML: {path}: {error}") from error
    if not isinstance(content, dict):
        raise UsageError(f"config file must hold a mapping of field: value, {path} does not")
    return content


def make_config(fields: dict[str, Any], source: str = "command line") -> RunConfig:
    """Validate fields; every problem is told at once with the name of its field."""
    try:
        return RunConfig(**fields)
    except ValidationError as error:
        problems = [f"  {'.'.join(map(str, e['loc'])) or 'config'}: {e['msg']}" for e in error.errors()]
        known = ", ".join(RunConfig.model_fields)
        raise UsageError("\n".join([f"bad configuration ({source}):", *problems, f"fields: {known}"])) from None


def parse_profiles(values: Sequence[str], known: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """`--profile TASK=NAME`, or `--profile NAME` for every task that has it, as a mapping task -> profile.

    `known` maps each task to its profiles. Raises UsageError for a name that no task has.
    """
    chosen: dict[str, str] = {}
    for value in values:
        task, equals, name = value.partition("=")
        having = {task: name} if equals else {task: value for task, profiles in known.items() if value in profiles}
        if not having:
            there = sorted({profile for profiles in known.values() for profile in profiles})
            raise UsageError(f"no task here has a profile {value!r}; there are {', '.join(there)}")
        chosen |= having
    return chosen


def resolve_device(device: str) -> str:
    """ "auto" is CUDA where a usable device is present, else the CPU. Raises UsageError for an unknown device."""
    if not re.fullmatch(DEVICES, device):
        raise UsageError(f"unknown device {device!r}; there are auto, cpu, cuda and cuda:N")
    if device != "auto":
        return device
    if not any(Path("/dev").glob("nvidia[0-9]*")):  # saves importing torch on machines without a GPU
        return "cpu"
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def resolve_dtype(dtype: str, device: str) -> Literal["float32", "bfloat16", "float16"]:
    match dtype:
        case "float32" | "bfloat16" | "float16":
            return dtype
        case "auto":
            return "float32" if device == "cpu" else "float16"
        case _:
            raise UsageError(f"unknown dtype {dtype!r}; there are auto, float32, bfloat16 and float16")
