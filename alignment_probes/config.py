"""`ProbeConfig`: the one definition behind the options of `harness probe` and a probe run's manifest."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from alignment_probes.metrics import KNOWN_METRICS, METRICS
from alignment_probes.profiles import PROFILES, Profile
from harness.config import DEVICES
from harness.contracts import ProbeStage
from harness.failures import UsageError


class ProbeConfig(BaseModel):
    """What is probed, on what, by which convention."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str = Field(min_length=1, description="model name, see `harness list models`")
    data: str = Field("mini", description='"mini", "hub" (1024 WIT pairs), or a folder with a table')
    stage: ProbeStage = Field("unembedding", description="mean token embeddings, or last-token states of layers")
    profile: Literal["paper", "platonic"] = Field("paper", description="convention of the scores")
    metrics: tuple[str, ...] = Field(METRICS, min_length=1, description="alignment metrics")
    layers: tuple[int, ...] | None = Field(None, description="states to score; None is all, 0 the model's input")
    k: int | None = Field(None, ge=1, description="neighbours; None is the profile's number")
    fuse: Literal["concat", "tokens"] = Field(
        "concat", description="vision+audio at the model's input: both means side by side, or the mean of all tokens"
    )
    limit: int | None = Field(None, ge=1, description="first N rows")
    seed: int = Field(0, ge=0, description="seed of random weights, shuffles and resamples")
    batch_size: int = Field(16, ge=1, description="samples of a forward pass")
    weights: str | None = Field(None, description="folder in the released layout, or a hub id")
    device: str = Field("auto", pattern=rf"^({DEVICES})$", description="auto, cpu, cuda, cuda:N")
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"

    @field_validator("metrics", mode="before")
    @classmethod
    def _metrics(cls, value: Any) -> Any:
        names = tuple(value.split(",")) if isinstance(value, str) else tuple(value)
        if unknown := [name for name in names if name not in KNOWN_METRICS]:
            raise ValueError(f"unknown {', '.join(unknown)}; there are {', '.join(KNOWN_METRICS)}")
        if len(set(names)) < len(names):
            raise ValueError("a metric is named twice")
        return names

    @field_validator("layers", mode="before")
    @classmethod
    def _layers(cls, value: Any) -> Any:
        if value is None or value == "all":
            return None
        if not isinstance(value, str):
            return value
        try:
            layers = tuple(int(piece) for piece in value.split(","))
        except ValueError:
            raise ValueError("give numbers like 0,4,8, or all") from None
        if len(set(layers)) < len(layers):
            raise ValueError("a layer is named twice")
        return layers

    @property
    def conventions(self) -> Profile:
        return PROFILES[self.profile]

    @property
    def neighbours(self) -> int:
        return self.k if self.k is not None else self.conventions.k


def make_config(fields: dict[str, Any]) -> ProbeConfig:
    """Validate fields; every problem is told at once with the name of its field. Raises UsageError."""
    try:
        config = ProbeConfig(**fields)
    except ValidationError as error:
        problems = [f"  {'.'.join(map(str, e['loc'])) or 'config'}: {e['msg']}" for e in error.errors()]
        raise UsageError("\n".join(["bad probe configuration:", *problems])) from None
    if config.layers is not None and config.stage == "unembedding":
        raise UsageError("--layers: the unembedding stage has no layers; leave it out or use --stage embedding")
    return config
