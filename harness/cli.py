"""The command line. Each command imports what it needs when it is called, so that `--help` stays instant."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Annotated, Any, NoReturn

import msgspec
import typer

from harness.completion import judge_names, mode_names, model_names, task_names
from harness.config import RunConfig
from harness.offline import OfflineOption, switch_off_if_told
from harness.options import with_flags

app = typer.Typer(
    name="harness",
    help="Evaluate omni models: text, image, video and audio in; text and speech out.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


COMPLETION = {"tasks": task_names, "model": model_names, "judge": judge_names}
SHORT = {"tasks": "-t", "model": "-m"}

RunArgument = Annotated[Path, typer.Argument(help="Run directory.")]
ProfileOption = Annotated[
    list[str] | None, typer.Option("--profile", help="Profile of the headline: NAME, or TASK=NAME. May be repeated.")
]
JudgeOption = Annotated[
    list[str] | None,
    typer.Option("--judge", help="Judge: NAME, NAME:WEIGHTS, or none. May be repeated.", autocompletion=judge_names),
]
ModeOption = Annotated[
    str | None,
    typer.Option(
        "--mode", help="Decoding mode of VITA-Audio; short for --option mode=MODE.", autocompletion=mode_names
    ),
]
BaseUrlOption = Annotated[
    str | None, typer.Option("--base-url", help="Endpoint of an openai: model; short for --option base_url=URL.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
SyncOption = Annotated[
    str | None,
    typer.Option("--sync", metavar="URL", help="Keep the run there too while it runs: s3://, gs://, folder."),
]
SyncEvery = Annotated[float, typer.Option("--sync-every", min=1, help="Seconds between two syncs.")]


@app.command()
@with_flags(RunConfig, SHORT, COMPLETION)
def run(
    given: dict[str, Any],
    config: Annotated[Path | None, typer.Option(help="YAML file with the same names, but _ for -; flags win.")] = None,
    out: Annotated[Path | None, typer.Option(help="Run directory to make; default: below runs/.")] = None,
    mode: ModeOption = None,
    base_url: BaseUrlOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show plan, prompts and sizes; load no model.")] = False,
    offline: OfflineOption = False,
    sync: SyncOption = None,
    sync_every: SyncEvery = 60,
    json: JsonOption = False,
) -> None:
    """Evaluate a model on tasks."""
    from harness.config import gather

    given |= {name: value for name, value in (("mode", mode), ("base_url", base_url)) if value is not None}
    chosen = gather(given, config)
    if dry_run:
        from harness.preview import preview

        _print(preview(chosen), json)
        return
    from harness.run import new_path, start

    if sync is None:
        conclude(start(chosen, out).path, json)
        return
    from harness.sync.follow import beside

    path = out or new_path(chosen)
    with beside(path, sync, sync_every) as synced:
        start(chosen, path)
    conclude(path, json, synced.problem)


@app.command()
def resume(
    run: RunArgument,
    engine: Annotated[str | None, typer.Option(help="Go on with another engine: local or ray.")] = None,
    replicas: Annotated[int | None, typer.Option(min=1, help="Workers of --engine ray.")] = None,
    address: Annotated[str | None, typer.Option(help="Ray cluster for --engine ray.")] = None,
    sync: SyncOption = None,
    sync_every: SyncEvery = 60,
    offline: OfflineOption = False,
    json: JsonOption = False,
) -> None:
    """Go on with a run that was stopped or killed."""
    from harness.kinds import need_answers
    from harness.run import resume as resume_run

    need_answers(run)
    given = {"engine": engine, "replicas": replicas, "address": address}
    where = {name: value for name, value in given.items() if value is not None}
    if sync is None:
        conclude(resume_run(run, where=where).path, json)
        return
    from harness.sync.follow import beside

    with beside(run, sync, sync_every) as synced:
        resume_run(run, where=where)
    conclude(run, json, synced.problem)


@app.command()
def score(
    run: Annotated[Path | None, typer.Argument(help="Finished run whose answers are scored again.")] = None,
    task: Annotated[str | None, typer.Option(help="Task, with --responses.", autocompletion=task_names)] = None,
    responses: Annotated[
        Path | None, typer.Option(help='JSONL of {"id", "doc", "response"}; see docs/responses.md.')
    ] = None,
    profile: ProfileOption = None,
    prompt: Annotated[str | None, typer.Option(help="Preset that the responses answer, with --responses.")] = None,
    judge: JudgeOption = None,
    offline: OfflineOption = False,
    json: JsonOption = False,
) -> None:
    """Score stored answers without a model: a run's, or those in a JSONL file."""
    from harness.failures import Exit, UsageError

    if responses is not None and run is None and task is not None:
        from harness.registry import get_task
        from harness.responses import print_scores, score_file

        if profile and len(profile) > 1:
            raise UsageError("--responses takes one --profile")
        chosen = profile[0].rpartition("=")[2] if profile else None
        result = score_file(get_task(task), responses, chosen, prompt=prompt, judges=judge or ())
        print_scores(result) if not json else _print(result, json)
        raise typer.Exit(Exit.GOOD if result["valid"] else Exit.INCOMPLETE)
    if run is None or task is not None or responses is not None:
        raise UsageError("give a run directory, or --task NAME with --responses FILE")

    from harness.config import parse_choices
    from harness.kinds import need_answers
    from harness.registry import get_task
    from harness.run import score_again

    known = {name: get_task(name).profiles for name in need_answers(run).manifest().tasks}
    conclude(score_again(run, parse_choices("profile", profile or [], known), judge).path, json)


@app.command()
def judge(
    run: RunArgument, judge: JudgeOption = None, offline: OfflineOption = False, json: JsonOption = False
) -> None:
    """Let judges hear or read a run's answers, then score it. Goes on where it was stopped; needs no model."""
    from harness.kinds import need_answers
    from harness.run import score_again

    stored = tuple(need_answers(run).manifest().config.get("judge", ()))
    conclude(score_again(run, {}, judge or (() if stored == ("none",) else stored)).path, json)


@app.command()
def ask(
    model: Annotated[str, typer.Option("--model", "-m", help="Model name.", autocompletion=model_names)],
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
    option: Annotated[list[str] | None, typer.Option(help="Option of the model alone: NAME=VALUE.")] = None,
    mode: ModeOption = None,
    offline: OfflineOption = False,
    base_url: BaseUrlOption = None,
    json: JsonOption = False,
) -> None:
    """Ask a model one question and time its answer."""
    from harness import registry
    from harness.ask import Question, timing_lines, write_wav
    from harness.ask import ask as ask_model
    from harness.config import own_options, resolve_device, resolve_dtype
    from harness.contracts import ModelOptions
    from harness.failures import RunStopped, SampleError, UsageError
    from harness.files import real
    from harness.terminal import complain, print_json
    from harness.texts import printable
    from harness.types import Chunk, Generation

    if speak is not None and not real(speak).parent.is_dir():
        raise UsageError(f"--speak {speak}: there is no folder {speak.parent}")
    chosen = resolve_device(device)
    own = own_options(option or [], mode=mode, base_url=base_url)
    options = ModelOptions(weights, chosen, resolve_dtype(dtype, chosen, model), seed, own=own)
    question = Question(text, tuple(image or ()), tuple(video or ()), tuple(audio or ()))

    def tell(chunk: Chunk) -> None:
        if not json:
            print(printable(chunk.text), end="", flush=True)

    try:
        answer = ask_model(
            registry.get_model(model)(options),
            question,
            Generation(max_new_tokens=max_new_tokens, seed=seed),
            speak=speak is not None,
            on_chunk=tell if stream else None,
        )
    except SampleError as error:
        raise RunStopped(f"no answer: {error}") from None
    if speak is not None and answer.speech is not None:
        write_wav(speak, answer.speech)
    if json:
        print_json({"text": answer.text, "speech": str(speak) if speak else None, **timing_lines(answer)})
        return
    print("" if stream else printable(answer.text))
    for name, value in timing_lines(answer).items():
        complain(f"  {name:14} {value:.4g}")


@app.command()
def show(run: RunArgument, json: JsonOption = False) -> None:
    """Show a run's table; of an unfinished run, how far it is."""
    from harness.failures import Exit
    from harness.run import done_so_far
    from harness.store import RunDir

    opened = RunDir.open(run)
    if opened.finished:
        conclude(run, json)
    counts = done_so_far(opened)
    if json:
        done = {task: {"answered": n, "planned": of} for task, (n, of) in counts.items()}
        _print({"run": str(run), "finished": False, "tasks": done}, json)
    else:
        _print(f"{run} is not finished; `harness resume {run}` goes on with it", json)
        for task, (n, of) in counts.items():
            _print(f"  {task:28} {n} of {'?' if of is None else of} samples answered", json)
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

    known = [*registry.names("models"), *(f"{prefix}NAME" for prefix in registry.PREFIXES["models"])]
    _print({"models": known}, json) if json else print("\n".join(known))


@list_app.command("judges")
def list_judges(json: JsonOption = False) -> None:
    """List judges: what hears or reads answers before they can be scored."""
    from harness import registry

    names = registry.names("judges")
    _print({"judges": names}, json) if json else print("\n".join(names) or "no judge is installed")


def conclude(path: Path, json: bool, problem: str | None = None) -> None:
    """Print a run's table and exit with its verdict; a `problem` that was told already makes that incomplete."""
    from harness.failures import Exit
    from harness.files import read_json
    from harness.kinds import kind_of
    from harness.recount import recounted
    from harness.registry import load_address
    from harness.store import RunDir

    opened = RunDir.open(path)
    kind = kind_of(opened)
    results: Any = read_json(path / "results.json") if kind.instead else msgspec.to_builtins(recounted(opened))
    if json:
        derived = load_address(kind.derived)(path) if kind.derived else {}
        _print({"run": str(path), **results, **derived}, json)
    else:
        load_address(kind.table)(path)
        _print(f"run directory: {path}", json)
    good = opened.finished and results["valid"] and problem is None
    raise typer.Exit(Exit.GOOD if good else Exit.INCOMPLETE)


def _print(content: Any, json: bool) -> None:
    from harness.terminal import print_json
    from harness.texts import printable

    if json:
        print_json(content)
    else:
        print(printable(str(content)))


@cache
def command() -> Callable[..., Any]:
    """The whole command line, built once in a process: every command's flags are read from its annotations."""
    from harness.registry import COMMANDS, load_address

    for address in COMMANDS:
        load_address(address)(app)
    return typer.main.get_command(app)


def main() -> None:
    """Entry point: problems that the caller can mend are one message and exit code 2, never a traceback. With `--json`
    the message is printed as JSON too, so that a program always has something to read."""
    from harness.failures import Exit, RunStopped, UsageError
    from harness.terminal import complain, nowhere, tolerant

    tolerant()
    switch_off_if_told()
    try:
        code = command()(prog_name="harness", standalone_mode=False) or 0
        sys.stdout.flush()  # what is not taken is told here, and not when Python ends
        sys.exit(code)
    except UsageError as error:
        complain(f"error: {error}")
        _fail(str(error), Exit.USAGE)
    except RunStopped as error:
        complain(f"\n{error}")
        _fail(str(error), Exit.INCOMPLETE)
    except OSError as error:
        if not error.filename:  # it was stdout, or a connection
            complain(f"error: {error.strerror or error}")
            sys.stdout = nowhere()
            sys.exit(Exit.USAGE)
        told = f"{error.filename}: {error.strerror}"
        complain(f"error: {told}")
        _fail(told, Exit.USAGE)
    except (KeyboardInterrupt, typer.Abort):
        told = "stopped before a run was begun"
        complain(f"\n{told}")
        _fail(told, Exit.INCOMPLETE)
    except Exception as error:
        if not hasattr(error, "show"):
            raise
        of_parser: Any = error  # what the parser of the command line says of a flag
        of_parser.show()
        _fail(of_parser.format_message(), Exit.USAGE)


def _fail(message: str, code: int) -> NoReturn:
    from harness.terminal import print_json
    from harness.texts import redacted

    if "--json" in sys.argv:
        print_json({"error": redacted(message), "exit_code": int(code)})
    sys.exit(code)
