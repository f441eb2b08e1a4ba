"""A run directory as reports read it: manifest, results held against the log of today, and samples one at a time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.exclusions import excluded
from harness.failures import UsageError
from harness.idset import IdSet
from harness.part import Part
from harness.plan import key
from harness.recount import recounted
from harness.schema import Manifest, Record, Results, Scored, TaskResult
from harness.store import RunDir
from reports import figures

MINI = "mini world, not a benchmark number"


@dataclass(frozen=True)
class Run:
    """What `harness run` left in a directory."""

    directory: RunDir
    manifest: Manifest
    results: Results

    @property
    def path(self) -> Path:
        return self.directory.path

    @property
    def name(self) -> str:
        return self.directory.name

    @property
    def finished(self) -> bool:
        return self.directory.finished

    @property
    def model(self) -> str:
        """The model's label: its name, and which weights where they are not the release's."""
        return self.results.model.label

    @property
    def is_mini(self) -> bool:
        return self.results.data == "mini"

    @property
    def as_released(self) -> bool:
        """The release's own weights on the benchmark itself, with no option of the model set: what a paper's value can
        stand beside."""
        return self.results.model.released and not self.is_mini and not self.manifest.config.get("option")

    def samples(self, task: str) -> Iterator[tuple[Record, Scored]]:
        """See `RunDir.pairs`."""
        return self.directory.pairs(task)

    def counted(self, task: str) -> Iterator[tuple[Record, Scored]]:
        """The samples that count in the numbers: those that are not excluded, each once."""
        left_out, seen = excluded(self.directory).by_task.get(task, {}), IdSet()
        return (
            pair
            for pair in self.samples(task)
            if pair[0].id not in left_out and seen.add(key(pair[0].id, pair[0].repeat))
        )

    def counted_records(self, task: str) -> Iterator[Record]:
        """The same without their scores."""
        return (record for record, _ in self.counted(task))


def load(path: Path) -> Run:
    """Read a run directory. Raises UsageError if it is none, has no results, or has another format."""
    directory = RunDir.open(Path(path))
    manifest, results = directory.manifest(), directory.results()
    _check(directory, manifest, results)
    return Run(directory, manifest, recounted(directory))


def _check(directory: RunDir, manifest: Manifest, results: Results) -> None:
    """Raise UsageError where manifest and results do not belong together, or name files outside of the run."""
    path = directory.path / "results.json"
    if results.scores and not re.fullmatch(r"scores/\d+", results.scores):
        raise UsageError(f"{path}: field scores must be scores/<number>, not {results.scores!r}; was the file edited?")
    for task, entry in results.tasks.items():
        if re.search(r"[/\\\0]|^\.", task):
            raise UsageError(f"{path}: {task!r} is no name of a task; was the file edited?")
        if task not in manifest.tasks:
            raise UsageError(f"{path}: task {task} is not in manifest.json; was one of them edited?")
        if entry.channel not in entry.scores.get(entry.profile, {}):
            raise UsageError(f"{path}: task {task} has no numbers of its profile {entry.profile}; was the file edited?")


def caveats(run: Run) -> list[str]:
    """What has to be said beside every number of the run, most serious first."""
    said = []
    if note := run.results.model.note:
        said.append(f"model: {note}")
    said += [f"weights: {told}" for told in run.manifest.model.fingerprint.get("told", [])]
    if run.is_mini:
        said.append(MINI)
    if not run.finished:
        said.append(f"incomplete run: `harness resume {run.path}` finishes it")
    config = run.manifest.config
    limit, part = config.get("limit"), config.get("part")
    if limit:
        said.append(f"first {limit} samples of each task only")
    if part:
        said.append(f"only {Part.parse(part).told} of each task: `harness merge` joins the parts of a run")
    empty = [name for name, task in run.results.tasks.items() if _without_number(task)]
    if empty and (limit or part):
        larger = "raise --limit, or ask every tenth (--part 1/10) in its place" if limit else "ask a larger part"
        said.append(f"too few samples for a number of {', '.join(empty)}: {larger}")
    if config.get("oracle_length_cap"):
        said.append("oracle length cap: transcripts are cut by the length of their references")
    if ablation := config.get("ablate"):
        said.append(f"ablation: {ablation} blanked")
        if whole := [name for name, task in run.manifest.tasks.items() if ablation not in task.inputs]:
            said.append(f"not ablated, as they have no {ablation} input: {', '.join(whole)}")
    return said


def not_run(run: Run) -> list[str]:
    """The tasks that were named and skipped, a line for each thing that the model lacks. It is no caveat: the numbers
    that are there mean what they mean."""
    lacking: dict[str, list[str]] = {}
    for task, lacks in run.manifest.left_out.items():
        lacking.setdefault(lacks, []).append(task)
    return [f"not run, as the model has no {lacks}: {', '.join(tasks)}" for lacks, tasks in lacking.items()]


def _without_number(entry: TaskResult) -> bool:
    """No headline has a value, though samples are scored."""
    shown = figures.headline(entry.headline.metrics).values()
    return entry.n_scored > 0 and all(metric.value is None for metric in shown)


def speed_of_hearing(run: Run) -> str:
    """RTFx, seconds of sound answered in a second, of all tasks on sound together: they are answered side by side."""
    entries = [entry for entry in run.results.tasks.values() if entry.audio_s]
    sound, took = (sum(entry.audio_s for entry in entries), sum(entry.seconds for entry in entries))
    return f"RTFx {sound / took:.3g}: {sound:,.0f} s of sound in {took:,.1f} s" if sound and took else ""


def conditions(run: Run) -> str:
    """What bfloat16 results and latencies depend on: precision, device, and how many tokens are answered together."""
    budget = run.manifest.config.get("batch_tokens")
    return f"{run.manifest.dtype} on {run.manifest.device}" + (f", batch budget {budget} tokens" if budget else "")
