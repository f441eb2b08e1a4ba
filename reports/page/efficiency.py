"""How fast a run answered: its stretches, and for each task throughput and the quantiles of its latencies."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from harness.schema import Record
from reports.figures import MISSING
from reports.runs import Run


@dataclass
class Speed:
    """Sums and latencies of a task's answers, in seconds."""

    answers: int = 0
    kept: int = 0
    """Answers that were kept from earlier runs: in none of the other figures."""
    seconds: float = 0.0
    """From one answer to the next, added up: the wall time of answering, over all stretches."""
    new_tokens: int = 0
    speech_s: float = 0.0
    whole: list[float] = field(default_factory=list)
    ttft: list[float] = field(default_factory=list)
    ttfa: list[float] = field(default_factory=list)
    rtf: list[float] = field(default_factory=list)


def speed_of(records: Iterable[Record]) -> Speed:
    """What a task's log says of its speed; failures count in the seconds only, kept answers nowhere."""
    found = Speed()
    for record in records:
        if record.cached:
            found.kept += 1
            continue
        found.seconds += record.took
        if (response := record.response) is None:
            continue
        found.answers += 1
        found.new_tokens += response.usage.new_tokens
        if (timings := response.timings) is None:
            continue
        found.speech_s += timings.audio_s or 0.0
        found.whole.append(timings.end - timings.start)
        for values, value in ((found.ttft, timings.ttft), (found.ttfa, timings.ttfa), (found.rtf, timings.rtf)):
            if value is not None:
                values.append(value)
    return found


HEADINGS = (
    "task",
    "answers",
    "kept from earlier runs",
    "seconds of answering",
    "answers/s",
    "new tokens/s",
    "speech s/s",
    "TTFT p50 / p95 s",
    "TTFA p50 / p95 s",
    "answer p50 / p95 s",
    "RTF p50 / p95",
    "asked",
)


def speed_row(run: Run, task: str) -> list[str]:
    """A task's line under `HEADINGS`."""
    speed = speed_of(run.counted_records(task))
    alone = run.manifest.tasks[task].max_batch == 1
    return [
        task,
        f"{speed.answers:,}",
        f"{speed.kept:,}",
        f"{speed.seconds:.1f}" if speed.seconds else MISSING,
        _rate(speed.answers, speed.seconds),
        _rate(speed.new_tokens, speed.seconds),
        _rate(speed.speech_s, speed.seconds),
        *(_quantiles(values) for values in (speed.ttft, speed.ttfa, speed.whole, speed.rtf)),
        "one at a time" if alone else "in batches: latencies hold waiting for the batch",
    ]


def _rate(amount: float, seconds: float) -> str:
    return f"{amount / seconds:.3g}" if amount and seconds else MISSING


def _quantiles(values: Sequence[float]) -> str:
    """ "0.21 / 0.35"."""
    return " / ".join(f"{value:.3g}" for value in np.quantile(values, [0.5, 0.95])) if values else MISSING
