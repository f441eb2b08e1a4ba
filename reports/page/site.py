"""`harness report RUN... -o site/`: a leaderboard, pages of runs, tasks and pairs of runs, every sample, and failures.

Everything is relative and local, so the site opens from a disk. Browsers block `fetch` and module scripts there;
samples therefore come as classic scripts, loaded when they are shown. The same input gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.failures import UsageError
from harness.files import encoded, read_json
from harness.kinds import kind_of
from harness.schema import ScoreResult, TaskResult
from harness.store import RunDir
from reports import averages, blind, figures, probe_figures
from reports.figures import MISSING
from reports.leaderboard import leaderboard, published
from reports.page import efficiency
from reports.page.benchmarks import write_benchmarks
from reports.page.board import OVERVIEW, board_of, why_not
from reports.page.board_files import notes_of, write_files
from reports.page.comparisons import write_comparisons
from reports.page.failures import Failed, kinds
from reports.page.media import MediaChoice, MediaFolder, parse_choice
from reports.page.models import write_model
from reports.page.pages import NAV, benchmark_page, model_page, slug_of, task_page, told, told_harness, write_page
from reports.page.place import MARK, replacing
from reports.page.render import STATIC, static
from reports.page.rows import write_samples
from reports.probes import write_probe_page
from reports.runs import Run, caveats, conditions, load, not_run
from reports.tables import details, told_constant

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Entry:
    """What the index says about a task or a probe."""

    title: str
    page: str
    problems: list[str]
    made: list[tuple[str, str]]
    scores: list[dict[str, Any]] = field(default_factory=list)
    """The headline numbers, as the templates' table takes them."""


@dataclass(frozen=True)
class Shown:
    """A run in the index."""

    model: str
    name: str
    caveats: list[str]
    entries: list[Entry]
    averages: list[str] = field(default_factory=list)
    """Over benchmarks, where the run has all that are in one."""
    blind: bool = False
    """An input was blanked: its numbers are baselines and stand beside others, not among them."""
    failed: list[Failed] = field(default_factory=list)


def write_site(
    run_dirs: Sequence[Path], out: Path, media: str | int = "all", tell: Tell | None = None, plots: bool = False
) -> Path:
    """Write the site of the runs into `out`, in one step, and return its index.html.

    `media` is "all", "failed", or a number: the first N samples of each task come with their media. With `plots` the
    pages of runs have theirs. `tell` gets what makes a number invalid. Raises UsageError for what is no run, or where
    `out` cannot be written.
    """
    choice = parse_choice(media)
    if not run_dirs:
        raise UsageError("no run directory was named")
    opened = [RunDir.open(Path(path)) for path in run_dirs]
    loaded = {n: load(run.path) for n, run in enumerate(opened) if _evaluation(run)}
    with replacing(out) as site:
        (site / "static").mkdir()
        for name in STATIC:
            (site / "static" / name).write_bytes(static(name))
        folder = MediaFolder(site)
        every = list(loaded.values())
        nav = NAV if loaded else NAV[:1]
        shown = [
            _evaluated(loaded[n], n, site, folder, choice, every) if n in loaded else _probed(run, n, site, nav)
            for n, run in enumerate(opened)
        ]
        if loaded:
            _write_efficiency(every, site)
            _write_failures(shown, site)
        comparisons = write_comparisons(loaded, site)
        write_benchmarks(loaded, comparisons, site)
        for n, one in loaded.items():
            write_model(one, n, [row for entry in shown[n].entries for row in entry.scores], comparisons, site, plots)
        mark = site / MARK
        mark.parent.mkdir(exist_ok=True)
        mark.write_bytes(encoded(leaderboard([run for run in every if not blind.is_blind(run)])))
        _write_index(loaded, shown, site, nav)
    for run in shown:
        for entry in run.entries:
            for problem in entry.problems if tell else ():
                tell(f"{run.name}, {entry.title}: {problem}")  # type: ignore[misc]
    return out / "index.html"


def _evaluation(run: RunDir) -> bool:
    """Whether its samples have pages; the only other kind is a probe's."""
    return kind_of(run).instead is None


def _evaluated(run: Run, n: int, site: Path, folder: MediaFolder, choice: MediaChoice, every: Sequence[Run]) -> Shown:
    made = [_task_page(run, n, task, site, folder, choice, every) for task in run.results.tasks]
    entries = [entry for entry, _ in made]
    failed = [one for _, found in made for one in found]
    said = not_run(run) + caveats(run)
    return Shown(run.model, run.name, said, entries, averages.told(run), blind.is_blind(run), failed)


def _task_page(
    run: Run, n: int, task: str, site: Path, folder: MediaFolder, choice: MediaChoice, every: Sequence[Run]
) -> tuple[Entry, list[Failed]]:
    """Write a task's page and its samples; returns what the index says about the task, and the samples that failed."""
    page, slug = task_page(n, task), slug_of(n, task)
    failed = [
        Failed(task, *one, run.model, run.name, page)
        for one in write_samples(run, task, folder, choice, site / "data" / slug)
    ]
    entry = run.results.tasks[task]
    about = Entry(
        task,
        page,
        entry.problems,
        _made(run, task),
        [_score(run, task, page, name, every) for name in figures.headline(entry.headline.metrics)],
    )
    write_page(
        site / page,
        "task.html",
        run=run,
        about=about,
        entry=entry,
        scores=[_score(run, task, page, name, every) for name in entry.headline.metrics],
        others=[(f"../{model_page(n)}", "This run"), (f"../{benchmark_page(task)}", "This task in all runs")],
        headline=list(figures.headline(entry.headline.metrics)),
        caveats=caveats(run),
        channels=_channels(entry),
        several=sum(map(len, entry.scores.values())) > 1,
        answers=_answers(entry),
        details=list(details(run, task)),
        constant=told_constant(entry),
        slug=slug,
    )
    return about, failed


def _write_index(loaded: Mapping[int, Run], shown: Sequence[Shown], site: Path, nav: Sequence[tuple[str, str]]) -> None:
    pages = {(n, task): task_page(n, task) for n, run in loaded.items() for task in run.results.tasks}
    board = board_of(list(loaded.items()), pages)
    if board.rows:
        write_files(board, site / "data")
    values = {"runs": shown, "board": board, "notes": notes_of(board), "overview": OVERVIEW}
    write_page(site / "index.html", "index.html", root="", here="index.html", nav=nav, **values)


def _score(run: Run, task: str, page: str, name: str, every: Sequence[Run]) -> dict[str, Any]:
    entry = run.results.tasks[task]
    return {
        "run": run.name,
        "model": run.model,
        "odd": bool(why_not(run)),
        "task": task,
        "page": page,
        "name": name,
        "metric": entry.headline.metrics[name],
        "entry": entry,
        "profiles": figures.over_profiles(entry, name),
        "counted": figures.counted(entry),
        "conditions": conditions(run),
        "paper": published(run, task, name),
        "blind": blind.beside(run, task, name, every),
    }


def _channels(entry: TaskResult) -> list[tuple[str, str, ScoreResult]]:
    """(profile, channel, its numbers), the headline first."""
    every = [(profile, channel, found) for profile, by in entry.scores.items() for channel, found in by.items()]
    return sorted(every, key=lambda item: item[:2] != (entry.profile, entry.channel))


def _answers(entry: TaskResult) -> list[tuple[str, int, str]]:
    """(answer, how often, share), the commonest first."""
    whole = sum(entry.answers.values())
    return [(answer, n, f"{100 * n / whole:.1f} %") for answer, n in entry.answers.items()]


def _probed(run: RunDir, n: int, site: Path, nav: Sequence[tuple[str, str]]) -> Shown:
    """Write the page of a probe run; returns what the index says about it."""
    page = f"probes/{n}.html"
    (site / "probes").mkdir(exist_ok=True)
    write_probe_page(run.path, site / page, nav)
    results = read_json(run.path / "results.json")
    problems = [] if results["valid"] else [f"invalid: {results['n_failed']} samples were left out"]
    made = [("conditions", probe_figures.conditions(results))]
    entry = Entry(f"alignment probe, {results['stage']} stage", page, problems, made)
    return Shown(results["model"]["name"], run.name, [], [entry])


def _write_efficiency(runs: Sequence[Run], site: Path) -> None:
    speeds = [(run, [efficiency.speed_row(run, task) for task in run.results.tasks]) for run in runs]
    name = "efficiency.html"
    write_page(site / name, name, root="", here=name, runs=speeds, headings=efficiency.HEADINGS)


def _write_failures(shown: Sequence[Shown], site: Path) -> None:
    failed = [one for run in shown for one in run.failed]
    name = "failures.html"
    write_page(site / name, name, root="", here=name, kinds=kinds(failed), total=len(failed))


def _made(run: Run, task: str) -> list[tuple[str, str]]:
    """How the task's numbers were made, as (what, value)."""
    manifest, described, entry = run.manifest, run.manifest.tasks[task], run.results.tasks[task]
    made = {
        "task version": described.version,
        "scoring profile of the headline": entry.profile,
        "profiles": ", ".join(entry.scores),
        "prompt preset": entry.prompt + (f" ({described.prompt_note})" if described.prompt_note else ""),
        "judges": entry.judges,
        "generation": described.generation,
        "pictures": described.pictures,
        "data": described.data,
        "published rows": described.n_published,
        "weights": manifest.model.fingerprint,
        "device": manifest.device,
        "dtype": manifest.dtype,
        "batch budget": f"{manifest.config.get('batch_tokens') or MISSING} tokens"
        + (f", at most {described.max_batch} samples" if described.max_batch else ""),
        "threads": manifest.threads,
        "seed": manifest.config.get("seed"),
        "repeats": entry.repeats,
        "harness": told_harness(manifest),
        "versions": manifest.versions,
        "platform": manifest.platform,
        "created": manifest.created,
        "resumed": ", ".join(str(resume.get("created", MISSING)) for resume in manifest.resumed),
        "citation": described.citation,
        "licence": described.licence,
    }
    return [(name, told(value)) for name, value in made.items()]
