"""A run, top to bottom: config -> plan -> batches -> answers -> log -> scores -> results."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from harness import aggregate, export, manifest, registry
from harness.config import RunConfig, make_config, resolve_device, resolve_dtype
from harness.contracts import DataChoice, Model, ModelOptions, TaskLike
from harness.engines import Engine
from harness.engines.local import LocalEngine
from harness.failures import Exit, UsageError
from harness.idset import IdSet
from harness.plan import Planned, TaskPlan, check_capabilities, choose, plan
from harness.progress import track
from harness.records import outcome_of, record, scored
from harness.schedule import batches
from harness.store import RunDir, key, write_json
from harness.types import Failure, text_of

RUNS = Path("runs")


@dataclass(frozen=True)
class Prepared:
    """Everything that is known before the first weight is read."""

    config: RunConfig
    model: Model
    plans: tuple[TaskPlan, ...]
    device: str
    dtype: str


def prepare(config: RunConfig) -> Prepared:
    """Resolve names, presets, profiles and capabilities; touches neither weights nor data."""
    tasks = [registry.get_task(name) for name in registry.expand_tasks(",".join(config.tasks))]
    device = resolve_device(config.device)
    dtype = resolve_dtype(config.dtype, device)
    model = registry.get_model(config.model)(ModelOptions(config.weights, device, dtype, config.seed))
    check_capabilities(tasks, model.name, model.capabilities)
    if stray := set(config.profile) - {task.name for task in tasks}:
        raise UsageError(f"a profile is set for {', '.join(sorted(stray))}, which this run does not have")
    if config.ablate and not any(config.ablate in task.inputs for task in tasks):
        raise UsageError(f"--ablate {config.ablate}: none of the tasks takes {config.ablate} input")
    data = DataChoice.parse(config.data)
    if data.folder is not None and not data.folder.is_dir():
        raise UsageError(f"data folder does not exist: {data.folder}. --data takes a folder, hub or mini.")
    plans = tuple(
        choose(
            task,
            data,
            prompt=config.prompt,
            prompt_style=model.prompt_style,
            profile=config.profile.get(task.name),
            limit=config.limit,
        )
        for task in tasks
    )
    return Prepared(config, model, plans, device, dtype)


def start(config: RunConfig, out: Path | None = None) -> RunDir:
    """Run a config to its end in a new run directory (`out`, or one below runs/)."""
    if out is not None:
        _check_free(out, config)
    prepared = prepare(config)
    with closing(prepared.model):
        described = _open(prepared)
        run = RunDir.create(out or new_path(config), described)
        _finish(run, prepared)
    return run


def resume(path: Path) -> RunDir:
    """Go on with a run. Refused, with the differences, if model, data or config are not the same."""
    run = RunDir.open(path)
    if run.finished:
        return run
    stored = run.manifest()
    prepared = prepare(_stored_config(run))
    with closing(prepared.model):
        current = _open(prepared)
        if changed := manifest.differences(stored, current):
            lines = "\n  ".join(changed)
            raise UsageError(f"{path} cannot be resumed: what it was started with has changed\n  {lines}")
        write_json(run.path / "manifest.json", manifest.resumed(stored, current))
        _finish(run, prepared)
    return run


def score_again(path: Path, profiles: dict[str, str]) -> RunDir:
    """Score a finished run's stored answers anew, with other profiles if they are named. Needs no model."""
    run = RunDir.open(path)
    if not run.finished:
        raise UsageError(f"{path} is not finished; `harness resume {path}` finishes it")
    described = run.manifest()
    if stray := profiles.keys() - described["tasks"].keys():
        raise UsageError(f"{path} has no task {', '.join(sorted(stray))}; it has {', '.join(described['tasks'])}")
    tasks = {name: registry.get_task(name) for name in described["tasks"]}
    for name, profile in profiles.items():
        if profile not in tasks[name].profiles:
            raise UsageError(f"task {name} has no profile {profile!r}; it has {', '.join(tasks[name].profiles)}")
        described["tasks"][name]["profile"] = profile
    with run.lock():
        for name, task in tasks.items():
            run.prepare_records(name, _rescored(run, task, described["tasks"][name]["profile"]))
        (run.path / "finished.json").unlink()  # a crash from here on leaves a run that says it is incomplete
        for name in tasks:
            run.adopt_records(name)
        write_json(run.path / "manifest.json", described)
        _finalise(run, described, {})
    return run


def exit_code(run: RunDir) -> Exit:
    return Exit.GOOD if run.finished and run.results()["valid"] else Exit.INCOMPLETE


def new_path(config: RunConfig) -> Path:
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    return RUNS / f"{stamp}-{config.model}-{manifest.hash8(config)}"


def _stored_config(run: RunDir) -> RunConfig:
    return make_config(run.manifest()["config"], str(run.path / "manifest.json"))


def _check_free(out: Path, config: RunConfig) -> None:
    """Raise UsageError if `out` holds a run: say how to go on with it, or how its configuration differs."""
    if out.exists() and not out.is_dir():
        raise UsageError(f"--out {out} is a file; name a folder")
    if not (out / "manifest.json").exists():
        return
    changed = _stored_config(RunDir.open(out)).differences(config)
    if not changed:
        raise UsageError(f"{out} already holds this run; `harness resume {out}` goes on with it")
    lines = "\n  ".join(changed)
    raise UsageError(f"{out} already holds a run with another configuration; give another --out\n  {lines}")


def _open(prepared: Prepared) -> dict[str, Any]:
    """Check the data, load the weights and describe both; what is missing is told in one message."""
    missing: list[str] = []
    examples: dict[str, str] = {}
    for chosen in prepared.plans:
        try:
            examples[chosen.task.name] = _first_prompt(chosen, prepared.model)
        except UsageError as error:
            missing.append(str(error))
    try:
        prepared.model.open()
    except UsageError as error:
        missing.append(str(error))
    if missing:
        raise UsageError("\n\n".join(dict.fromkeys(missing)))
    tasks = [chosen.task for chosen in prepared.plans]
    check_capabilities(tasks, prepared.model.name, prepared.model.capabilities)  # the weights may lack a part
    return manifest.build(prepared.config, prepared.model, prepared.plans, prepared.device, prepared.dtype, examples)


def _first_prompt(chosen: TaskPlan, model: Model) -> str:
    first = next(plan(chosen, model.capabilities.token_rates), None)
    if first is None:
        raise UsageError(f"task {chosen.task.name} has no rows in {chosen.data}")
    return text_of(first.sample.messages)


def _finish(run: RunDir, prepared: Prepared) -> None:
    started = time.monotonic()
    times: dict[str, float] = {}
    engine = LocalEngine(prepared.model, prepared.config.ablate)
    with run.lock():
        for chosen in prepared.plans:
            began = time.monotonic()
            run_task(run, chosen, engine, prepared)
            times[chosen.task.name] = round(time.monotonic() - began, 3)
        _finalise(run, run.manifest(), times | {"total": round(time.monotonic() - started, 3)})


def run_task(run: RunDir, chosen: TaskPlan, engine: Engine, prepared: Prepared) -> None:
    """Ask what has no record yet, and append a record as each answer comes."""
    task = chosen.task
    done = run.done(task.name)
    _warm_up(chosen, engine, prepared)
    waiting = _waiting(chosen, prepared, done)
    queue = batches(waiting, prepared.config.batch_tokens, max_rows=task.max_batch)
    with run.log(task.name) as log, track(task.name, _size(chosen), len(done)) as progress:
        for planned, outcome in engine.answers(queue):
            log.append(record(planned, outcome, task, chosen.profile, run))
            progress.advance(failed=isinstance(outcome, Failure))


def _warm_up(chosen: TaskPlan, engine: Engine, prepared: Prepared) -> None:
    """Answer a few samples for nothing: the first ones pay for caches, compilation and clocks."""
    first = islice(plan(chosen, prepared.model.capabilities.token_rates), chosen.task.warm_up)
    for _ in engine.answers(batches(first, prepared.config.batch_tokens, max_rows=chosen.task.max_batch)):
        pass


def _waiting(chosen: TaskPlan, prepared: Prepared, done: IdSet) -> Iterator[Planned]:
    for planned in plan(chosen, prepared.model.capabilities.token_rates):
        if key(planned.sample.id) not in done:
            yield planned


def _size(chosen: TaskPlan) -> int:
    """How many samples the task has: its rows are read once, their media are not."""
    return sum(1 for _ in islice(chosen.task.rows(chosen.data), chosen.limit))


def _rescored(run: RunDir, task: TaskLike, profile: str) -> Iterator[dict[str, Any]]:
    for stored in run.records(task.name):
        outcome = outcome_of(stored)
        stored.pop("failure", None)  # where the scorer failed there is an answer, and it gets another chance
        yield stored | scored(task, stored["doc"], profile, outcome)


def _finalise(run: RunDir, described: dict[str, Any], times: dict[str, float]) -> None:
    """Write what is derived from the log: results.json, samples.parquet, and finished.json last."""
    results = compute_results(run, described)
    write_json(run.path / "results.json", results | {"times": times})
    export.write_parquet(run, list(described["tasks"]))
    write_json(run.path / "finished.json", {"finished": datetime.now(UTC).isoformat(timespec="seconds")})


def compute_results(run: RunDir, described: dict[str, Any]) -> dict[str, Any]:
    """`results.json` without its times, from manifest and log alone."""
    seed = described["config"]["seed"]
    tasks = {
        name: aggregate.task_result(registry.get_task(name), entry["profile"], entry["prompt"], run.records(name), seed)
        for name, entry in described["tasks"].items()
    }
    return {
        "format": manifest.FORMAT,
        "model": {"name": described["model"]["name"], "note": described["model"]["note"]},
        "data": described["config"]["data"],
        "valid": all(entry["valid"] for entry in tasks.values()),
        "tasks": tasks,
    }
