"""`ProbeConfig`: the one definition behind the options of `harness probe` and a probe run's manifest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from alignment_probes.names import KNOWN_METRICS, METRICS
from alignment_probes.profiles import PROFILES, Profile
from harness.config import DEVICES, Natural, Positive, names_in, parse_options, told
from harness.contracts import ProbeStage
from harness.failures import UsageError


class ProbeConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is probed, on what, by which convention."""

    model: Annotated[str, Meta(min_length=1), told("model name, see `harness list models`")]
    data: Annotated[str, told("mini, hub (1024 WIT pairs), or a folder with pictures and captions")] = "mini"
    stage: Annotated[ProbeStage, told("unembedding (model's input) or embedding (layers)")] = "unembedding"
    profile: Annotated[Literal["paper", "platonic"], told("paper (k 50, raw) or platonic (k 10, best layers)")] = (
        "paper"
    )
    metrics: Annotated[tuple[str, ...], Meta(min_length=1), told("metrics, comma-separated; default: all seven")] = (
        METRICS
    )
    layers: Annotated[tuple[Natural, ...] | None, told("0,4,8 or all; 0 is the model's input")] = None
    k: Annotated[Positive | None, told("neighbours; default: the profile's")] = None
    audio: Annotated[bool | None, told("with speech or without; default: with it where the model takes speech")] = None
    fuse: Annotated[
        Literal["concat", "tokens"],
        told("vision+audio at the input: both means side by side (concat), or the mean of all tokens"),
    ] = "concat"
    limit: Annotated[Positive | None, told("first N rows")] = None
    seed: Annotated[Natural, told("seed of random weights, shuffles and resamples")] = 0
    batch_size: Annotated[Positive, told("samples of a forward pass")] = 16
    weights: Annotated[str | None, told("folder in the released layout, or a hub id")] = None
    option: Annotated[dict[str, str], told("option of the model alone, NAME=VALUE")] = {}
    device: Annotated[str, Meta(pattern=rf"^({DEVICES})$"), told("auto, cpu, cuda or cuda:N")] = "auto"
    dtype: Annotated[Literal["auto", "float32", "bfloat16", "float16"], told("auto, float32, bfloat16 or float16")] = (
        "auto"
    )

    @property
    def conventions(self) -> Profile:
        return PROFILES[self.profile]

    @property
    def neighbours(self) -> int:
        return self.k if self.k is not None else self.conventions.k


def make_config(fields: Mapping[str, Any]) -> ProbeConfig:
    """Validate fields; every problem is told at once with the name of its field. Raises UsageError."""
    known = {field.name: field for field in msgspec.structs.fields(ProbeConfig)}
    values: dict[str, Any] = {}
    problems = [f"  {name}: no such field" for name in fields if name not in known]
    problems += ["  model: is missing"] * ("model" not in fields)
    for name, value in fields.items():
        if name not in known:
            continue
        try:
            values[name] = msgspec.convert(_READ.get(name, _as_it_is)(value), known[name].type)
        except (ValueError, msgspec.ValidationError) as error:
            names = names_in(known[name].type) if isinstance(error, msgspec.ValidationError) else []
            problems.append(f"  {name}: {error}" + (f"; there are {', '.join(names)}" if names else ""))
    if problems:
        raise UsageError("\n".join(["bad probe configuration:", *problems]))
    config = ProbeConfig(**values)
    if config.layers is not None and config.stage == "unembedding":
        raise UsageError("--layers: the unembedding stage has no layers; leave it out or use --stage embedding")
    return config


def _as_it_is(value: Any) -> Any:
    return value


def _metrics(value: Any) -> Any:
    names = _pieces(value)
    if unknown := [name for name in names if name not in KNOWN_METRICS]:
        raise ValueError(f"unknown {', '.join(map(str, unknown))}; there are {', '.join(KNOWN_METRICS)}")
    if len(set(names)) < len(names):
        raise ValueError("a metric is named twice")
    return names


def _layers(value: Any) -> Any:
    if value is None or value in ("all", ["all"]):
        return None
    try:
        layers = [int(piece) for piece in _pieces(value)]
    except (TypeError, ValueError):
        raise ValueError("give numbers like 0,4,8, or all") from None
    if len(set(layers)) < len(layers):
        raise ValueError("a layer is named twice")
    return layers


def _pieces(value: Any) -> list[Any]:
    """A list, whose texts may hold several names between commas."""
    given = [value] if isinstance(value, str) else list(value)
    return [piece for one in given for piece in (one.split(",") if isinstance(one, str) else [one])]


def _options(value: Any) -> Any:
    return value if isinstance(value, Mapping) else parse_options(_pieces(value))


_READ = {"metrics": _metrics, "layers": _layers, "option": _options}
