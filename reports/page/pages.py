"""What all kinds of pages share: where they are in a site, how they are written, and how values are told on them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from harness.files import encoded
from harness.schema import Manifest
from reports import figures
from reports.figures import MISSING
from reports.page.render import render
from reports.plots.plot import named
from reports.runs import MINI
from reports.tables import PAPER

NAV = (("index.html", "Leaderboard"), ("efficiency.html", "Latency and efficiency"), ("failures.html", "Failures"))
"""Address and title of the pages that every page leads to; a site of probes alone has the first only."""


def slug_of(n: int, task: str) -> str:
    """The name of run `n`'s page of a task, and of the folder of its samples."""
    return f"{n}-{re.sub(r'[^A-Za-z0-9_.-]', '_', task)}"


def task_page(n: int, task: str) -> str:
    return f"tasks/{slug_of(n, task)}.html"


def sample_page(n: int, task: str, sample: str) -> str:
    """The same, opened at a sample (as the page's list names it)."""
    return at_sample(task_page(n, task), sample)


def at_sample(page: str, sample: str) -> str:
    """A task's page, opened at a sample."""
    return f"{page}#id={quote(sample, safe='', errors='replace')}"


def model_page(n: int) -> str:
    return f"models/{n}.html"


def benchmark_page(task: str) -> str:
    return f"benchmarks/{named(task)}.html"


def comparison_page(one: int, other: int) -> str:
    return f"compare/{one}-{other}.html"


def told(value: Any) -> str:
    """A value as text; of a mapping a line each; a missing one as an en dash."""
    if value is None or value == "" or value == {} or value == []:
        return MISSING
    if isinstance(value, Mapping):
        return "\n".join(f"{key}: {v if isinstance(v, str) else encoded(v).decode()}" for key, v in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def told_harness(manifest: Manifest) -> str:
    """Version and commit of the harness that made a run."""
    commit = manifest.harness.get("commit") or MISSING
    dirty = " with uncommitted changes" if manifest.harness.get("dirty") else ""
    return f"{manifest.harness.get('version') or MISSING}, commit {commit}{dirty}"


def write_page(
    path: Path, template: str, *, here: str = "", nav: Sequence[tuple[str, str]] = NAV, **values: Any
) -> None:
    """A template's page with the values; `here` is its own address in `nav`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    page = render(template, figures=figures, missing=MISSING, mini=MINI, paper_note=PAPER, here=here, nav=nav, **values)
    path.write_text(page, encoding="utf-8", errors="replace")
