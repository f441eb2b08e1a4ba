"""`harness prefetch`: what is needed, how large it is, and getting it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

from harness.failures import UsageError
from harness.needs import Need, joined, judges_of, of_judge, of_model, of_task
from harness.supply import hub
from harness.supply.places import Places, Remote, State, kept, state
from harness.supply.transfer import Sum, Tell, TransferError, fetch
from harness.types import Output

AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Item:
    """A need and how it stands. `to_get` are bytes, None where nobody said; `fault` is why it cannot be had."""

    need: Need
    state: State
    listing: hub.Listing | None = None
    missing: dict[str, Remote] | None = None
    fault: str = ""

    @property
    def have(self) -> bool:
        return self.state.have and not self.missing and not self.fault

    @property
    def to_get(self) -> int | None:
        if self.have:
            return 0
        return None if self.missing is None else sum(remote.size for remote in self.missing.values())

    @property
    def bytes(self) -> int | None:
        """In all, None where nobody said."""
        return self.state.bytes if self.have else self.listing.bytes if self.listing else None


def needs_of(tasks: Sequence[str], model: str | None, weights: str | None, judges: Sequence[str]) -> list[Need]:
    """Everything that a run of these reads, each thing once. Raises UsageError for names that nothing has."""
    from harness.registry import get_model

    if weights and not model:
        raise UsageError("--weights are those of a --model")
    if not (tasks or model or judges):
        raise UsageError("name what is to be had: --tasks, --model, --judge")
    found = [need for task in tasks for need in of_task(task)]
    able: frozenset[Output] = frozenset({"text", "speech"})
    if model:
        from harness.contracts import ModelOptions

        found += of_model(model, weights)
        able = get_model(model)(ModelOptions(weights)).capabilities.outputs
    return joined([*found, *(need for judge in judges_of(tasks, able, judges) for need in of_judge(judge))])


def looked_up(needs: Sequence[Need], places: Places, offline: bool) -> list[Item]:
    """How each need stands; the hub is asked for what it has, unless `offline`. Every file that is here is read."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(lambda need: _looked_up(need, places, offline), needs))


def _looked_up(need: Need, places: Places, offline: bool) -> Item:
    if offline or need.place not in ("model", "dataset"):
        return Item(need, state(need, places, verify=True))
    try:
        listing = hub.listed(need)
    except TransferError as error:
        here = state(need, places, verify=True)
        return Item(need, here, fault="" if here.have else str(error))
    return Item(need, state(need, places), listing, hub.lacking(need, listing, places))


def need_room(items: Sequence[Item], places: Places) -> None:
    """Raises UsageError where the disk has less room than what is known to come."""
    wanted = sum(item.to_get or 0 for item in items)
    place = next(folder for folder in (places.hub, *places.hub.parents) if folder.exists())
    if (free := shutil.disk_usage(place).free) < wanted:
        raise UsageError(f"{wanted:,} bytes are to come, {place} has room for {free:,}; name another folder by --to")


def get(item: Item, places: Places, tell: Tell) -> Item:
    """Fetch what is missing, and say how it stands then: what came was checked as it came."""
    need = item.need
    try:
        match need.place:
            case "model" | "dataset" if item.listing is not None:
                hub.get(need, item.listing, item.missing or {}, places, tell)
                item = Item(need, state(need, places), item.listing, {})
            case "address" if not item.have:
                fetch(need.name, places.own / kept(need), Sum("md5", need.revision), None, None, tell)
                item = Item(need, state(need, places, verify=True))
            case "modelscope" if not item.have:
                item = Item(need, _from_modelscope(need, places))
    except TransferError as error:
        return Item(need, state(need, places), item.listing, item.missing, str(error))
    return item


def _from_modelscope(need: Need, places: Places) -> State:
    """By its own library, which knows its sums and goes on with what it began."""
    try:
        from modelscope import snapshot_download
    except ImportError as error:
        raise TransferError("it is on ModelScope, whose package modelscope is not installed (extra judges)") from error
    try:
        snapshot_download(need.name, revision=need.revision, cache_dir=str(places.modelscope))
    except Exception as error:  # its errors share no base
        raise TransferError(f"{need.name} cannot be fetched from ModelScope: {error}") from error
    return state(need, places)


@contextmanager
def alone(places: Places) -> Iterator[None]:
    """Two at once would write the same files. Raises UsageError for the second, and for a folder that takes none."""
    from filelock import FileLock, Timeout

    try:
        places.hub.mkdir(parents=True, exist_ok=True)
        lock = FileLock(places.hub / ".prefetch.lock", timeout=0)
        lock.acquire()
    except Timeout as error:
        raise UsageError(f"another prefetch is filling {places.hub}; let it end") from error
    except OSError as error:
        raise UsageError(f"{places.hub} cannot be written: {error.strerror or error}; name a folder by --to") from error
    try:
        yield
    finally:
        lock.release()
