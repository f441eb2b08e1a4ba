"""Command-line flags made from the fields of a configuration, so that a field is declared once."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import wraps
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import msgspec
import typer

Completion = Callable[[str], list[str]]


def with_flags(
    config: type[msgspec.Struct],
    short: Mapping[str, str] | None = None,
    completion: Mapping[str, Completion] | None = None,
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command a flag for every field of `config`; it gets those that were set as its argument `given`.

    A flag that is not set is absent, so that a configuration file keeps its say. Mappings and lists are flags that
    may be repeated; the fields' descriptions are the help.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        signature = inspect.signature(command, eval_str=True)
        own = [parameter for name, parameter in signature.parameters.items() if name != "given"]
        hints = get_type_hints(config, include_extras=True)
        flags = [
            _flag(field.name, hints[field.name], (short or {}).get(field.name), (completion or {}).get(field.name))
            for field in msgspec.structs.fields(config)
        ]
        names = {flag.name for flag in flags}

        @wraps(command)
        def wrapper(**values: Any) -> None:
            given = {name: value for name, value in values.items() if name in names and value not in (None, [])}
            command(given=given, **{name: value for name, value in values.items() if name not in names})

        everything = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in [*flags, *own]]
        wrapper.__signature__ = signature.replace(parameters=everything)  # type: ignore[attr-defined]
        wrapper.__annotations__ = {parameter.name: parameter.annotation for parameter in everything}
        return wrapper

    return decorate


def _flag(name: str, hint: Any, short: str | None, completion: Completion | None) -> inspect.Parameter:
    annotation, *metas = get_args(hint)
    text = next((meta.description for meta in metas if meta.description), "")
    kind: Any = next((plain for plain in (bool, int, list[str]) if plain in _kinds(annotation)), str)
    if name == "tasks":
        kind = str
    long = f"--{name.replace('_', '-')}"
    option = typer.Option(
        f"{long}/--no-{long.removeprefix('--')}" if kind is bool else long,
        *([short] if short else []),
        help=text[:1].upper() + text[1:] + ".",
        autocompletion=completion,
        show_default=False,
    )
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[kind | None, option]
    )


def _kinds(annotation: Any) -> set[Any]:
    """The plain types in a union; mappings and tuples are lists of texts."""
    origin = get_origin(annotation)
    if origin in (dict, tuple):
        return {list[str]}
    if origin is Annotated:
        return _kinds(get_args(annotation)[0])
    if origin in (Union, UnionType):
        return {kind for part in get_args(annotation) for kind in _kinds(part)}
    return {annotation}
