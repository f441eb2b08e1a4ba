"""Questions that are scored together: all rotations of one question, all questions on one figure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence

from harness.task import Member


def once(members: Sequence[Member], key: Callable[[Member], Hashable]) -> list[Member]:
    """The members without those that are there again: of rows with one key the worst counts, whatever their order."""
    worst: dict[Hashable, Member] = {}
    for member in members:
        name = key(member)
        if name not in worst or member.score.parts["right"] < worst[name].score.parts["right"]:
            worst[name] = member
    return list(worst.values())


def all_right(members: Sequence[Member]) -> float:
    return float(all(member.score.parts["right"] == 1 for member in members))


def groups_right(members: Sequence[Member], key: Callable[[Member], Hashable]) -> tuple[float, float]:
    """(Groups with all members right, groups), grouped by a key."""
    groups: dict[Hashable, list[Member]] = defaultdict(list)
    for member in members:
        groups[key(member)].append(member)
    return sum(map(all_right, groups.values())), float(len(groups))


def circular(members: Sequence[Member], size: int) -> Mapping[str, float]:
    """A question asked with its options in every rotation counts once, and only when all are right (MMBench).

    `size` is how many rotations it has. A question that lacks one is in no score: its part `incomplete` tells.
    """
    rotations = once(members, lambda member: str(member.doc.get("index")))
    parts = {"rows": float(len(members))}
    if len(rotations) < size:
        return parts | {"incomplete": 1.0}
    return parts | {"right": all_right(rotations), "n": 1.0}
