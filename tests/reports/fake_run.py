"""Small run directories written by hand, as `harness run` lays them out."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np

HOSTILE = '</script><img src=x onerror="window.hacked=1"><b>bold</b>'


def metric(
    value: float | None, ci: list[float] | None, unit: str, higher: bool, headline: bool = True
) -> dict[str, Any]:
    return {
        "value": value, "ci": ci, "ci_unit": "sample", "n_clusters": 3,
        "unit": unit, "higher_is_better": higher, "headline": headline,
    }  # fmt: skip


def entry(metrics: dict[str, Any], **changes: Any) -> dict[str, Any]:
    base: dict[str, Any] = {
        "version": "1", "prompt": "vita", "profile": "qwen2", "n_expected": 3, "n_scored": 3, "n_failed": 0,
        "n_unscored": 0, "coverage": 1.0, "valid": True, "failures": {}, "truncated": 0, "metrics": metrics,
    }  # fmt: skip
    return base | changes


def sample(id: str, value: float | None = 0.0, text: str = "a b c", **changes: Any) -> dict[str, Any]:
    base: dict[str, Any] = {
        "id": id, "repeat": 0, "request": "0" * 16, "cluster": None, "prompt": "Transcribe.", "media": [],
        "doc": {"text": "a b d"},
        "response": {
            "text": text,
            "timings": {"start": 0.0, "first_token": 0.25, "first_audio": None, "end": 1.0, "audio_s": None},
            "usage": {"prompt_tokens": 3, "new_tokens": 4, "speech_tokens": 0},
        },
        "score": {"name": "wer", "value": value, "parts": {"errors": 1.0, "units": 3.0}, "status": "ok",
                  "extracted": text, "reason": None},
    }  # fmt: skip
    return base | changes


def failed(id: str) -> dict[str, Any]:
    record = sample(id, 1.0)
    del record["response"]
    record["score"] |= {"status": "failed", "extracted": None}
    return record | {"failure": {"stage": "generate", "kind": "limit", "message": "out of memory"}}


def unscored(id: str) -> dict[str, Any]:
    record = sample(id, None)
    record["score"] |= {"status": "unscored", "parts": {}, "reason": "the reference is empty"}
    return record


def write_run(
    path: Path, tasks: dict[str, dict[str, Any]], samples: dict[str, list[dict[str, Any]]], *, model: str = "vita15",
    note: str = "", data: str = "hub", finished: bool = True, **config: Any,
) -> Path:  # fmt: skip
    (path / "samples").mkdir(parents=True)
    described = {
        name: {
            "version": "1", "inputs": ["audio"], "outputs": ["text"], "prompt": t["prompt"], "profile": t["profile"],
            "prompt_text": "Transcribe.", "generation": {"max_new_tokens": 256}, "data": {"id": "some/set"},
            "cluster": None, "citation": "A paper, 2015", "licence": "CC BY 4.0",
        }
        for name, t in tasks.items()
    }  # fmt: skip
    manifest = {
        "format": 1, "created": "2026-01-02T03:04:05+00:00", "platform": "Linux", "device": "cpu", "dtype": "float32",
        "harness": {"version": "0.1.0", "commit": "abc123", "dirty": False}, "versions": {"python": "3.11.2"},
        "config": {"model": model, "data": data, "limit": None, "seed": 0, "ablate": None} | config,
        "model": {"name": model, "note": note, "prompt_style": "vita", "inputs": [], "outputs": [], "fingerprint": {}},
        "tasks": described,
    }  # fmt: skip
    results = {
        "format": 1, "model": {"name": model, "note": note}, "data": data,
        "valid": all(t["valid"] for t in tasks.values()), "tasks": tasks, "times": {},
    }  # fmt: skip
    (path / "manifest.json").write_text(json.dumps(manifest))
    (path / "results.json").write_text(json.dumps(results))
    for task, records in samples.items():
        (path / "samples" / f"{task}.jsonl").write_text("".join(json.dumps(r) + "\n" for r in records))
    if finished:
        (path / "finished.json").write_text("{}")
    return path


def medium(kind: str, path: Path) -> dict[str, str]:
    return {"kind": kind, "path": str(path), "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}


def rich_run(folder: Path) -> Path:
    """Speech and pictures, hostile text, a failure and an unscored sample, made from the mini data."""
    import soundfile
    from PIL import Image

    tone = np.sin(np.arange(8000) / 8.0).astype(np.float32) * 0.2
    soundfile.write(folder / "tone.flac", tone, 16000)
    Image.new("RGB", (64, 48), (40, 120, 180)).save(folder / "picture.png")
    speech = [
        sample("utt-0", 1 / 3, media=[medium("audio", folder / "tone.flac")]),
        sample("utt-1", 2.0, HOSTILE),
        failed("utt-2"),
        unscored("utt-3"),
        *(sample(f"more-{i:03d}", 0.0, "a b d") for i in range(60)),
    ]
    right = {"name": "correct", "value": 1.0, "parts": {}, "status": "ok", "extracted": "yes", "reason": None}
    seen = [sample("q-0", media=[medium("image", folder / "picture.png")], score=right, doc={"answer": "Yes"})]
    tasks = {
        "librispeech_test_clean": entry(
            {"wer": metric(4.21, [3.9, 4.55], "%", False)}, n_expected=64, n_scored=62, n_failed=1, n_unscored=1,
            coverage=62 / 64, valid=False, failures={"generate/limit": 1}, truncated=2,
        ),
        "mme": entry(
            {"perception": metric(1500.0, None, "points", True), "cognition": metric(None, None, "points", True)},
            n_expected=1, n_scored=1, profile="vlmevalkit_vita",
        ),
    }  # fmt: skip
    return write_run(
        folder / "20260102T030405Z-vita15-0123abcd", tasks, {"librispeech_test_clean": speech, "mme": seen},
        note="random weights", data="mini",
    )  # fmt: skip
