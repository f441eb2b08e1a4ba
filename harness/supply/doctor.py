"""`harness doctor`: what is here, what is missing, and what it costs to get."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from harness import registry
from harness.failures import UsageError
from harness.needs import Need, of_judge, of_model, of_task
from harness.supply import extras, hub, machine
from harness.supply.bar import in_bytes
from harness.supply.places import Places, State, state
from harness.supply.transfer import TransferError

AT_ONCE = 8
NeedsOf = Callable[[str], Sequence[Need]]
SHIPS = {
    "tasks/mini/data": "the mini world",
    "models/weights/vita15-mini": "vita15-mini",
    "models/weights/vita-audio-mini": "vita-audio-mini",
    "models/weights/nexus-o-mini": "nexus-o-mini",
    "tasks/judges/mini_ctc/weights": "mini-ctc",
}
"""Folders that come with the harness; a broken build of it may lack them."""


def examined() -> dict[str, Any]:
    """Everything as JSON. `sound` says that the harness itself has all that it needs to work with what ships."""
    reached = machine.hub()
    lacks = extras.base()
    root = Path(__file__).resolve().parents[2]
    absent = [f"{what}: {root / place}" for place, what in SHIPS.items() if not any((root / place).glob("*"))]
    costs = _Costs(asked=reached["answers"])
    return {
        "harness": {"version": version(extras.NAME), "folder": str(root), "lacks": lacks, "ships_not": absent},
        "system": machine.system(),
        "devices": machine.devices(),
        "versions": extras.versions(),
        "extras": extras.extras(),
        "programs": machine.programs(),
        "caches": machine.caches(),
        "hub": reached,
        "tasks": _all(registry.names("tasks"), of_task, costs),
        "models": _all(registry.names("models"), of_model, costs),
        "judges": _all(registry.names("judges"), of_judge, costs),
        "sound": not (lacks or absent),
    }


class _Costs:
    """What the hub says that needs take, asked once for each."""

    def __init__(self, asked: bool) -> None:
        self._asked = asked
        self._known: dict[Need, int | None] = {}

    def of(self, need: Need) -> int | None:
        if not self._asked or need.place not in ("model", "dataset"):
            return None
        if need not in self._known:
            try:
                self._known[need] = hub.listed(need).bytes
            except TransferError:
                self._known[need] = None
        return self._known[need]


def _all(names: Sequence[str], needs_of: NeedsOf, costs: _Costs) -> dict[str, Any]:
    """Name -> whether it is ready. One after the other until all are imported, which threads would do no faster."""
    for name in names:
        with suppress(UsageError, ImportError, OSError):
            needs_of(name)
    ready = partial(_ready, needs_of=needs_of, costs=costs)
    with ThreadPoolExecutor(AT_ONCE) as pool:  # most of the time goes into waiting for the hub
        return dict(zip(names, pool.map(ready, names), strict=True))


def _ready(name: str, needs_of: NeedsOf, costs: _Costs) -> dict[str, Any]:
    """Whether one name can be run without a network: what it lacks, how that is got, and what that takes in bytes."""
    places = Places.of()
    try:
        needs = needs_of(name)
        states = [(need, state(need, places)) for need in needs]
    except (UsageError, ImportError, OSError) as error:  # OSError: a cache that may not be looked at
        return {"ready": False, "lacks": [{"name": name, "why": str(error), "bytes": None, "optional": ""}]}
    return {
        "ready": all(here.have or need.optional for need, here in states),
        "lacks": [_lacking(need, here, costs) for need, here in states if not here.have],
    }


def _lacking(need: Need, here: State, costs: _Costs) -> dict[str, Any]:
    return {
        "name": need.name,
        "why": here.lacks,
        "bytes": costs.of(need),
        "optional": need.optional,
        "remedy": need.remedy,
    }


def lines(found: Mapping[str, Any]) -> Iterator[str]:
    """The same as text."""
    own, system, reached = found["harness"], found["system"], found["hub"]
    yield f"omni-harness {own['version']} in {own['folder']}, Python {system['python']}, {system['platform']}"
    for fault in own["lacks"]:
        yield f"  ! {fault}"
    for fault in own["ships_not"]:
        yield f"  ! does not ship {fault}"
    yield f"{system['cpus']} CPU cores, {in_bytes(system['memory_bytes'])} of memory"
    for device in found["devices"]:
        size = f", {in_bytes(device['bytes'])}, {in_bytes(device['free_bytes'])} free" if "bytes" in device else ""
        yield f"  {device['device']:8} {device.get('name') or device.get('fault')}{size}"
    yield "versions: " + ", ".join(f"{name} {number}" for name, number in found["versions"].items())
    yield "extras"
    for name, extra in found["extras"].items():
        here = "installed" if extra["installed"] else f"lacks {len(extra['lacks'])} packages, e.g. {extra['lacks'][0]}"
        yield f"  {name:8} {here}; for {extra['for']}"
        if not extra["installed"]:
            cost = f"about {extra['about_mb']:,} MB if nothing of it is here" if extra["about_mb"] else "size unknown"
            yield f"           {extra['command']}   ({cost})"
    yield "programs"
    for name, program in found["programs"].items():
        yield f"  {name:10} {program['where'] or 'not here'}; for {program['for']}"
    yield "caches"
    for cache in found["caches"]:
        room = in_bytes(cache["free_bytes"])
        yield f"  {cache['name']:18} {in_bytes(cache['bytes']):>8}, {room} free  {cache['folder']} ({cache['set_by']})"
    answer = "answers" if reached["answers"] else f"cannot be asked ({reached['why']})"
    yield f"hub: {reached['address']} {answer}"
    yield from _of_group("tasks by --data hub", found["tasks"], "harness prefetch --tasks")
    yield from _of_group("models", found["models"], "harness prefetch --model")
    yield from _of_group("judges", found["judges"], "harness prefetch --judge")
    yield "with --data mini all tasks that it holds, and the models and judges that ship, need nothing"


def _of_group(title: str, members: Mapping[str, Any], remedy: str) -> Iterator[str]:
    ready = [name for name, member in members.items() if member["ready"]]
    yield f"{title}: ready without a network: {', '.join(ready) or 'none'}"
    shown = False
    for name, member in members.items():
        for lack in member["lacks"]:
            shown = True
            size = f" ({in_bytes(lack['bytes'])})" if lack["bytes"] is not None else ""
            mark = f"; goes on without {lack['optional']}" if lack["optional"] else ""
            yield f"  {name:24} {lack['name']} {lack['why']}{size}{mark}"
    if shown:
        yield f"  get it where there is a network: {remedy} NAME [--to DIR]"
