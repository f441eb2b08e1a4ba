"""`harness probe --table`: both stages in one go, for table 7 and figure 3 of the NEXUS-O paper.

The paper took table 7 (the model's input) from ImageNet concepts and figure 3 (its layers) from Wikipedia captions, so
that each stage may have its own data.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, get_args

from alignment_probes import probe as probes
from alignment_probes.config import ProbeConfig, make_config
from harness.contracts import ProbeStage
from harness.failures import UsageError
from harness.store import RunDir


def configs_of(given: Mapping[str, Any], concepts: str | None = None) -> list[ProbeConfig]:
    """A configuration for each stage, or for the one that is named. `concepts` are the data of the model's input.

    Raises UsageError, for `concepts` beside `--stage embedding` too.
    """
    stages: tuple[ProbeStage, ...] = (given["stage"],) if "stage" in given else get_args(ProbeStage)
    if concepts is not None and "unembedding" not in stages:
        raise UsageError("--concepts are the data of stage unembedding; leave it out, or --stage")
    return [make_config(_fields(given, stage, stages, concepts)) for stage in stages]


def _fields(
    given: Mapping[str, Any], stage: ProbeStage, stages: tuple[ProbeStage, ...], concepts: str | None
) -> dict[str, Any]:
    fields = {**given, "stage": stage}
    if stage == "unembedding":
        if concepts is not None:
            fields["data"] = concepts
        if len(stages) > 1:
            fields.pop("layers", None)  # of the other stage
    return fields


def run_tables(
    configs: list[ProbeConfig],
    out: Path | None = None,
    baseline: Path | None = None,
    draw: Callable[[Path], object] = lambda run: None,
) -> list[RunDir]:
    """A probe run for each configuration: `out` itself for one, else a folder in it named after each stage."""
    if len(configs) == 1:
        return [probes.start(configs[0], out, baseline, draw)]
    if baseline is not None:
        raise UsageError("--baseline is a run of one stage: name it with --stage")
    folder = out or probes.new_path(configs[0])
    return probes.start_each(configs, [folder / config.stage for config in configs], None, draw)
