"""A probe run, top to bottom: config -> data -> features -> scores -> results -> figures.

The run directory follows the rules of every run: the manifest first, `finished.json` last.
"""

from __future__ import annotations

import hashlib
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import msgspec

from alignment_probes import data as probe_data
from alignment_probes.config import ProbeConfig, make_config
from alignment_probes.data import ProbeData, Rejected
from alignment_probes.features import IMAGE_TILES, Features, check_same_samples, extract
from alignment_probes.neighbours import MIN_ROWS
from alignment_probes.profiles import VARIANTS
from alignment_probes.scores import PERMUTATIONS, Scorer, compared, paired
from harness import manifest, registry
from harness.config import resolve_device, resolve_dtype
from harness.contracts import Model, ModelOptions, ProbedModel
from harness.failures import MIN_COVERAGE, UsageError, coverage
from harness.files import encoded, write_json
from harness.probe_schema import read_index, read_manifest, read_results
from harness.run import RUNS
from harness.store import RunDir
from harness.types import Failure

FORMAT = 1
_PACKAGES = ("numpy", "torch", "transformers", "tokenizers", "safetensors", "scipy", "soundfile", "pillow")
_RESCORED = ("profile", "metrics", "layers", "k", "fuse", "seed", "device")
"""Options that scoring stored features again may change."""


@dataclass(frozen=True)
class Prepared:
    """Everything that is known before the first weight is read."""

    config: ProbeConfig
    model: ProbedModel
    data: ProbeData
    audio: bool
    device: str
    dtype: str


def prepare(config: ProbeConfig) -> Prepared:
    """Resolve names, read the data and check that there is enough of it. Raises UsageError."""
    device = resolve_device(config.device)
    dtype = resolve_dtype(config.dtype, device, config.model)
    options = ModelOptions(config.weights, device, dtype, config.seed, own=config.option)
    model: Model = registry.get_model(config.model)(options)
    if not model.capabilities.hidden_states:
        raise UsageError(f"model {config.model} cannot be probed: it does not give its hidden states")
    if lacking := sorted({"text", "image"} - model.capabilities.inputs):
        raise UsageError(f"model {config.model} cannot be probed: it takes no {', '.join(lacking)}")
    hears = "audio" in model.capabilities.inputs
    if config.audio and not hears:
        raise UsageError(f"--audio: model {config.model} takes no audio; leave the flag out")
    audio = hears if config.audio is None else config.audio
    found = probe_data.load(config.data, config.limit, audio)
    _check_enough(len(found.triples), config, found.rejected)
    return Prepared(config, cast(ProbedModel, model), found, audio, device, dtype)


def preview(config: ProbeConfig) -> dict[str, Any]:
    """What a probe would do (`--dry-run`); loads no weights."""
    prepared = prepare(config)
    first = prepared.data.triples[0]
    return {
        "model": config.model,
        "device": prepared.device,
        "dtype": prepared.dtype,
        "data": dict(prepared.data.fingerprint),
        "stage": config.stage,
        "profile": config.profile,
        "k": config.neighbours,
        "metrics": list(config.metrics),
        "compared": [f"{side}-text" for side in compared(config.stage, prepared.audio)],
        "samples": len(prepared.data.triples),
        "left_out": [f"{row.id}: {row.failure.message}" for row in prepared.data.rejected],
        "first": {"id": first.id, "image": first.image.path, "caption": first.caption}
        | ({} if first.audio is None else {"audio": first.audio.path}),
    }


def start(
    config: ProbeConfig,
    out: Path | None = None,
    baseline: Path | None = None,
    draw: Callable[[Path], object] = lambda run: None,
) -> RunDir:
    """Probe a model in a new run directory. `draw` makes the figures of a run that has its results."""
    (run,) = start_each([config], [out or new_path(config)], baseline, draw)
    return run


def start_each(
    configs: Sequence[ProbeConfig],
    outs: Sequence[Path],
    baseline: Path | None = None,
    draw: Callable[[Path], object] = lambda run: None,
) -> list[RunDir]:
    """Several probes of one model, which is opened once; each has a run directory of its own.

    What can be told of any of them before the model is read is told first.
    """
    asked = [prepare(config) for config in configs]
    other = None if baseline is None else RunDir.open(baseline)
    if other is not None:
        for prepared in asked:
            ids = {triple.id for triple in prepared.data.triples}
            _check_baseline(prepared.config, prepared.data.fingerprint, ids, other)
    model = asked[0].model
    asked = [replace(prepared, model=model) for prepared in asked]
    with closing(model):
        model.open()
        for prepared in asked:
            _check_layers(prepared.config, model.n_layers + 1)
        runs = [RunDir.create(out, _described(prepared, other)) for prepared, out in zip(asked, outs, strict=True)]
        taken = [_taken(run, prepared) for run, prepared in zip(runs, asked, strict=True)]
    for run, prepared, (rejected, seconds) in zip(runs, asked, taken, strict=True):
        features, times = Features.open(run.path / "features"), {"features": round(seconds, 3)}
        _finish(run, prepared.config, features, rejected, prepared.device, other, draw, times)
    return runs


def _taken(run: RunDir, prepared: Prepared) -> tuple[list[Rejected], float]:
    """Take a run's features with its model open; what was left out, and how long it took in seconds."""
    config, data = prepared.config, prepared.data
    with run.lock():
        began = time.monotonic()
        failed = extract(prepared.model, data.triples, config.stage, run.path / "features", config.batch_size)
        return [*data.rejected, *failed], time.monotonic() - began


def rescore(
    source: Path,
    options: Mapping[str, Any],
    out: Path | None = None,
    baseline: Path | None = None,
    draw: Callable[[Path], object] = lambda run: None,
) -> RunDir:
    """Score the stored features of a probe run anew, in a new run directory. Needs no model.

    `options` may change what `harness probe` names about scores; UsageError for what features depend on.
    """
    old = RunDir.open(source)
    described = described_by(old)
    _check_probe(old, described)
    if stray := [name for name in options if name not in _RESCORED]:
        raise UsageError(f"--from-features takes {', '.join(stray)} from the run it reads; leave it out")
    config = make_config({**described["config"], **options})
    features = features_of(old)
    _check_layers(config, features.n_layers)
    stored = results_of(old)
    failures = [Rejected(row["id"], Failure(**row["failure"])) for row in stored["left_out"]]
    _check_enough(len(features.ids), config, failures)
    other = None if baseline is None else RunDir.open(baseline)
    if other is not None:
        _check_baseline(config, described["data"], {*features.ids}, other)
    fresh = described | {
        "created": manifest.now(),
        "harness": {"version": manifest.package_version("omni-harness"), **manifest.git_state()},
        "versions": _versions(),
        "config": msgspec.to_builtins(config),
        "features": {"run": old.name, "folder": str(features.folder.resolve()), "sha256": _index_hash(features.folder)},
        "baseline": _baseline(other),
    }
    run = RunDir.create(out or new_path(config), fresh)
    _finish(run, config, features, failures, resolve_device(config.device), other, draw, {})
    return run


def described_by(run: RunDir) -> dict[str, Any]:
    """The manifest of a probe run. Raises UsageError for a run of another kind, or naming the field at fault."""
    if run.kind != "probe":
        raise UsageError(f"{run.path} is no probe run; `harness probe` makes one")
    return read_manifest(run.path)


def results_of(run: RunDir) -> dict[str, Any]:
    """The results of a probe run. Raises UsageError where there are none."""
    return read_results(run.path)


def features_of(run: RunDir) -> Features:
    """The features that a probe run holds or, made from another run's features, refers to."""
    described = described_by(run)
    _check_probe(run, described)
    folder = run.path / "features"
    referred = described.get("features", {})
    if not folder.is_dir() and "folder" in referred:
        folder = Path(referred["folder"])
        if folder.is_dir() and _index_hash(folder) != referred["sha256"]:
            raise UsageError(f"{folder} has changed since {run.path} was scored from it; probe the model again")
    return Features.open(folder)


def _finish(
    run: RunDir,
    config: ProbeConfig,
    features: Features,
    rejected: list[Rejected],
    device: str,
    baseline: RunDir | None,
    draw: Callable[[Path], object],
    times: dict[str, float],
) -> None:
    """Score the features and write results.json, the figures, and finished.json last."""
    with run.lock():
        _check_enough(len(features.ids), config, rejected)
        began = time.monotonic()
        described = described_by(run)
        results = _results(described, config, features, rejected, device, baseline)
        times = times | {"scores": round(time.monotonic() - began, 3)}
        write_json(run.path / "results.json", results | {"times": times})
        draw(run.path)
        write_json(run.path / "finished.json", {"finished": manifest.now()})


def _results(
    described: Mapping[str, Any],
    config: ProbeConfig,
    features: Features,
    rejected: list[Rejected],
    device: str,
    baseline: RunDir | None,
) -> dict[str, Any]:
    profile = config.conventions
    scorer = Scorer(features, profile, config.neighbours, config.metrics, config.fuse, config.seed, device)
    expected = len(features.ids) + len(rejected)
    with_layers = config.stage == "embedding"
    return {
        "format": FORMAT,
        "kind": "probe",
        "model": {"name": described["model"]["name"], "note": described["model"]["note"]},
        "data": config.data,
        "stage": config.stage,
        "profile": config.profile,
        "k": config.neighbours,
        "k_of_profile": profile.k,
        "variant": profile.variant,
        "clamp": profile.clamp,
        "fuse": None if with_layers else config.fuse,
        "metrics": list(config.metrics),
        "permutations": PERMUTATIONS,
        "n": len(features.ids),
        "n_expected": expected,
        "n_failed": len(rejected),
        "coverage": coverage(len(features.ids), expected),
        "valid": coverage(len(features.ids), expected) >= MIN_COVERAGE,
        "left_out": [
            {
                "id": row.id,
                "failure": {"stage": row.failure.stage, "kind": row.failure.kind, "message": row.failure.message},
            }
            for row in rejected
        ],
        "scores": [entry for variant in VARIANTS for entry in scorer.entries(variant, config.layers)],
        "grids": [grid for variant in VARIANTS for grid in scorer.grids(variant, config.layers)]
        if with_layers and profile.best_pair
        else [],
        "audio_gain": paired(scorer, scorer, "vision+audio", "vision", config.layers) if features.has_audio else [],
        "against_baseline": None if baseline is None else _against(scorer, config, baseline),
        "tasks": {},
    }


def _against(scorer: Scorer, config: ProbeConfig, baseline: RunDir) -> dict[str, Any]:
    """Paired tests of this run's model against another probe run's, on the same samples."""
    theirs = features_of(baseline)
    check_same_samples(scorer.features, theirs)
    other = described_by(baseline)
    second = replace(scorer, features=theirs)
    tests = [
        test
        for side in scorer.sides
        if side in second.sides
        for test in paired(scorer, second, side, side, config.layers)
    ]  # corrected within a comparison
    return {"run": baseline.name, "model": other["model"]["name"], "note": other["model"]["note"], "tests": tests}


def _described(prepared: Prepared, baseline: RunDir | None) -> dict[str, Any]:
    model = prepared.model
    return {
        "format": FORMAT,
        "kind": "probe",
        "created": manifest.now(),
        "harness": {"version": manifest.package_version("omni-harness"), **manifest.git_state()},
        "versions": _versions(),
        "platform": platform.platform(),
        "config": msgspec.to_builtins(prepared.config),
        "model": {
            "name": model.name,
            "note": model.note,
            "layers": model.n_layers,
            "inputs": sorted(model.capabilities.inputs),
            "outputs": sorted(model.capabilities.outputs),
            "fingerprint": dict(model.fingerprint()),
        },
        "device": prepared.device,
        "dtype": prepared.dtype,
        "data": dict(prepared.data.fingerprint),
        "image_tiles": IMAGE_TILES,
        "baseline": _baseline(baseline),
        "tasks": {},
    }


def _baseline(run: RunDir | None) -> dict[str, Any] | None:
    if run is None:
        return None
    return {"run": run.name, "features_sha256": _index_hash(features_of(run).folder)}


def _check_baseline(config: ProbeConfig, data: Mapping[str, Any], ids: set[str], baseline: RunDir) -> None:
    """Raises UsageError, before anything is computed, unless the baseline was probed on the same data."""
    theirs = features_of(baseline)
    if theirs.stage != config.stage:
        raise UsageError(f"--baseline {baseline.path} is of stage {theirs.stage}, this probe of {config.stage}")
    before = described_by(baseline)["data"]
    if before["sha256"] == data["sha256"]:
        return
    silent = None in (before.get("speech", ""), data.get("speech", ""))
    if silent and before.get("pairs_sha256", "") == data.get("pairs_sha256"):
        return  # one of them without speech, on the same pictures and captions
    stray = sorted(ids ^ {*theirs.ids})
    told = f"{len(stray)} samples are in one of them only, e.g. {stray[0]!r}" if stray else "their content differs"
    raise UsageError(
        f"--baseline {baseline.path} was probed on other samples ({len(theirs.ids)}, here {len(ids)}): {told}. "
        "Probe both models on the same --data and --limit."
    )


def _check_enough(n: int, config: ProbeConfig, rejected: Any) -> None:
    """Raises UsageError unless every sample has k others."""
    k = config.neighbours
    if n > k and n >= MIN_ROWS:
        return
    why = f" {len(rejected)} rows were left out; the first, {rejected[0].failure.message}." if rejected else ""
    remedy = f" or fewer neighbours with --k {n - 1}" if n >= MIN_ROWS else ""
    raise UsageError(
        f"{k} neighbours (profile {config.profile}) need at least {max(k + 1, MIN_ROWS)} samples, {n} are left."
        f"{why} Use more data, a larger --limit{remedy}."
    )


def _check_layers(config: ProbeConfig, states: int) -> None:
    if bad := [layer for layer in config.layers or () if not 0 <= layer < states]:
        raise UsageError(
            f"--layers {', '.join(map(str, bad))}: model {config.model} has states 0 (its input) to {states - 1}"
        )


def _check_probe(run: RunDir, described: Mapping[str, Any]) -> None:
    if described.get("format") != FORMAT:
        raise UsageError(f"{run.path}: format is {described.get('format')!r}, this version reads {FORMAT}")


def _index_hash(folder: Path) -> str:
    """Hash of the index, which holds the hash of every shard."""
    read_index(folder)
    return hashlib.sha256((folder / "index.json").read_bytes()).hexdigest()


def _versions() -> dict[str, str | None]:
    return {"python": platform.python_version()} | {name: manifest.package_version(name) for name in _PACKAGES}


def new_path(config: ProbeConfig) -> Path:
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    digest = hashlib.sha256(encoded(config)).hexdigest()[:8]
    return RUNS / f"{stamp}-probe-{config.model}-{digest}"
