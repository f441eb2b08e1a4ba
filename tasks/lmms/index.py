"""Which file describes a task of lmms-eval. Reads the YAML files alone: lmms-eval itself takes seconds to import."""

from __future__ import annotations

import difflib
import importlib.util
import os
import re
from collections.abc import Container, Iterator, Mapping
from pathlib import Path

from harness.failures import UsageError
from harness.lmms import VERSION

FOLDERS = "HARNESS_LMMS_TASKS"
"""Environment variable: folders with task files of one's own, which come before lmms-eval's, separated like PATH."""
INSTALL = f"pip install 'omni-harness[lmms]', then pip install --no-deps lmms-eval=={VERSION}"
_TASK = re.compile(r"""^task:[ \t]*["']?([^\s"'\[#][^\s"'#]*)""", re.M)
_GROUP = re.compile(r"""^group:[ \t]*["']?([^\s"'\[#][^\s"'#]*)""", re.M)
_MEMBER = re.compile(r"""^[ \t]*-[ \t]+(?:task:[ \t]*)?["']?([\w.-]+)["']?[ \t]*(?:#.*)?$""", re.M)


def installed() -> Path | None:
    """lmms-eval's own folder of tasks; None where it is not installed."""
    found = importlib.util.find_spec("lmms_eval")
    place = next(iter(found.submodule_search_locations or ()), None) if found else None
    return None if place is None else Path(place) / "tasks"


def names() -> list[str]:
    """Names of all tasks that a file describes, sorted."""
    return sorted({match[1] for path in _files() if (match := _TASK.search(_text(path)))})


def members(name: str) -> list[str]:
    """The tasks of a group, those of the groups in it too; of anything else the name alone. Raises UsageError for a
    group that has none.

    A group's own file lists its members, or these say in theirs which group they are of.
    """
    tasks: set[str] = set()
    groups: dict[str, list[str]] = {}
    for path in _files():
        text = _text(path)
        task, group = _TASK.search(text), _GROUP.search(text)
        if task:
            tasks.add(task[1])
        if group:
            groups.setdefault(group[1], []).extend([task[1]] if task else _MEMBER.findall(text))
    found = list(dict.fromkeys(_within(name, tasks, groups, ())))
    if not found:
        raise UsageError(f"lmms:{name} is a group of lmms-eval in which there is no task")
    return found


def _within(name: str, tasks: Container[str], groups: Mapping[str, list[str]], above: tuple[str, ...]) -> Iterator[str]:
    if name in tasks or name not in groups:
        yield name
    elif name not in above:
        for member in groups[name]:
            yield from _within(member, tasks, groups, (*above, name))


def file_of(name: str) -> Path:
    """The file of a task. Raises UsageError where there is none, with like names."""
    if installed() is None:
        raise UsageError(f"lmms:{name} needs lmms-eval, which is not installed: {INSTALL}")
    known: set[str] = set()
    for path in _files():
        if match := _TASK.search(_text(path)):
            if match[1] == name:
                return path
            known.add(match[1])
    close = difflib.get_close_matches(name, sorted(known), n=3, cutoff=0.5)
    guess = f" Did you mean {' or '.join('lmms:' + one for one in close)}?" if close else ""
    raise UsageError(
        f"unknown task 'lmms:{name}'.{guess} lmms-eval {VERSION} describes {len(known)} tasks; "
        f"folders with files of your own go into {FOLDERS}."
    )


def _files() -> Iterator[Path]:
    own = [Path(folder) for folder in os.environ.get(FOLDERS, "").split(os.pathsep) if folder]
    for folder in own:
        if not folder.is_dir():
            raise UsageError(f"{FOLDERS} names {folder}, which is no folder")
    for folder in [*own, *filter(None, [installed()])]:
        yield from sorted(folder.rglob("*.yaml"))


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")
