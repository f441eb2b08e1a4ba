"""A run's numbers as TensorBoard event files, through torch's own writer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from harness.exporting import RunNumbers
from harness.failures import UsageError
from harness.files import encoded
from reports.exporters import known_options

OF_RUN = "run.txt"
"""Beside the events: the identity of the run that they are of."""


def export(run: RunNumbers, out: Path | None, options: Mapping[str, str]) -> str:
    """Write `out`/<run> (`tensorboard` unless given) with a scalar for each number at step 0, and the config as text.

    What was exported there of this run before is replaced, so that no value stands twice. Raises UsageError where
    events of anything else are there.
    """
    known_options(options, (), "tensorboard")
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise UsageError(
            f"--to tensorboard needs a package: {error}. pip install 'omni-harness[tensorboard]'"
        ) from error
    folder = (out or Path("tensorboard")) / run.name
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file; name another --out")
    before, mark = list(folder.glob("events.out.tfevents.*")), folder / OF_RUN
    if before and (not mark.is_file() or mark.read_text(encoding="utf-8") != run.identity):
        raise UsageError(f"{folder} holds events of something else than {run.path}; name another --out")
    for old in before:
        old.unlink()
    when = datetime.fromisoformat(run.created).timestamp()
    with SummaryWriter(str(folder)) as writer:
        mark.write_text(run.identity, encoding="utf-8")
        for number in run.numbers:
            writer.add_scalar(number.name, number.value, 0, walltime=when)
            for end, value in (("low", number.low), ("high", number.high)):
                if value is not None:
                    writer.add_scalar(f"{number.name}/{end}", value, 0, walltime=when)
        writer.add_text("model", run.model, 0, walltime=when)
        writer.add_text("config", f"```\n{encoded(run.config).decode()}\n```", 0, walltime=when)
        if run.note:
            writer.add_text("note", run.note, 0, walltime=when)
    return f"{folder} ({len(run.numbers):,} numbers)"
