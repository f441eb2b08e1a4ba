"""Whether runs are alike in all that their answers and scores depend on, so that they can be joined."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from harness.config import make_config
from harness.differences import changes
from harness.failures import UsageError
from harness.files import plain
from harness.schema import Manifest, Results

Described = tuple[Path, Manifest, Results]

PLACES = ("data", "weights", "part", "cache")
"""Fields of a configuration in which shards may differ: what lies there is known by its fingerprint."""
TOLD = ("device", "threads", "batch_tokens")
"""Fields in which they may differ too, and which change last digits: it is told."""


def check_alike(shards: Sequence[Described]) -> None:
    """Raises UsageError with every difference between the first shard and the others that would mix two runs."""
    path, manifest, results = shards[0]
    lines = []
    for other, theirs, scored in shards[1:]:
        changed = [*_config(manifest, theirs, leaving=(*PLACES, *TOLD)), *_material(manifest, theirs)]
        changed += _scoring(results, scored)
        lines += [f"  {line}" for line in changed]
        lines += [f"  ({path.name} -> {other.name})"] if changed else []
    if lines:
        raise UsageError("\n".join(["these runs are not parts of one: they differ in", *lines]))


def differing(shards: Sequence[Described]) -> Iterator[str]:
    """What may differ between shards, and does."""
    path, manifest, _ = shards[0]
    for other, theirs, _ in shards[1:]:
        changed = list(_config(manifest, theirs, leaving=PLACES))
        for name in ("device", "platform", "harness", "versions"):
            changed += changes(getattr(manifest, name), getattr(theirs, name), name)
        if changed:
            yield f"{other.name} differs from {path.name}: {'; '.join(dict.fromkeys(changed))}"


def _config(ours: Manifest, theirs: Manifest, leaving: Sequence[str]) -> Iterator[str]:
    first, second = (make_config(one.config, "manifest.json") for one in (ours, theirs))
    for line in first.differences(second):
        if line.partition(":")[0] not in leaving:
            yield f"config.{line}"


def _material(ours: Manifest, theirs: Manifest) -> Iterator[str]:
    yield from changes(_model(ours), _model(theirs), "model")
    yield from changes(ours.dtype, theirs.dtype, "dtype")
    yield from changes(ours.tasks, theirs.tasks, "tasks")


def _model(manifest: Manifest) -> Any:
    """The model without the place of its weights, where their content is known."""
    model = plain(manifest.model)
    if model["fingerprint"].get("digest"):
        model["fingerprint"].pop("source", None)
    return model


def _scoring(ours: Results, theirs: Results) -> Iterator[str]:
    for name in ours.tasks.keys() & theirs.tasks.keys():
        first, second = ours.tasks[name], theirs.tasks[name]
        for field in ("version", "profile", "judges"):
            yield from changes(getattr(first, field), getattr(second, field), f"results.{name}.{field}")
        yield from changes(sorted(first.scores), sorted(second.scores), f"results.{name}.profiles")
