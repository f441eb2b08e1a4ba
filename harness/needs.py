"""What a run needs from elsewhere, as values: data, weights, judges. Naming it opens nothing.

A task says it by its source, a model or a judge by its factory (`says`). Whoever says nothing needs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, TypeVar

from harness.contracts import JudgeOptions, ModelOptions
from harness.types import Output

Kind = Literal["data", "weights", "judge"]
Place = Literal["model", "dataset", "address", "modelscope", "folder", "nowhere"]
"""A repository of the hub of this kind, an address, ModelScope, a folder that was named, or to be got by hand."""
Lacks = Callable[[Path], str]
"""What a folder (or file) lacks to be used, "" where it is whole."""


def _nothing(place: Path) -> str:
    return ""


@dataclass(frozen=True)
class Need:
    """One thing that a run reads. `name` is the hub's id, an address, or a path."""

    kind: Kind
    place: Place
    name: str
    revision: str = "main"
    """Of a repository: a commit, tag or branch. Of an address: the MD5 of what is there."""
    files: tuple[str, ...] = ()
    """Patterns (fnmatch, `*` goes through folders) of what is needed of a repository; () is all of it."""
    lacks: Lacks = field(default=_nothing, compare=False)
    optional: str = ""
    """What is lost without it, where a run goes on."""
    remedy: str = ""
    """How else it can be given, or how to get what is not to be fetched."""
    users: tuple[str, ...] = ()
    """Names of the tasks, models and judges that read it."""


F = TypeVar("F", bound=Callable[..., Any])


def says(needs: Callable[[Any], Sequence[Need]]) -> Callable[[F], F]:
    """Gives a factory of a model or judge a say: `needs(options)` is what it will read.

    It may raise UsageError for options that it cannot take.
    """

    def decorate(factory: F) -> F:
        factory.needs = needs  # type: ignore[attr-defined]
        return factory

    return decorate


def of_task(name: str) -> list[Need]:
    """What a task's rows are read from, by `--data hub`."""
    from harness.registry import get_task

    return _used(name, getattr(get_task(name).source, "needs", tuple)())


def of_model(name: str, weights: str | None = None) -> list[Need]:
    from harness.registry import get_model

    return _used(name, getattr(get_model(name), "needs", lambda options: ())(ModelOptions(weights)))


def of_judge(text: str) -> list[Need]:
    """Of `NAME` or `NAME:WEIGHTS`."""
    from harness.registry import get_judge

    name, _, weights = text.partition(":")
    return _used(name, getattr(get_judge(name), "needs", lambda options: ())(JudgeOptions(weights or None)))


def judges_of(tasks: Iterable[str], able: Collection[Output], named: Sequence[str]) -> list[str]:
    """The judges that the tasks ask of a model with these outputs: those named, and the tasks' own for other roles.

    Without a judge's factory its roles are not known, so that one which is named takes the place of its own name only.
    """
    from harness.registry import get_task

    if "none" in named:
        return []
    known = {text.partition(":")[0]: text for text in named}
    for task in tasks:
        for judge in get_task(task).asking(able).needs.values():
            known.setdefault(judge, judge)
    return list(known.values())


def _used(user: str, needs: Iterable[Need]) -> list[Need]:
    return [replace(need, users=(user,)) for need in needs]


def joined(needs: Iterable[Need]) -> list[Need]:
    """Each thing once, with all that read it; what anyone cannot do without is not optional."""
    found: dict[tuple[str, ...], Need] = {}
    for need in needs:
        key = (need.place, need.name, need.revision, *need.files)
        if (other := found.get(key)) is not None:
            users = tuple(dict.fromkeys(other.users + need.users))
            need = replace(other, users=users, optional=other.optional and need.optional)
        found[key] = need
    return list(found.values())
