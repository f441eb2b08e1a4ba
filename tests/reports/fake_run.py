"""Small run directories made of the types of `harness.schema`, without a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np

from harness.files import encoded, write_lines_atomically
from harness.media import sha256_of
from harness.schema import (
    GroupResult,
    Manifest,
    MetricResult,
    ModelManifest,
    ModelResult,
    PlannedRow,
    Record,
    Results,
    Scored,
    ScoreResult,
    StoredMessage,
    StoredPart,
    StoredResponse,
    Stretch,
    TaskManifest,
    TaskResult,
)
from harness.store import RunDir
from harness.types import Failure, MediaKind, Score, Timings, Usage

HOSTILE = '</script><img src=x onerror="window.hacked=1"><b>bold</b>'
DOC = {"text": "a b d"}


class Sample(NamedTuple):
    record: Record
    scored: Scored


def metric(
    value: float | None, ci: tuple[float, float] | None = None, unit: str = "%", higher: bool = False, **changes: Any
) -> MetricResult:
    made = MetricResult(value, unit, higher, headline=True, n=3, ci=ci, ci_method="Clopper-Pearson" if ci else "")
    return msgspec.structs.replace(made, **changes)


def numbers(metrics: Mapping[str, MetricResult], **changes: Any) -> ScoreResult:
    made = ScoreResult(3, 0, 0, 1.0, True, dict(metrics))
    return msgspec.structs.replace(made, **changes)


def entry(metrics: Mapping[str, MetricResult], profile: str = "qwen2", **changes: Any) -> TaskResult:
    """A task's results under one profile; counts that are changed are those of the headline too."""
    counts = {name: changes[name] for name in ("n_scored", "n_failed", "n_unscored", "coverage") if name in changes}
    scores = {profile: {"": numbers(metrics, **counts)}}
    made = TaskResult("1", "vita", profile, "", 3, 3, 0, 0, 1.0, True, scores)  # type: ignore[arg-type]
    changes.setdefault("n_rows", changes.get("n_expected", 3))
    return msgspec.structs.replace(made, **changes)


def part(text: str) -> StoredPart:
    return StoredPart(text)


def medium(kind: MediaKind, path: Path, **changes: Any) -> StoredPart:
    return msgspec.structs.replace(StoredPart(None, kind, str(path), sha256_of(path)), **changes)


def asked(*parts: StoredPart) -> list[StoredMessage]:
    return [StoredMessage("user", [*parts, part("Transcribe.")])]


def sample(
    id: str,
    value: float | None = 0.0,
    text: str = "a b c",
    *,
    messages: list[StoredMessage] | None = None,
    scores: dict[str, dict[Any, Score]] | None = None,
    doc: Mapping[str, Any] = DOC,
    score: Mapping[str, Any] | None = None,
    scored: Mapping[str, Any] | None = None,
    **changes: Any,
) -> Sample:
    """An answered sample. `score`, `scored` and the rest change fields of its headline's score, scores and record."""
    timings = Timings(end=1.0, first_token=0.25)
    record = Record(id, "0" * 64, 0, messages or asked(), dict(doc), took=0.5)
    record.response = StoredResponse(text, timings=timings, usage=Usage(3, 4))
    own = Score("wer", value, {"errors": 1.0, "words": 3.0}, extracted=text, wrong=bool(value), shown=("a b d", text))
    own = replace(own, **(score or {}))
    return Sample(
        msgspec.structs.replace(record, **changes),
        msgspec.structs.replace(Scored(id, scores or {"qwen2": {"": own}}), **(scored or {})),
    )


def failed(id: str) -> Sample:
    failure = Failure("generate", "limit", "out of memory")
    score: dict[str, Any] = {
        "status": "failed",
        "extracted": None,
        "reason": failure.message,
        "shown": None,
        "wrong": True,
    }
    return sample(id, 1.0, score=score, response=None, failure=failure)


def unscored(id: str) -> Sample:
    score: dict[str, Any] = {
        "status": "unscored",
        "parts": {},
        "reason": "the reference is empty",
        "wrong": None,
        "shown": None,
    }
    return sample(id, None, score=score)


def task_manifest(result: TaskResult, **changes: Any) -> TaskManifest:
    made = TaskManifest(
        version=result.version,
        inputs=["audio"],
        outputs=["text"],
        prompt=result.prompt,
        prompt_note="",
        profiles=list(result.scores),
        profile=result.profile,
        channel=result.channel,
        generation={"max_new_tokens": 256},
        pictures={},
        data={"id": "some/set"},
        cluster=None,
        citation="A paper, 2015",
        licence="CC BY 4.0",
        n_published=result.n_published,
        judges=dict(result.judges),
    )
    return msgspec.structs.replace(made, **changes)


def write_run(
    path: Path,
    tasks: Mapping[str, TaskResult],
    samples: Mapping[str, Sequence[Sample]] | None = None,
    *,
    model: str = "vita15",
    released: bool = False,
    note: str = "",
    data: str = "hub",
    finished: bool = True,
    described: Mapping[str, Mapping[str, Any]] | None = None,
    stretches: Sequence[Stretch] = (),
    left_out: Mapping[str, str] | None = None,
    **config: Any,
) -> Path:
    """A run as the engine leaves it. A task without samples gets as many as its results expect.

    `described` changes fields of a task's manifest, `config` those of the configuration.
    """
    manifest = Manifest(
        created="2026-01-02T03:04:05+00:00",
        harness={"version": "0.1.0", "commit": "abc123", "dirty": False},
        versions={"python": "3.11.2"},
        platform="Linux",
        config={"model": model, "data": data, "limit": None, "seed": 0, "ablate": None, "batch_tokens": 16384} | config,
        model=ModelManifest(model, model, note, ["vita"], [], [], {"released": released}),
        device="cpu",
        dtype="float32",
        threads=None,
        tasks={name: task_manifest(result, **(described or {}).get(name, {})) for name, result in tasks.items()},
        left_out=dict(left_out or {}),
    )
    run = RunDir.create(path, manifest)
    manifest.planned = {}
    given = {
        name: list((samples or {}).get(name) or [sample(f"s-{i}") for i in range(result.n_expected)])
        for name, result in tasks.items()
    }
    for name, found in given.items():
        rows = {one.record.id: PlannedRow(one.record.id, one.record.messages, one.record.doc, 3) for one in found}
        manifest.planned[name] = run.write_plan(name, rows.values())
    run.write_manifest(manifest)
    fresh = run.new_scores()
    for name, found in given.items():
        with run.log(name) as log:
            for one in found:
                log.append(one.record)
        write_lines_atomically(fresh / f"{name}.jsonl", (encoded(one.scored) + b"\n" for one in found))
    run.adopt(
        Results(
            model=ModelResult(model, model, note, released),
            data=data,
            valid=all(result.valid for result in tasks.values()),
            tasks=dict(tasks),
            scores=f"scores/{fresh.name}",
            stretches=list(stretches),
        )
    )
    if not finished:
        (path / "finished.json").unlink()
    return path


def tone(path: Path) -> Path:
    import soundfile

    soundfile.write(path, np.sin(np.arange(8000) / 8.0).astype(np.float32) * 0.2, 16000)
    return path


def picture(path: Path, size: tuple[int, int] = (64, 48), **options: Any) -> Path:
    from PIL import Image

    Image.new("RGB", size, (40, 120, 180)).save(path, **options)
    return path


def answered(
    text: str, right: bool, *, profile: str = "vlmevalkit_vita", **changes: Any
) -> dict[str, dict[Any, Score]]:
    """Scores of a yes-or-no question."""
    own = Score("correct", float(right), {"right": float(right), "n": 1.0}, extracted=text, wrong=not right)
    return {profile: {"": replace(own, **changes)}}


def rich_run(folder: Path) -> Path:
    """Speech and pictures, hostile text, a failure and an unscored sample."""
    heard, seen = tone(folder / "tone.flac"), picture(folder / "picture.png")
    speech = [
        sample("utt-0", 1 / 3, messages=asked(medium("audio", heard))),
        sample("utt-1", 2.0, HOSTILE, score={"shown": ("a b d", "img")}),
        failed("utt-2"),
        unscored("utt-3"),
        *(sample(f"more-{i:03d}", 0.0, "a b d") for i in range(60)),
    ]
    question = sample(
        "q-0",
        messages=asked(medium("image", seen)),
        text="yes",
        doc={"answer": "Yes"},
        scores=answered("yes", True, tags={"category": ("posters",)}),
    )
    groups = {"category": {"posters": GroupResult(1, {"perception": metric(200.0, None, "points", True, n=1)})}}
    points = {
        "perception": metric(1500.0, None, "points", True),
        "cognition": metric(None, None, "points", True),
    }
    looked = entry(points, "vlmevalkit_vita", n_expected=1, n_scored=1)
    looked.headline.groups = groups
    tasks = {
        "librispeech_test_clean": entry(
            {"wer": metric(4.21, (3.9, 4.55))},
            n_expected=64,
            n_scored=62,
            n_failed=1,
            n_unscored=1,
            coverage=62 / 63,
            valid=False,
            failures={"generate/limit": 1},
            truncated=2,
            problems=["invalid: coverage 98.4 % is under 99 % (62 of 63 samples scored; 1 x generate/limit)"],
        ),
        "mme": looked,
    }
    return write_run(
        folder / "20260102T030405Z-vita15-0123abcd",
        tasks,
        {"librispeech_test_clean": speech, "mme": [question]},
        note="random weights",
        data="mini",
    )
