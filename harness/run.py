"""A run, top to bottom: config -> plan -> answers -> log -> judgements -> scores -> results."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, cast

from harness import finish, manifest, registry
from harness.config import RunConfig, elsewhere, make_config, resolve_device, resolve_dtype
from harness.contracts import Capabilities, DataChoice, DType, Model, ModelOptions
from harness.engines import Engine, ModelFacts
from harness.engines.cached import CachedEngine
from harness.engines.local import LocalEngine
from harness.failures import ModelStopped, RunStopped, UsageError
from harness.judging import Spread, check_judges, check_named
from harness.media.limits import check_limits
from harness.part import Part
from harness.plan import Planned, TaskPlan, choose, given_to_all, planned, rows_of, skipping
from harness.progress import track
from harness.records import record
from harness.schedule import groups
from harness.schema import Manifest, PlannedTask
from harness.store import RunDir
from harness.task import Row, Task
from harness.types import Failure, Output

RUNS = Path("runs")
REMOTE = "remote"
"""Stands for the type that a model elsewhere computes in, which is not known."""
MOST_STRAYS = 20
"""Names of files without a row that the manifest holds; the rest are counted."""


@dataclass(frozen=True)
class Objects:
    """Tasks and a model of one's own, known by their names beside those of the registry."""

    tasks: Mapping[str, Task]
    model: Model | None = None


NONE = Objects({})
NOWHERE: Mapping[str, Any] = {}


@dataclass(frozen=True)
class Prepared:
    """Everything that is known before the first weight is read."""

    config: RunConfig
    model: Model
    """For the length of prompts; another process may hold the opened weights."""
    options: ModelOptions
    capabilities: Capabilities
    plans: tuple[TaskPlan, ...]
    device: str
    dtype: str
    left_out: Mapping[str, str]
    """Task that is skipped -> what the model lacks for it."""


def prepare(config: RunConfig, objects: Objects = NONE) -> Prepared:
    """Resolve names, presets, profiles, judges and capabilities; touches neither weights nor data."""
    check_limits()
    check_named(config.judge)
    named = [objects.tasks.get(name) or registry.get_task(name) for name in _names(config, objects)]
    device = resolve_device(config.device)
    dtype: str = resolve_dtype(config.dtype, device, config.model)
    options = ModelOptions(config.weights, device, cast(DType, dtype), config.seed, config.threads, config.option)
    if config.engine == "ray" and objects.model is not None:
        raise UsageError(
            "--engine ray opens models by name in other processes: give the model a name in the entry-point "
            "group harness.models, or leave the engine out"
        )
    model = objects.model or registry.get_model(config.model)(options)
    if model.capabilities.remote:
        dtype = REMOTE
    tasks, left_out = skipping(named, model.name, model.capabilities, config.skip_unable)
    for what in ("profile", "prompt"):
        if stray := getattr(config, what).keys() - {task.name for task in named}:
            raise UsageError(f"a {what} is set for {', '.join(sorted(stray))}, which this run does not have")
    if config.ablate and not any(config.ablate in task.inputs for task in tasks):
        raise UsageError(f"--ablate {config.ablate}: none of the tasks takes {config.ablate} input")
    if config.oracle_length_cap and not any(task.reference for task in tasks):
        raise UsageError("--oracle-length-cap: none of the tasks is a transcript, whose length would be known")
    data = DataChoice.parse(config.data)
    able, mini = model.capabilities.outputs, data.kind == "mini"
    roles = check_judges([task.asking(able, mini) for task in tasks], config.judge)
    if data.folder is not None and not data.folder.is_dir():
        raise UsageError(f"data folder does not exist: {data.folder}. --data takes a folder, hub or mini.")
    part = None if config.part is None else Part.parse(config.part)
    plans = tuple(
        choose(
            task,
            data,
            prompt=config.prompt.get(task.name),
            styles=model.prompt_styles,
            profile=config.profile.get(task.name),
            limit=config.limit,
            repeats=config.repeats,
            roles=roles,
            oracle_length_cap=config.oracle_length_cap,
            part=part,
        )
        for task in tasks
    )
    return Prepared(config, model, options, model.capabilities, plans, device, dtype, left_out)


def start(config: RunConfig, out: Path | None = None, objects: Objects = NONE) -> RunDir:
    """Run a config to its end in a new run directory (`out`, or one below runs/)."""
    if out is not None:
        _check_free(out, config)
    prepared = prepare(config, objects)
    engine = _engine(prepared)
    with closing(engine):
        prepared, rows, described = _open(prepared, engine)
        run = RunDir.create(out or new_path(config), described)
        with _stoppable(run), run.lock():
            _finish(run, prepared, engine, rows)
    return run


def resume(path: Path, objects: Objects = NONE, where: Mapping[str, Any] = NOWHERE) -> RunDir:
    """Go on with a run. Refused, with the differences, if model, data or config are not the same.

    `where` has the engine, replicas and address that it goes on with, where they are others.
    """
    run = RunDir.open(path)
    if run.finished:
        return run
    if run.format == 1:
        raise UsageError(
            f"{path} was begun by an earlier version (format 1), which can finish it; it can be scored then"
        )
    stored = run.manifest()
    prepared = prepare(elsewhere(_stored_config(run), where), objects)
    engine = _engine(prepared)
    with closing(engine):
        prepared, rows, current = _open(prepared, engine, planned=stored.planned is not None)
        if changed := manifest.differences(stored, current):
            lines = "\n  ".join(changed)
            raise UsageError(f"{path} cannot be resumed: what it was started with has changed\n  {lines}")
        with _stoppable(run), run.lock():
            run.write_manifest(manifest.resumed(stored, current))
            _finish(run, prepared, engine, rows)
    return run


def _engine(prepared: Prepared) -> Engine:
    config = prepared.config
    engine: Engine
    if config.engine == "ray":
        from harness.engines.ray_engine import RayEngine

        engine = RayEngine(config.model, prepared.options, config.replicas, config.address, config.ablate)
    else:
        engine = LocalEngine(prepared.model, config.ablate)
    remote = prepared.model.capabilities.remote
    if not (remote if config.cache is None else config.cache):
        return engine
    if remote:  # its fingerprint says all that an answer depends on
        return CachedEngine(engine, {"harness": manifest.package_version("omni-harness")})
    # In half precision an answer depends on the rows beside it.
    rows = None if prepared.dtype == "float32" else config.batch_tokens
    kind = prepared.device.partition(":")[0]
    return CachedEngine(
        engine,
        {
            "versions": manifest.versions(),
            "harness": manifest.package_version("omni-harness"),
            "dtype": prepared.dtype,
            "device": kind,
            "rows": rows,
            "option": config.option,
        },
    )


def _spread(config: RunConfig) -> Spread | None:
    """Who asks the judges: the workers of Ray, where it is the engine."""
    if config.engine != "ray":
        return None
    from harness.engines.ray_judge import spread

    return partial(spread, replicas=config.replicas, address=config.address)


def new_path(config: RunConfig) -> Path:
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    model = re.sub(r"[^\w.@-]+", "-", config.model)  # "transformers:folder/of/it" is one name
    return RUNS / f"{stamp}-{model}-{manifest.hash8(config)}"


def _names(config: RunConfig, objects: Objects) -> list[str]:
    return [
        name for given in config.tasks for name in ([given] if given in objects.tasks else registry.expand_tasks(given))
    ]


def _stored_config(run: RunDir) -> RunConfig:
    return make_config(run.manifest().config, str(run.path / "manifest.json"))


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


def _open(
    prepared: Prepared, engine: Engine, planned: bool = False
) -> tuple[Prepared, dict[str, Iterator[Row]], Manifest]:
    """Open the data and the weights and describe both; what is missing is told in one message.

    What the weights can give is known now, so that each task asks for all that it can use of it.
    The rows are opened once: the plan is made from what is returned. A run that is planned needs them no more.
    """
    missing: list[str] = []
    rows: dict[str, Iterator[Row]] = {}
    for chosen in prepared.plans:
        try:
            if not planned:
                rows[chosen.name] = chosen.task.rows(chosen.data)
        except UsageError as error:
            missing.append(str(error))
    try:
        facts: ModelFacts = engine.open()
    except UsageError as error:
        missing.append(str(error))
    if missing:
        raise UsageError("\n\n".join(dict.fromkeys(missing)))
    tasks = [chosen.task for chosen in prepared.plans]
    # The weights may lack a part that the model has.
    _, lacks = skipping(tasks, facts.name, facts.capabilities, prepared.config.skip_unable)
    outputs = facts.capabilities.outputs
    plans = tuple(
        replace(chosen, task=chosen.task.asking(outputs, chosen.data.kind == "mini"))
        for chosen in prepared.plans
        if chosen.name not in lacks
    )
    prepared = replace(prepared, plans=plans, capabilities=facts.capabilities, left_out={**prepared.left_out, **lacks})
    described = manifest.build(
        prepared.config, facts, engine, plans, prepared.device, prepared.dtype, prepared.left_out
    )
    return prepared, rows, described


def _finish(run: RunDir, prepared: Prepared, engine: Engine, rows: Mapping[str, Iterator[Row]]) -> None:
    """Plan what is not planned, answer what is not answered, then score all."""
    described = run.manifest()
    if described.planned is None:
        described.planned = {chosen.name: _plan(run, chosen, prepared, rows) for chosen in prepared.plans}
        run.write_manifest(described)
    _answer(run, prepared, engine, stretch=len(described.resumed))
    engine.close()  # a judge may need the device
    tasks = {chosen.name: chosen.task for chosen in prepared.plans}
    finish.finish(run, tasks, prepared.config.judge, spread=_spread(prepared.config))


def _plan(run: RunDir, chosen: TaskPlan, prepared: Prepared, rows: Mapping[str, Iterator[Row]]) -> PlannedTask:
    with track(f"plan {chosen.name}") as progress:

        def told() -> Iterator[Row]:
            for row in rows[chosen.name]:
                yield row
                progress.advance()

        made = run.write_plan(chosen.name, rows_of(chosen, told(), prepared.model, prepared.capabilities))
    if not made.rows:
        where = f"{chosen.data}" if chosen.part is None else f"{chosen.part.told} of {chosen.data}"
        raise UsageError(f"task {chosen.name} has no rows in {where}")
    strays = list(chosen.task.source.strays(chosen.data)) if chosen.limit is None else []
    made.strays, made.n_strays = strays[:MOST_STRAYS], len(strays)
    return made


def _answer(run: RunDir, prepared: Prepared, engine: Engine, stretch: int) -> None:
    """Ask what has no record yet, and append a record as each answer comes."""
    described = run.manifest()
    done = {chosen.name: run.done(chosen.name) for chosen in prepared.plans}
    total = sum(described.planned[chosen.name].rows * chosen.repeats for chosen in prepared.plans if described.planned)
    already = sum(map(len, done.values()))
    if already >= total:
        return
    given = given_to_all(prepared.config.ablate, prepared.capabilities.channels)

    def waiting(chosen: TaskPlan) -> Iterator[Planned]:
        for item in planned(chosen, run.plan(chosen.name), prepared.config.seed, given):
            if item.key not in done[chosen.name]:
                yield item
            elif not done[chosen.name].asked(item.key, item.fingerprint):
                raise UsageError(
                    f"{run.samples_path(chosen.name)}: sample {item.sample.id!r} was asked something else than what "
                    "would be asked now; was the plan or the log edited?"
                )

    _warm_up(prepared, engine, waiting)
    every = (item for chosen in prepared.plans for item in waiting(chosen))
    with ExitStack() as stack, track("answers", total, already) as progress:
        logs = {chosen.name: stack.enter_context(run.log(chosen.name)) for chosen in prepared.plans}
        before = time.monotonic()
        for answer in engine.answers(groups(every, prepared.config.batch_tokens)):
            now = time.monotonic()
            logs[answer.planned.plan.name].append(record(answer, run, stretch, now - before))
            before = now
            progress.advance(failed=isinstance(answer.outcome, Failure), status=engine.status())


def _warm_up(prepared: Prepared, engine: Engine, waiting: Any) -> None:
    """Answer a few samples of a timed task for nothing: the first ones pay for caches, compilation and clocks."""
    first = [
        item
        for chosen in prepared.plans
        if chosen.task.warm_up
        for item, _ in zip(waiting(chosen), range(chosen.task.warm_up), strict=False)
    ]
    for _ in engine.answers(groups(first, prepared.config.batch_tokens)):
        pass


class _stoppable:
    """Ctrl-C, and a model that can go on no more, say which command goes on with the run."""

    def __init__(self, run: RunDir) -> None:
        self._run = run

    def __enter__(self) -> None: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: object) -> None:
        if isinstance(error, ModelStopped):
            told = f"{error}\nwhat is answered is kept; `harness resume {self._run.path}` asks the rest"
            raise RunStopped(told) from error
        if isinstance(error, KeyboardInterrupt):
            raise RunStopped(f"stopped; `harness resume {self._run.path}` goes on with it") from None


def tasks_of(described: Manifest, objects: Objects = NONE) -> dict[str, Task]:
    """The tasks of a stored run, as they were put to its model."""
    tasks = {name: objects.tasks.get(name) or registry.get_task(name) for name in described.tasks}
    mini = described.config.get("data") == "mini"
    return {name: task.asking(cast(list[Output], described.tasks[name].outputs), mini) for name, task in tasks.items()}


def score_again(
    path: Path, profiles: Mapping[str, str], judges: Sequence[str] | None = None, objects: Objects = NONE
) -> RunDir:
    """Score a run whose answers are complete anew, with other headline profiles if they are named. Needs no model.

    Without `judges` those of the run are asked; an empty list stands for the tasks' own.
    """
    run = RunDir.open(path)
    if not run.finished and any(n != planned for n, planned in done_so_far(run).values()):
        raise UsageError(f"{path} lacks answers; `harness resume {path}` goes on with it")
    described = run.manifest()
    if stray := profiles.keys() - described.tasks.keys():
        raise UsageError(f"{path} has no task {', '.join(sorted(stray))}; it has {', '.join(described.tasks)}")
    tasks = tasks_of(described, objects)
    with _stoppable(run), run.lock():
        stored = described.config.get("judge", ())
        finish.finish(run, tasks, stored if judges is None else judges, profiles)
    return run


def done_so_far(run: RunDir) -> dict[str, tuple[int, int | None]]:
    """Of an unfinished run: task -> (answered, planned; None while the plan is not made)."""
    described = run.manifest()
    repeats = int(described.config.get("repeats", 1))
    planned_rows = {name: made.rows * repeats for name, made in (described.planned or {}).items()}
    return {name: (len(run.done(name)), planned_rows.get(name)) for name in described.tasks}
