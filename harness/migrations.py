"""Run directories of earlier formats, as this version reads them.

Format 1 kept the score of one profile in each record and had no plan. It is shown, reported and scored again; a run
of format 1 that was not finished is finished by the version that began it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import orjson

from harness.failures import UsageError
from harness.schema import FORMAT, Record, Scored

READABLE = (1, FORMAT)


def check(found: object, path: Path) -> None:
    """Raise UsageError for a format that this version does not know: never read, never overwritten."""
    if found not in READABLE:
        raise UsageError(
            f"{path}: format is {found!r}, this version reads {' and '.join(map(str, READABLE))}. "
            "Use the version of the harness that wrote it (the manifest's field harness names it)."
        )


def manifest(content: Mapping[str, Any], where: str) -> Mapping[str, Any]:
    """A manifest of any known format as one of the present one."""
    if content.get("format") != 1:
        return content
    try:
        model = content["model"]
        tasks = {name: _task(entry) for name, entry in content["tasks"].items()}
        return {
            **{name: content[name] for name in ("created", "harness", "versions", "platform", "device", "dtype")},
            "config": content["config"],
            "threads": None,
            "model": {
                **{name: model[name] for name in ("name", "note", "inputs", "outputs", "fingerprint")},
                "label": model["name"],
                "prompt_styles": [model["prompt_style"]],
            },
            "tasks": tasks,
            "planned": None,
            "resumed": content.get("resumed", []),
            "kind": content.get("kind", "evaluation"),
            "format": 1,
        }
    except (KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"{where}: field {error} is missing or of another type; was the file edited?") from error


def _task(entry: Mapping[str, Any]) -> dict[str, Any]:
    kept = ("version", "inputs", "outputs", "prompt", "profile", "generation", "data", "cluster", "citation", "licence")
    return {
        **{name: entry[name] for name in kept},
        "prompt_note": "",
        "profiles": [entry["profile"]],
        "channel": "",
        "pictures": {},
    }


def results(content: Mapping[str, Any], run: Path) -> Mapping[str, Any]:
    """`results.json` of any known format as the present one; format 1 had one profile and no channels."""
    found = content.get("format")
    check(found, run / "results.json")
    if found != 1:
        return content
    try:
        return {
            "model": {**content["model"], "label": content["model"]["name"]},
            "data": content["data"],
            "valid": content["valid"],
            "tasks": {name: _result(entry) for name, entry in content["tasks"].items()},
        }
    except (KeyError, TypeError, AttributeError) as error:
        where = run / "results.json"
        raise UsageError(f"{where}: field {error} is missing or of another type; was the file edited?") from error


def _result(entry: Mapping[str, Any]) -> dict[str, Any]:
    counts = {name: entry[name] for name in ("n_scored", "n_failed", "n_unscored", "coverage", "valid")}
    metrics = {
        name: {
            **{field: metric[field] for field in ("value", "unit", "higher_is_better", "headline", "ci", "ci_unit")},
            "n": metric["n_clusters"],
            "ci_method": "bootstrap",
        }
        for name, metric in entry["metrics"].items()
    }
    return {
        **counts,
        **{name: entry[name] for name in ("version", "prompt", "profile", "n_expected", "failures", "truncated")},
        "channel": "",
        "n_rows": entry["n_expected"],
        "scores": {entry["profile"]: {"": {**counts, "metrics": metrics}}},
    }


def records(path: Path) -> Iterator[Record]:
    """The records of a log of format 1. Their prompts had lost roles and order: a text and the media before it."""
    for number, line in _lines(path):
        try:
            parts = [{"kind": m["kind"], "path": m["path"], "sha256": m["sha256"]} for m in line["media"]]
            response = line.get("response")
            if response and response.get("speech"):
                speech = response["speech"]
                response = {**response, "speech": {**speech, "sha256": Path(speech["path"]).stem}}
            failure = line.get("failure")
            fields = {
                **{name: line[name] for name in ("id", "repeat", "request", "cluster", "doc")},
                "seed": 0,
                "messages": [{"role": "user", "parts": [*parts, {"text": line["prompt"]}]}],
                "response": response,
                "failure": failure if response is None else None,
            }
            yield msgspec.convert(fields, Record)
        except (KeyError, TypeError, msgspec.ValidationError) as error:
            raise UsageError(
                f"{path}, line {number}: not a record of format 1 ({error}); the log was edited"
            ) from error


def scored(path: Path, profile: str) -> Iterator[Scored]:
    """The scores that a log of format 1 holds in its records."""
    for number, line in _lines(path):
        try:
            score = {**line["score"], "wrong": _wrong(line["score"])}
            fields = {"id": line["id"], "repeat": line["repeat"], "scores": {profile: {"": score}}}
            yield msgspec.convert({**fields, "failure": line.get("failure")}, Scored)
        except (KeyError, TypeError, msgspec.ValidationError) as error:
            raise UsageError(
                f"{path}, line {number}: not a record of format 1 ({error}); the log was edited"
            ) from error


def _wrong(score: Mapping[str, Any]) -> bool | None:
    match score["name"]:
        case "wer" | "cer":
            return bool(score["value"])
        case "correct":
            return bool(score["value"] != 1)
    return None


def _lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    if not path.is_file():
        return
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if not line.endswith(b"\n"):
                return
            try:
                content = orjson.loads(line)
            except orjson.JSONDecodeError as error:
                raise UsageError(f"{path}, line {number}: not JSON ({error}); the log was edited") from error
            if not isinstance(content, dict):
                raise UsageError(f"{path}, line {number}: not a JSON object; the log was edited")
            yield number, content
