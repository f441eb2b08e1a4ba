"""The commands about what a run needs: `prefetch` and `doctor`."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from harness.cli import JsonOption, JudgeOption
from harness.completion import model_names, task_names
from harness.offline import OfflineOption

if TYPE_CHECKING:
    from harness.supply.fetch import Item


def add(app: typer.Typer) -> None:
    """Add `prefetch` and `doctor`."""
    app.command()(prefetch)
    app.command()(doctor)


def prefetch(
    tasks: Annotated[
        str | None, typer.Option("--tasks", "-t", help="Tasks and suites.", autocompletion=task_names)
    ] = None,
    model: Annotated[str | None, typer.Option("--model", "-m", help="Model.", autocompletion=model_names)] = None,
    weights: Annotated[str | None, typer.Option(help="Hub id in place of the model's own.")] = None,
    judge: JudgeOption = None,
    to: Annotated[Path | None, typer.Option(help="Folder to fill and carry elsewhere; default: the caches.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what is needed, with sizes; fetch nothing.")] = False,
    offline: OfflineOption = False,
    json: JsonOption = False,
) -> None:
    """Get what a run needs beforehand: data, weights, judges. What is there is checked, what is missing fetched."""
    from harness.failures import Exit
    from harness.offline import is_offline
    from harness.registry import expand_tasks
    from harness.supply import fetch
    from harness.supply.bar import downloading, in_bytes
    from harness.supply.places import Places
    from harness.terminal import complain, print_json
    from harness.texts import printable

    offline = is_offline()
    needs = fetch.needs_of(expand_tasks(tasks) if tasks else [], model, weights, judge or [])
    places = Places.of(to)
    if dry_run or offline:
        items = fetch.looked_up(needs, places, offline)
    else:
        with fetch.alone(places):
            items = fetch.looked_up(needs, places, offline)
            for line in table(items):
                complain(line)
            fetch.need_room(items, places)
            for place, item in enumerate(items):
                if not (item.have or item.fault):
                    label = f"{item.need.name} ({in_bytes(item.to_get)})"
                    with downloading(label, item.to_get) as tell:
                        items[place] = fetch.get(item, places, tell)
    complete = all(item.have or bool(item.need.optional) for item in items)
    if json:
        environment = places.environment
        print_json({"complete": complete, "needs": [*map(as_json, items)], "environment": environment})
    else:
        print(printable("\n".join(table(items))))
        if places.environment and not dry_run:
            print("A run reads from there with these variables and --offline:")
            print("\n".join(f"  export {name}={shlex.quote(value)}" for name, value in places.environment.items()))
    told = dry_run and not offline and not any(item.fault for item in items)
    raise typer.Exit(Exit.GOOD if complete or told else Exit.INCOMPLETE)


def table(items: Sequence[Item]) -> Iterator[str]:
    """What is needed, one a line: how large, whether it is here, for what."""
    from harness.supply.bar import in_bytes

    for item in items:
        need = item.need
        at = f" @ {need.revision[:12]}" if need.place in ("model", "dataset", "modelscope") else ""
        status = "here" if item.have else "to get" if item.missing and not item.fault else "missing"
        part = f" (of {in_bytes(item.bytes)})" if item.missing and item.to_get != item.bytes else ""
        size = in_bytes(item.bytes if item.have else item.to_get)
        yield f"{status:8} {size:>12}{part}  {need.kind:7} {need.name}{at}, for {', '.join(need.users)}"
        if not item.have:
            if why := item.fault or (item.state.lacks if not item.missing else ""):
                yield f"         {why}"
            if need.remedy and status == "missing":
                yield f"         {need.remedy}"
            if need.optional:
                yield f"         without it a run goes on, but lacks {need.optional}"
    unknown = sum(item.to_get is None for item in items)
    more = f", and {unknown} of unknown size" if unknown else ""
    yield f"to get: {in_bytes(sum(item.to_get or 0 for item in items))}{more}"


def as_json(item: Item) -> Mapping[str, Any]:
    """An item for programs; sizes in bytes, null where nobody said."""
    need = item.need
    return {
        "kind": need.kind,
        "place": need.place,
        "name": need.name,
        "revision": need.revision,
        "files": list(need.files),
        "for": list(need.users),
        "have": item.have,
        "where": str(item.state.where) if item.state.where is not None else None,
        "bytes": item.bytes,
        "to_get": item.to_get,
        "lacks": item.fault or item.state.lacks or ("some files" if item.missing else ""),
        "optional": need.optional,
        "remedy": need.remedy,
    }


def doctor(offline: OfflineOption = False, json: JsonOption = False) -> None:
    """Say what is here, what is missing, and what it costs to get: versions, devices, extras, caches, names."""
    from harness.failures import Exit
    from harness.supply.doctor import examined, lines
    from harness.terminal import print_json
    from harness.texts import printable

    found = examined()
    if json:
        print_json(found)
    else:
        print(printable("\n".join(lines(found))))
    raise typer.Exit(Exit.GOOD if found["sound"] else Exit.INCOMPLETE)
