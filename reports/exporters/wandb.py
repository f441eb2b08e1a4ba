"""A run's numbers as a run of Weights & Biases. The key stays where its own tools keep it."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.exporting import RunNumbers
from harness.failures import RunStopped, UsageError
from harness.sync.remote import harmless
from reports.exporters import known_options

OPTIONS = ("project", "entity", "name", "group", "mode")


def export(run: RunNumbers, out: Path | None, options: Mapping[str, str]) -> str:
    """Put the numbers into the summary, with their intervals in a table `numbers`; the same run each time it is sent.

    `out` is the folder of wandb's own files. Raises RunStopped where the service refuses.
    """
    known_options(options, OPTIONS, "wandb")
    try:
        wandb: Any = importlib.import_module("wandb")
    except ImportError as error:
        raise UsageError(f"--to wandb needs a package: {error}. pip install 'omni-harness[wandb]'") from error
    chosen = {"project": "omni-harness", "name": run.name} | dict(options)
    config = {**run.config, "created": run.created, "model_label": run.model}
    try:
        with wandb.init(
            **chosen,
            id=run.identity[:16],
            resume="allow",
            job_type="evaluation",
            notes=run.note or None,
            config=config,
            dir=None if out is None else str(out),
        ) as sent:
            sent.summary.update({number.name: number.value for number in run.numbers} | {"valid": run.valid})
            rows = [list(number) for number in run.numbers]
            sent.log({"numbers": wandb.Table(columns=["name", "value", "unit", "low", "high", "n"], data=rows)})
            return str(sent.url or f"{run.name}: kept on this machine; `wandb sync` sends it")
    except (UsageError, KeyboardInterrupt):
        raise
    except Exception as error:
        raise RunStopped(f"wandb did not take {run.path}: {harmless(str(error) or type(error).__name__)}") from None
