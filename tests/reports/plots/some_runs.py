"""Runs for plots: speech with utterance errors and timings, pictures with sub-scores."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from harness.schema import GroupResult, MetricResult, TaskResult
from harness.types import Score, Timings
from reports.runs import Run, load
from tests.reports.fake_run import Sample, entry, failed, metric, sample, write_run

SPEECH, PICTURES = "librispeech_test_clean", "mme"
CATEGORIES = {"OCR": 185.0, "数字": 55.0, "scene <b> $x$": None}


def utterance(n: int, errors: float, units: float, timings: Timings | None = None) -> Sample:
    """An utterance with that many errors in that many words."""
    score = Score("wer", None, {"errors": errors, "units": units}, wrong=bool(errors))
    made = sample(f"u-{n}", scores={"qwen2": {"": score}})
    assert made.record.response is not None
    made.record.response.timings = timings
    return made


def moments(ttft: float, ttfa: float | None = None, end: float = 2.0) -> Timings:
    return Timings(end=end, encoded=ttft / 2, first_token=ttft, first_audio=ttfa)


def speech(value: float | None, n: int, **changes: Any) -> TaskResult:
    ci = None if value is None else (max(0.0, value - 1), value + 2)
    return entry({"wer": metric(value, ci)}, n_expected=n, n_scored=n, **changes)


def points(total: float | None, groups: Mapping[str, float | None] = CATEGORIES) -> TaskResult:
    """MME: three headline metrics in points, and the score of each category."""

    def one(value: float | None) -> MetricResult:
        return metric(value, None if value is None else (value - 5, value + 5), "points", True, ci_unit="image")

    made = entry(
        {"perception": one(1500.0), "cognition": one(None), "total": one(total)}, "vlmevalkit_vita", n_scored=3
    )
    if groups:
        made.headline.groups = {"category": {name: GroupResult(6, {"score": one(v)}) for name, v in groups.items()}}
    return made


def percent(value: float | None, **changes: Any) -> TaskResult:
    ci = None if value is None else (value - 4, value + 4)
    return entry({"accuracy": metric(value, ci, higher=True)}, "vlmevalkit_vita", **changes)


def make(
    path: Path,
    tasks: Mapping[str, TaskResult],
    samples: Mapping[str, Sequence[Sample]] | None = None,
    *,
    digest: str = "one",
    **more: Any,
) -> Run:
    """A run whose weights have that digest; its tasks take pictures in, those on speech sound."""
    described = {task: {"inputs": ["audio" if task == SPEECH else "image"]} for task in tasks}
    write_run(path, tasks, samples, described=described, **more)
    manifest = json.loads((path / "manifest.json").read_text())
    manifest["model"]["fingerprint"]["digest"] = digest
    (path / "manifest.json").write_text(json.dumps(manifest))
    return load(path)


def utterances() -> list[Sample]:
    """Six with 5 errors in 20 words, of which the mean of rates is another number; one failed, one has no word."""
    rates = [(0.0, 4.0), (1.0, 2.0), (0.0, 6.0), (1.0, 4.0), (3.0, 1.0), (0.0, 3.0)]
    times = [moments(0.1 * (n + 1), 0.2 * (n + 1) if n else None, 1.0 + n) for n in range(len(rates))]
    found = [utterance(n, *rate, at) for n, (rate, at) in enumerate(zip(rates, times, strict=True))]
    gone = failed("gone")
    gone = gone._replace(scored=msgspec.structs.replace(gone.scored, scores={"qwen2": {"": Score("wer", 1.0, {})}}))
    return [*found, utterance(9, 1.0, 0.0), gone]


def whole(folder: Path, name: str = "run", **more: Any) -> Run:
    """A run with something for every plot of one run."""
    tasks = {SPEECH: speech(25.0, 8), PICTURES: points(1900.0), "mmstar": percent(40.0), "ai2d": percent(None)}
    return make(folder / name, tasks, {SPEECH: utterances()}, note="random weights", data="mini", **more)
