"""`RunConfig`: the one definition behind command-line flags, the YAML file and the manifest."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args, get_origin

import msgspec
from msgspec import Meta

from harness.failures import UsageError
from harness.files import at_home, is_there
from harness.part import PATTERN as PART
from harness.texts import redacted

if TYPE_CHECKING:
    from harness.contracts import DType
    from harness.task import Task

DEVICES = r"auto|cpu|cuda(:\d+)?"

WHERE = ("engine", "replicas", "address")
"""Fields that say by whom the questions are answered, and change no question: a run may go on with others."""


Natural = Annotated[int, Meta(ge=0)]
Positive = Annotated[int, Meta(ge=1, le=2**62)]
PartText = Annotated[str, Meta(pattern=PART)]


def told(text: str) -> Any:
    """A field's description: the help of its flag."""
    return Meta(description=text)


class RunConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is run, on what, with what. Two runs with equal configs ask the same questions in the same way."""

    model: Annotated[str, Meta(min_length=1), told("model name, see `harness list models`")]
    tasks: Annotated[tuple[str, ...], Meta(min_length=1), told("tasks and suites, comma-separated")]
    data: Annotated[str, told("hub, mini, or a folder with the archives as they unpack")] = "hub"
    weights: Annotated[str | None, told("folder in the released layout, or a hub id")] = None
    option: Annotated[dict[str, str], told("option of the model alone, NAME=VALUE, such as mode=turbo")] = {}
    skip_unable: Annotated[bool, told("leave out tasks whose input or output the model lacks, and say which")] = False
    limit: Annotated[Positive | None, told("first N samples of each task")] = None
    part: Annotated[PartText | None, told("K/N: of every N rows the K-th; `harness merge` joins the parts")] = None
    seed: Annotated[Natural, told("seed of sampling, random weights and bootstraps")] = 0
    repeats: Annotated[Positive, told("how often each sample is asked, with a seed of its own")] = 1
    batch_tokens: Annotated[Positive, told("token budget of a batch (longest prompt x rows)")] = 16384
    device: Annotated[str, Meta(pattern=rf"^({DEVICES})$"), told("auto, cpu, cuda or cuda:N")] = "auto"
    dtype: Annotated[
        Literal["auto", "float32", "bfloat16", "float16"], told("auto: float32 on a CPU, as released on CUDA")
    ] = "auto"
    threads: Annotated[Positive | None, told("CPU threads of a forward pass; default: the model's own")] = None
    profile: Annotated[dict[str, str], told("profile of the headline: NAME or TASK=NAME")] = {}
    prompt: Annotated[dict[str, str], told("prompt preset: NAME or TASK=NAME; default: the model's own")] = {}
    judge: Annotated[tuple[str, ...], told("judge: NAME, NAME:WEIGHTS, or none")] = ()
    ablate: Annotated[Literal["image", "audio", "video"] | None, told("blank this input: grey, or silence")] = None
    oracle_length_cap: Annotated[bool, told("end a transcript 10 tokens after its reference's length; marked")] = False
    cache: Annotated[
        bool | None, told("reuse answers that the same model gave to the same request; default: of endpoints only")
    ] = None
    engine: Annotated[Literal["local", "ray"], told("local: in this process; ray: replicas as actors")] = "local"
    replicas: Annotated[Positive | None, told("workers of --engine ray; default: one a GPU, or a machine")] = None
    address: Annotated[str | None, told("Ray cluster for --engine ray, HOST:PORT or auto; default: this machine")] = (
        None
    )

    def differences(self, other: RunConfig) -> list[str]:
        """Lines "field: ours -> theirs" for the fields that differ, but for `WHERE`."""
        ours, theirs = msgspec.to_builtins(self), msgspec.to_builtins(other)
        return [
            f"{name}: {ours[name]!r} -> {theirs[name]!r}"
            for name in ours
            if name not in WHERE and ours[name] != theirs[name]
        ]


def make_config(fields: Mapping[str, Any], source: str = "command line") -> RunConfig:
    """Validate fields; every problem is told at once with the name of its field."""
    known = {field.name: field for field in msgspec.structs.fields(RunConfig)}
    values = {name: _plain(name, value) for name, value in fields.items()}
    problems = [f"  {name}: no such field" for name in values if name not in known]
    problems += [f"  {name}: is missing" for name, field in known.items() if field.required and name not in values]
    for name in ("data", "weights", "judge", "option", "address"):
        if redacted(str(values.get(name, ""))) != str(values.get(name, "")):
            problems.append(f"  {name}: holds credentials, which a manifest would keep; put a token into HF_TOKEN")
    for name, value in values.items():
        try:
            if name in known:
                msgspec.convert(value, known[name].type)
        except msgspec.ValidationError as error:
            names = names_in(known[name].type)
            problems.append(f"  {name}: {error}" + (f"; there are {', '.join(names)}" if names else ""))
    if problems:
        raise UsageError("\n".join([f"bad configuration ({source}):", *problems, f"fields: {', '.join(known)}"]))
    config = msgspec.convert(values, RunConfig)
    if stray := [f"--{name}" for name in ("replicas", "address") if config.engine == "local" and getattr(config, name)]:
        raise UsageError(f"{' and '.join(stray)} ({source}): the local engine has one model; add --engine ray")
    if config.engine == "ray" and config.device.startswith("cuda:"):
        raise UsageError(f"--device {config.device} ({source}): Ray gives each replica a GPU of its own; --device cuda")
    if config.engine == "ray" and config.model.startswith("openai:"):
        raise UsageError(
            f"--engine ray ({source}): an endpoint is asked side by side by one process, which keeps to its limits of "
            "tokens and money; leave --engine out"
        )
    if (config.address or "").startswith("ray://"):
        raise UsageError(
            f"--address {config.address} ({source}): start the run on a machine of the cluster, as HOST:PORT"
        )
    return config


def elsewhere(config: RunConfig, where: Mapping[str, Any]) -> RunConfig:
    """The same run with other `WHERE` fields. Another engine takes none of the first one's."""
    fields = msgspec.to_builtins(config)
    if where.get("engine", config.engine) != config.engine:
        fields |= dict.fromkeys(("replicas", "address"))
    return make_config({**fields, **where})


def names_in(kind: Any) -> list[str]:
    """The names that a field's type lists, if it does."""
    if get_origin(kind) is Literal:
        return [str(name) for name in get_args(kind)]
    return [name for inner in get_args(kind) for name in names_in(inner)]


def _plain(name: str, value: Any) -> Any:
    """Lists written with commas as lists; a folder by its absolute path, so that a run goes on from anywhere."""
    if name in ("tasks", "judge") and isinstance(value, str):
        return value.split(",")
    if name in ("data", "weights") and isinstance(value, str) and value not in ("hub", "mini"):
        folder = at_home(value)
        return str(folder.absolute()) if is_there(folder) else value
    return list(value) if isinstance(value, tuple) else value


def gather(given: Mapping[str, Any], file: Path | None = None, objects: Mapping[str, Task] | None = None) -> RunConfig:
    """A configuration from flags and a YAML file; flags win. Suites become their tasks, `NAME` goes to every task
    that has it. `objects` are tasks that are known beside those of the registry. Raises UsageError naming the file or
    flag at fault."""
    from harness.registry import expand_tasks, get_task

    own = objects or {}
    fields = _with_options(dict(given))
    if file:
        from harness.yaml_files import read_yaml

        try:
            stated = _with_options(read_yaml(file, "config file"))
        except UsageError as error:
            raise UsageError(f"{file}: {error}") if str(file) not in str(error) else error from None
        options = {**stated.get("option", {}), **fields.get("option", {})}
        fields = stated | fields | ({"option": options} if options else {})
    if fields.get("tasks") is not None:
        named = [one for text in _texts("tasks", fields["tasks"], file) for one in text.split(",")]
        found = [task for name in named for task in ([name] if name in own else expand_tasks(name))]
        fields["tasks"] = list(dict.fromkeys(found))
    for name, names in (("profile", "profiles"), ("prompt", "presets")):
        chosen = fields.get(name)
        if chosen is not None and not isinstance(chosen, Mapping):
            tasks = fields.get("tasks") or []
            known = {task: tuple(getattr(own.get(task) or get_task(task), names)) for task in tasks}
            fields[name] = parse_choices(name, _texts(name, chosen, file), known)
    return make_config(fields, str(file) if file else "command line")


def _texts(name: str, value: Any, file: Path | None) -> list[str]:
    """One text or a list of them, as a list. Raises UsageError naming the file and the field."""
    values = list(value) if isinstance(value, list | tuple) else [value]
    if any(not isinstance(one, str) for one in values):
        told = f"{name} is {value!r}: expected a name or a list of names, in quotes where YAML knows the word"
        raise UsageError(f"{file}: {told}" if file else told)
    return values


def parse_choices(what: str, values: Sequence[str], known: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """`TASK=NAME`, or `NAME` for every task that has it, as a mapping task -> name, for `--profile` and `--prompt`.

    `known` maps each task to its names. Raises UsageError for a name that no task has.
    """
    chosen: dict[str, str] = {}
    for value in values:
        task, equals, name = value.partition("=")
        having = {task: name} if equals else {task: value for task, names in known.items() if value in names}
        if not having:
            there = sorted({name for names in known.values() for name in names})
            raise UsageError(f"no task here has a {what} {value!r}; there are {', '.join(there)}")
        chosen |= having
    return chosen


SHORT_OPTIONS = ("mode", "base_url")
"""Options of a model that have a flag of their own, and a name at the top of a file."""


def own_options(stated: Any, **short: Any) -> dict[str, str]:
    """Options of the model alone, as flags (`NAME=VALUE`) or a file (a mapping) state them; `short` are those of
    SHORT_OPTIONS, None where one is not set. A number and a list of numbers are written with commas. Raises UsageError
    naming the option."""
    if stated is None or isinstance(stated, Mapping):
        chosen = {str(name): _option(str(name), value) for name, value in (stated or {}).items()}
    else:
        chosen = parse_options([stated] if isinstance(stated, str) else stated)
    for name, value in short.items():
        if value is None:
            continue
        named = _option(name, value)
        if chosen.get(name, named) != named:
            raise UsageError(f"{name} is given twice: {named}, and in option {chosen[name]}")
        chosen[name] = named
    return chosen


def _with_options(fields: dict[str, Any]) -> dict[str, Any]:
    short = {name: fields.pop(name, None) for name in SHORT_OPTIONS}
    if fields.get("option") is None and not any(value is not None for value in short.values()):
        return fields
    return fields | {"option": own_options(fields.get("option"), **short)}


def _option(name: str, value: Any) -> str:
    parts = value if isinstance(value, list | tuple) and value else [value]
    if any(isinstance(part, bool) or not isinstance(part, str | int | float) for part in parts):
        raise UsageError(
            f"option {name} is {value!r}: expected a text, a number or a list of numbers, such as mode: turbo or "
            'mode: [1, 10]; put it into quotes, "true", to have a word of YAML as a text'
        )
    text = ",".join(str(part).strip() for part in parts)
    if not text:
        raise UsageError(f"option {name} is empty: give it a value, or leave it out")
    return text


def parse_options(values: Sequence[str]) -> dict[str, str]:
    """`NAME=VALUE` texts as a mapping, for `--option`. Raises UsageError for one that is none, or two of a name."""
    chosen: dict[str, str] = {}
    if isinstance(values, str) or not isinstance(values, Sequence) or not all(isinstance(one, str) for one in values):
        raise UsageError(
            f"option is {values!r}: expected a mapping such as option: {{mode: turbo}}, or NAME=VALUE texts"
        )
    for value in values:
        name, equals, content = value.partition("=")
        if not (name.strip() and equals and content.strip()):
            raise UsageError(f"--option {value}: expected NAME=VALUE, such as mode=turbo")
        if name in chosen and chosen[name] != content:
            raise UsageError(f"--option {name} is given twice: {chosen[name]} and {content}")
        chosen[name.strip()] = content.strip()
    return chosen


def resolve_device(device: str) -> str:
    """ "auto" is CUDA where a usable device is present, else the CPU. Raises UsageError for an unknown device."""
    if not re.fullmatch(DEVICES, device):
        raise UsageError(f"unknown device {device!r}; there are auto, cpu, cuda and cuda:N")
    if device != "auto":
        return device
    if not any(Path("/dev").glob("nvidia[0-9]*")):  # saves importing torch on machines without a GPU
        return "cpu"
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def resolve_dtype(dtype: str, device: str, model: str) -> DType:
    """ "auto" is float32 on a CPU and elsewhere the type that the model of that name was released in."""
    from harness.registry import released_dtype

    match dtype:
        case "float32" | "bfloat16" | "float16":
            return dtype
        case "auto":
            return "float32" if device == "cpu" else released_dtype(model)
        case _:
            raise UsageError(f"unknown dtype {dtype!r}; there are auto, float32, bfloat16 and float16")
