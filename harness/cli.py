"""The command line. Each command imports what it needs when it is called, so that `--help` stays instant."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

app = typer.Typer(
    name="harness",
    help="Evaluate omni models: text, image, video and audio in; text and speech out.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _task_names(incomplete: str) -> list[str]:
    from harness import registry

    before, comma, last = incomplete.rpartition(",")
    known = [*registry.SUITES, *registry.names("tasks")]
    return [f"{before}{comma}{name}" for name in known if name.startswith(last)]


def _model_names(incomplete: str) -> list[str]:
    from harness import registry

    return [name for name in registry.names("models") if name.startswith(incomplete)]


ModelOption = Annotated[
    str | None,
    typer.Option("--model", "-m", help="Model name.", autocompletion=_model_names, show_default=False),
]
TasksOption = Annotated[
    str | None,
    typer.Option("--tasks", "-t", help="Tasks and suites, comma-separated.", autocompletion=_task_names),
]
ProfileOption = Annotated[
    list[str] | None, typer.Option("--profile", help="Scoring profile: NAME, or TASK=NAME. May be repeated.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


@app.command()
def run(
    model: ModelOption = None,
    tasks: TasksOption = None,
    data: Annotated[str | None, typer.Option(help="hub, mini, or a folder with the unpacked archives.")] = None,
    weights: Annotated[str | None, typer.Option(help="Folder in the released layout, or a hub id.")] = None,
    limit: Annotated[int | None, typer.Option(help="First N samples of each task.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of sampling, random weights and bootstraps.")] = None,
    batch_tokens: Annotated[int | None, typer.Option(help="Token budget of a batch.")] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda or cuda:N.")] = None,
    dtype: Annotated[str | None, typer.Option(help="auto, float32, bfloat16 or float16.")] = None,
    profile: ProfileOption = None,
    prompt: Annotated[str | None, typer.Option(help="Prompt preset; default: the model's own style.")] = None,
    ablate: Annotated[str | None, typer.Option(help="Blank this input: image, audio or video.")] = None,
    config: Annotated[Path | None, typer.Option(help="YAML file with the same names; flags win.")] = None,
    out: Annotated[Path | None, typer.Option(help="Run directory to make; default: below runs/.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show plan, prompts and sizes; load no model.")] = False,
    json: JsonOption = False,
) -> None:
    """Evaluate a model on tasks."""
    from harness.config import make_config, parse_profiles, read_yaml
    from harness.registry import expand_tasks, get_task

    fields: dict[str, Any] = read_yaml(config) if config else {}
    flags = {"model": model, "tasks": tasks, "data": data, "weights": weights, "limit": limit, "seed": seed}
    flags |= {"batch_tokens": batch_tokens, "device": device, "dtype": dtype, "prompt": prompt, "ablate": ablate}
    fields |= {name: value for name, value in flags.items() if value is not None}
    if isinstance(fields.get("tasks"), str | list):
        named = fields["tasks"]
        fields["tasks"] = expand_tasks(named if isinstance(named, str) else ",".join(map(str, named)))
    if profile:
        known = {name: get_task(name).profiles for name in fields.get("tasks", [])}
        fields["profile"] = parse_profiles(profile, known)
    chosen = make_config(fields, str(config) if config else "command line")

    if dry_run:
        from harness.preview import preview

        _print(preview(chosen), json)
        return
    from harness.run import start

    _conclude(start(chosen, out).path, json)


@app.command()
def resume(run: Annotated[Path, typer.Argument(help="Run directory.")], json: JsonOption = False) -> None:
    """Go on with a run that was stopped or killed."""
    from harness.run import resume as resume_run

    _refuse_probe(run)
    _conclude(resume_run(run).path, json)


@app.command()
def score(
    run: Annotated[Path | None, typer.Argument(help="Finished run whose answers are scored again.")] = None,
    task: Annotated[str | None, typer.Option(help="Task, with --responses.", autocompletion=_task_names)] = None,
    responses: Annotated[Path | None, typer.Option(help='JSONL of {"id", "doc", "response"}.')] = None,
    profile: ProfileOption = None,
    json: JsonOption = False,
) -> None:
    """Score stored answers without a model: a run's, or those in a JSONL file."""
    from harness.failures import Exit, UsageError

    if responses is not None and run is None and task is not None:
        from harness.preview import print_scores
        from harness.registry import get_task
        from harness.responses import score_file

        if profile and len(profile) > 1:
            raise UsageError("--responses takes one --profile")
        result = score_file(get_task(task), responses, profile[0].rpartition("=")[2] if profile else None)
        print_scores(result) if not json else _print(result, json)
        raise typer.Exit(Exit.GOOD if result["valid"] else Exit.INCOMPLETE)
    if run is None or task is not None or responses is not None:
        raise UsageError("give a run directory, or --task NAME with --responses FILE")

    from harness.config import parse_profiles
    from harness.registry import get_task
    from harness.run import score_again
    from harness.store import RunDir

    _refuse_probe(run)
    known = {name: get_task(name).profiles for name in RunDir.open(run).manifest()["tasks"]}
    _conclude(score_again(run, parse_profiles(profile or [], known)).path, json)


@app.command()
def report(
    runs: Annotated[list[Path], typer.Argument(help="Run directories.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the page.")] = Path("site"),
    media: Annotated[str, typer.Option(help="Media to copy: all, failed, or the first N of a task.")] = "all",
    json: JsonOption = False,
) -> None:
    """Make a static HTML page of runs, with every sample."""
    from harness.registry import load_address

    page = load_address("reports.page.site:write_site")(runs, out, media=media)
    _print({"page": str(page)}, json) if json else print(page)


@app.command()
def ask(
    model: Annotated[str, typer.Option("--model", "-m", help="Model name.", autocompletion=_model_names)],
    text: Annotated[str, typer.Option("--text", "-t", help="The question.")] = "",
    image: Annotated[list[Path] | None, typer.Option(help="Picture; may be repeated.")] = None,
    video: Annotated[list[Path] | None, typer.Option(help="Clip; may be repeated.")] = None,
    audio: Annotated[list[Path] | None, typer.Option(help="Recording; may be repeated.")] = None,
    speak: Annotated[Path | None, typer.Option(help="Write the spoken answer to this WAV file.")] = None,
    stream: Annotated[bool, typer.Option("--stream", help="Show and speak the answer as it is made.")] = False,
    max_new_tokens: Annotated[int, typer.Option(min=1, help="Longest answer.")] = 256,
    weights: Annotated[str | None, typer.Option(help="Folder in the released layout, or a hub id.")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
    dtype: Annotated[str, typer.Option(help="auto, float32, bfloat16 or float16.")] = "auto",
    seed: Annotated[int, typer.Option(min=0, help="Seed of sampling and random weights.")] = 0,
    json: JsonOption = False,
) -> None:
    """Ask a model one question and time its answer."""
    from harness import registry
    from harness.ask import Question, timing_lines, write_wav
    from harness.ask import ask as ask_model
    from harness.config import resolve_device, resolve_dtype
    from harness.contracts import ModelOptions
    from harness.failures import Exit, SampleError
    from harness.types import Chunk, Generation

    chosen = resolve_device(device)
    options = ModelOptions(weights, chosen, resolve_dtype(dtype, chosen), seed)
    question = Question(text, tuple(image or ()), tuple(video or ()), tuple(audio or ()))

    def tell(chunk: Chunk) -> None:
        if not json:
            print(_printable(chunk.text), end="", flush=True)

    try:
        answer = ask_model(
            registry.get_model(model)(options),
            question,
            Generation(max_new_tokens=max_new_tokens, seed=seed),
            speak=speak is not None,
            on_chunk=tell if stream else None,
        )
    except SampleError as error:
        print(f"no answer: {error}", file=sys.stderr)
        raise typer.Exit(Exit.INCOMPLETE) from None
    if speak is not None and answer.speech is not None:
        write_wav(speak, answer.speech)
    if json:
        _print({"text": answer.text, "speech": str(speak) if speak else None, **timing_lines(answer)}, json)
        return
    print("" if stream else _printable(answer.text))
    for name, value in timing_lines(answer).items():
        print(f"  {name:14} {value:.4g}", file=sys.stderr)


@app.command()
def probe(
    model: ModelOption = None,
    data: Annotated[str | None, typer.Option(help="mini, hub (WIT), or a folder with pictures and captions.")] = None,
    stage: Annotated[str | None, typer.Option(help="unembedding (model's input) or embedding (layers).")] = None,
    profile: Annotated[str | None, typer.Option(help="paper (k 50, raw) or platonic (k 10, best layers).")] = None,
    metrics: Annotated[str | None, typer.Option(help="Metrics, comma-separated; default: all seven.")] = None,
    layers: Annotated[str | None, typer.Option(help="0,4,8 or all; 0 is the model's input.")] = None,
    k: Annotated[int | None, typer.Option("--k", help="Neighbours; default: the profile's.")] = None,
    fuse: Annotated[str | None, typer.Option(help="vision+audio at the input: concat or tokens.")] = None,
    limit: Annotated[int | None, typer.Option(help="First N rows.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of random weights, shuffles and resamples.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Samples of a forward pass.")] = None,
    weights: Annotated[str | None, typer.Option(help="Folder in the released layout, or a hub id.")] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda or cuda:N.")] = None,
    dtype: Annotated[str | None, typer.Option(help="auto, float32, bfloat16 or float16.")] = None,
    baseline: Annotated[Path | None, typer.Option(help="Another probe run, for a paired test against it.")] = None,
    from_features: Annotated[Path | None, typer.Option(help="Probe run whose features are scored anew.")] = None,
    out: Annotated[Path | None, typer.Option(help="Run directory to make; default: below runs/.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be probed; load no model.")] = False,
    json: JsonOption = False,
) -> None:
    """Measure how well a model's modalities agree, at its input or layer by layer."""
    from harness import probe_command

    given: dict[str, Any] = {"model": model, "data": data, "stage": stage, "profile": profile, "layers": layers}
    given |= {"k": k, "fuse": fuse, "limit": limit, "seed": seed, "batch_size": batch_size, "weights": weights}
    given |= {"device": device, "dtype": dtype, "metrics": metrics}
    options = {name: value for name, value in given.items() if value is not None}
    if dry_run:
        plan = probe_command.preview(options, from_features=from_features)
        _print(plan if json else probe_command.preview_text(plan), json)
        return
    _conclude(probe_command.probe(options, from_features=from_features, baseline=baseline, out=out).path, json)


@app.command()
def show(run: Annotated[Path, typer.Argument(help="Run directory.")], json: JsonOption = False) -> None:
    """Show a run's table; of an unfinished run, how far it is."""
    from harness.failures import Exit
    from harness.store import RunDir

    opened = RunDir.open(run)
    if opened.finished:
        _conclude(run, json)
    counts = {task: len(opened.done(task)) for task in opened.manifest()["tasks"]}
    if json:
        _print({"run": str(run), "finished": False, "done": counts}, json)
    else:
        print(f"{run} is not finished; `harness resume {run}` goes on with it")
        for task, count in counts.items():
            print(f"  {task:28} {count} samples done")
    raise typer.Exit(Exit.INCOMPLETE)


list_app = typer.Typer(help="List what can be named.", no_args_is_help=True)
app.add_typer(list_app, name="list")


@list_app.command("tasks")
def list_tasks(json: JsonOption = False) -> None:
    """List suites and tasks."""
    from harness import registry

    if json:
        _print({"suites": registry.SUITES, "tasks": registry.names("tasks")}, json)
        return
    for suite, members in registry.SUITES.items():
        print(f"{suite:28} suite: {', '.join(members)}")
    for name in registry.names("tasks"):
        print(name)


@list_app.command("models")
def list_models(json: JsonOption = False) -> None:
    """List models."""
    from harness import registry

    _print({"models": registry.names("models")}, json) if json else print("\n".join(registry.names("models")))


def _refuse_probe(path: Path) -> None:
    """Probe runs have no answers: they are neither resumed nor scored by tasks."""
    from harness.failures import UsageError
    from harness.store import RunDir

    if RunDir.open(path).manifest().get("kind") == "probe":
        raise UsageError(f"{path} is a probe run: `harness probe --from-features {path}` scores its features anew")


def _conclude(path: Path, json: bool) -> None:
    """Print a run's table and exit with its verdict."""
    from harness.registry import load_address
    from harness.run import exit_code
    from harness.store import RunDir

    run = RunDir.open(path)
    if json:
        _print({"run": str(path), **run.results()}, json)
    else:
        if run.manifest().get("kind") == "probe":
            load_address("reports.probes:print_table")(path)
        else:
            load_address("reports.tables:print_table")([path])
        print(f"run directory: {path}")
    raise typer.Exit(exit_code(run))


def _printable(text: str) -> str:
    """What a model or a data set wrote, without the control characters that a terminal would obey."""
    import unicodedata

    def harmless(c: str) -> bool:
        return c.isprintable() or c in "\n\t" or unicodedata.category(c) == "Zs"  # e.g. the ideographic space

    return "".join(c if harmless(c) else "\ufffd" for c in text)


def _print(content: Any, json: bool) -> None:
    if json:
        import orjson

        print(orjson.dumps(content, option=orjson.OPT_INDENT_2).decode())
    else:
        print(_printable(str(content)))


def main() -> None:
    """Entry point: problems that the caller can mend are one message and exit code 2, never a traceback."""
    from harness.failures import Exit, UsageError

    try:
        app()
    except UsageError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(Exit.USAGE)
    except KeyboardInterrupt:
        print("\nstopped; `harness resume` with its directory goes on with a run", file=sys.stderr)
        sys.exit(Exit.INCOMPLETE)


if __name__ == "__main__":
    main()
