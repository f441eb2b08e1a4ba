"""A page a run, `models/<n>.html`: its scores, plots, configuration and environment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from reports import averages
from reports.figures import MISSING
from reports.page.comparisons import Comparisons
from reports.page.pages import benchmark_page, model_page, task_page, told, told_harness, write_page
from reports.plots.drawing import Files, write
from reports.plots.every import plots_of
from reports.plots.plot import Kind, Plot
from reports.runs import Run, caveats, conditions, not_run, speed_of_hearing

KINDS: tuple[Kind, ...] = ("radar", "subtasks", "errors", "waterfall", "ecdf")
HEADINGS: Mapping[Kind, str] = {
    "radar": "All tasks",
    "subtasks": "Sub-scores",
    "errors": "Errors of the utterances",
    "waterfall": "Latency",
    "ecdf": "Latency of the tasks that measure it",
}


def write_model(
    run: Run, n: int, scores: Sequence[Mapping[str, Any]], comparisons: Comparisons, site: Path, plots: bool
) -> None:
    """Write the page of run `n` of the site. `scores` are rows of the templates' table, as the index has them."""
    write_page(
        site / model_page(n),
        "model.html",
        run=run,
        caveats=not_run(run) + caveats(run),
        conditions=conditions(run),
        heard=speed_of_hearing(run),
        averages=averages.told(run),
        scores=[{**row, "page": f"../{row['page']}"} for row in scores],
        tasks=[
            (task, entry, f"../{task_page(n, task)}", f"../{benchmark_page(task)}")
            for task, entry in run.results.tasks.items()
        ],
        compared=[(page.names[page.one == n], f"../{page.page}", page.one == n) for page in comparisons.of(n)],
        left_out=comparisons.left_out,
        most=len(comparisons.pages),
        plots=_drawn(run, n, site) if plots else [],
        made=[(name, list(values.items())) for name, values in made(run).items()],
    )


def shown(run: Run) -> Iterator[Plot]:
    """The plots of a run's page; times to the first token only of tasks that ask one sample at a time."""
    for plot in plots_of([run], KINDS):
        if plot.kind != "ecdf" or run.manifest.tasks[str(plot.rows[0]["task"])].max_batch == 1:
            yield plot


def _drawn(run: Run, n: int, site: Path) -> list[tuple[str, list[dict[str, Any]]]]:
    """Draw the plots into `plots/<n>/`; returns (heading, plots with their files) by kind."""
    folder = site / "plots" / str(n)
    found: dict[Kind, list[dict[str, Any]]] = {kind: [] for kind in KINDS}
    for plot in shown(run):
        folder.mkdir(parents=True, exist_ok=True)
        files = Files(*(f"../plots/{n}/{name}" for name in write(plot, folder)))
        found[plot.kind].append({"title": plot.words.title, "alt": plot.alt, "files": files})
    return [(HEADINGS[kind], plots) for kind, plots in found.items() if plots]


def made(run: Run) -> dict[str, dict[str, str]]:
    """How the run was made, by heading: its configuration, model and environment."""
    manifest = run.manifest
    model = {
        "name": manifest.model.name,
        "label": manifest.model.label,
        "note": manifest.model.note,
        "takes": manifest.model.inputs,
        "gives": manifest.model.outputs,
        "prompt styles": manifest.model.prompt_styles,
        "weights": manifest.model.fingerprint,
    }
    environment = {
        "device": manifest.device,
        "dtype": manifest.dtype,
        "threads": manifest.threads,
        "platform": manifest.platform,
        "versions": manifest.versions,
        "harness": told_harness(manifest),
        "created": manifest.created,
        "resumed": [str(resume.get("created", MISSING)) for resume in manifest.resumed],
        "joined from": [f"{shard.run} ({shard.part}, {shard.device})" for shard in manifest.merged],
    }
    parts: dict[str, Mapping[str, Any]] = {
        "Configuration": manifest.config,
        "Model": model,
        "Environment": environment,
    }
    return {name: {key: told(value) for key, value in values.items()} for name, values in parts.items()}
