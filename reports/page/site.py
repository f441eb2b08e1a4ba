"""`harness report RUN... -o site/`: one static page a site, one a task, and the samples behind them.

Everything is relative and local, so the site opens from a disk. Browsers block `fetch` and module scripts there;
samples therefore come as classic scripts. The same input gives the same bytes.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from harness.failures import UsageError
from reports.page.media import MediaChoice, MediaFolder, parse_choice
from reports.page.render import render, static
from reports.page.rows import page_rows, script_json, write_chunks
from reports.probe_figures import conditions
from reports.probes import write_probe_page
from reports.runs import MINI, Run, caveats, invalid_reason, load_all
from reports.tables import MISSING, PAPER, measured, rows

CSP = (
    "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'unsafe-inline'; "
    "img-src 'self' data:; media-src 'self'; connect-src 'none'"
)
_REFERENCES = ("text", "transcription", "gt", "ref", "reference", "sentence")
"""Fields of a row that data sets keep transcripts in; the word diff takes the first that is there."""


def write_site(run_dirs: Sequence[Path], out: Path, media: str | int = "all") -> Path:
    """Write the site of the runs into `out` and return its index.html.

    `media` is "all", "failed", or a number: the first N samples of each task come with their media.
    """
    choice = parse_choice(media)
    runs = load_all(run_dirs)
    _clear(out)
    try:
        (out / "static").mkdir(parents=True)
    except OSError as error:
        raise UsageError(f"{out} cannot be made: {error.strerror}; name another folder with -o") from error
    for script in ("sort.js", "diff.js", "samples.js"):
        (out / "static" / script).write_bytes(static(script))
    folder = MediaFolder(out)
    pages = [
        [_probe_page(run, n, out)]
        if run.manifest.get("kind") == "probe"
        else [_task_page(run, n, task, out, folder, choice) for task in run.tasks]
        for n, run in enumerate(runs)
    ]
    found = [
        row | {"page": f"tasks/{_slug(n, row['task'])}.html"}
        for n, run in enumerate(runs)
        for row in rows(run, headline_only=True)
    ]
    every = [row for run in runs for row in rows(run, headline_only=False)]
    (out / "data").mkdir(exist_ok=True)
    (out / "data" / "leaderboard.json").write_bytes(orjson.dumps(every, option=orjson.OPT_INDENT_2))
    index = out / "index.html"
    index.write_text(
        _render("index.html", root="", rows=found, runs=list(zip(runs, pages, strict=True))), encoding="utf-8"
    )
    return index


def _clear(out: Path) -> None:
    """Remove an earlier site's pages, which must not stand beside the new ones; touch no other folder."""
    if out.exists() and not out.is_dir():
        raise UsageError(f"{out} is a file; name a folder with -o")
    if not out.exists() or not any(out.iterdir()):
        return
    if not (out / "data" / "leaderboard.json").is_file():
        raise UsageError(f"{out} is not empty and holds no earlier report; name a new folder with -o")
    for part in ("data", "tasks", "probes", "static"):
        shutil.rmtree(out / part, ignore_errors=True)


def _task_page(run: Run, n: int, task: str, out: Path, folder: MediaFolder, choice: MediaChoice) -> dict[str, Any]:
    """Write a task's page and its samples; returns what the index says about the task."""
    slug = _slug(n, task)
    chunks = write_chunks(page_rows(run, task, folder, choice), out / "data", slug)
    table = [row for row in rows(run, headline_only=False) if row["task"] == task]
    first = next((row for row in table if row["headline"]), table[0] if table else {})
    about = {
        "task": task,
        "page": f"tasks/{slug}.html",
        "entry": run.tasks[task],
        "made": _made(run, task),
        "invalid": invalid_reason(run.tasks[task]),
    }
    options = {
        "higher": first.get("higher_is_better", True),
        "diff": {"wer": "words", "cer": "characters"}.get(first.get("metric", ""), ""),
        "references": _REFERENCES,
    }
    path = out / about["page"]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        _render(
            "task.html",
            root="../",
            run=run,
            about=about,
            rows=table,
            chunks=chunks,
            options=script_json(options).decode(),
        ),
        encoding="utf-8",
    )
    return about


def _probe_page(run: Run, n: int, out: Path) -> dict[str, Any]:
    """Write the page of a probe run; returns what the index says about it."""
    page = f"probes/{n}.html"
    write_probe_page(run.path, out / page)
    return {
        "task": f"alignment probe, {run.results['stage']} stage",
        "page": page,
        "made": [("conditions", conditions(run.results))],
        "invalid": None if run.results["valid"] else f"invalid: {run.results['n_failed']} samples were left out",
    }


def _made(run: Run, task: str) -> list[tuple[str, str]]:
    """How the task's numbers were made, as (what, value)."""
    manifest, entry = run.manifest, run.manifest["tasks"].get(task, {})
    commit = manifest.get("harness", {}).get("commit") or MISSING
    dirty = " with uncommitted changes" if manifest.get("harness", {}).get("dirty") else ""
    made = {
        "task version": entry.get("version"),
        "scoring profile": entry.get("profile"),
        "prompt preset": entry.get("prompt"),
        "prompt of the first sample": entry.get("prompt_text") or "(no text: the media alone)",
        "generation": entry.get("generation"),
        "data": entry.get("data"),
        "weights": manifest["model"].get("fingerprint"),
        "device": manifest.get("device"),
        "dtype": manifest.get("dtype"),
        "seed": manifest["config"].get("seed"),
        "harness": f"{manifest.get('harness', {}).get('version') or MISSING}, commit {commit}{dirty}",
        "versions": manifest.get("versions"),
        "platform": manifest.get("platform"),
        "created": manifest.get("created"),
        "citation": entry.get("citation"),
        "licence": entry.get("licence"),
    }
    return [(name, _told(value)) for name, value in made.items()]


def _told(value: Any) -> str:
    if value is None or value == "" or value == {}:
        return MISSING
    if isinstance(value, Mapping):
        return "\n".join(f"{key}: {v if isinstance(v, str) else orjson.dumps(v).decode()}" for key, v in value.items())
    return str(value)


def _slug(n: int, task: str) -> str:
    return f"{n}-{re.sub(r'[^A-Za-z0-9_.-]', '_', task)}"


def _render(template: str, **values: Any) -> str:
    return render(
        template, csp=CSP, measured=measured, caveats=caveats, paper_note=PAPER, mini=MINI, missing=MISSING, **values
    )
