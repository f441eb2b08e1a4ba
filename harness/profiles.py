"""Which of a task's profiles are scored and which is the headline: that depends on whether a judge is named.

A task that has profiles without a judge is scored by them alone until one is named, as a judge may cost money.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from harness.failures import UsageError
from harness.task import Task


def by_rule(task: Task, roles: Collection[str]) -> bool:
    """Whether a task is scored without its judge; `roles` are those of the judges that are named."""
    return bool(task.without_judge) and not any(role in roles for role in task.judges)


def scored_task(task: Task, roles: Collection[str]) -> Task:
    """The task with the profiles that are scored and the judges that these ask."""
    return replace(task, profiles=task.without_judge, judges={}) if by_rule(task, roles) else task


def headline(task: Task, roles: Collection[str], chosen: str | None = None) -> str:
    """The profile of the headline, the one that is chosen if any. Raises UsageError where it is unknown or asks a
    judge that nobody named."""
    if chosen is not None and chosen not in task.profiles:
        raise UsageError(f"task {task.name} has no profile {chosen!r}; it has {', '.join(task.profiles)}")
    if not by_rule(task, roles):
        return chosen or task.default_profile
    if chosen is None:
        return task.default_profile if task.default_profile in task.without_judge else task.without_judge[0]
    if chosen not in task.without_judge:
        raise UsageError(
            f"task {task.name}: profile {chosen} asks a judge, and none is named. Name one by {_flag(task)} "
            f"(docs/judges.md), or choose a profile that asks none: {', '.join(task.without_judge)}"
        )
    return chosen


def told(task: Task, roles: Collection[str], profile: str, chosen: str | None) -> str:
    """What has to be said where a rule stands in for the judge that the task's own headline asks; else ""."""
    if chosen is not None or not by_rule(task, roles) or profile == task.default_profile:
        return ""
    return f"no judge was asked: scored by rule alone (profile {profile}); `{_flag(task)}` asks one"


def stands_in(task: Task, profile: str) -> bool:
    """Whether a profile asks no judge though the task's own headline does: published values are of another kind."""
    return profile in task.without_judge and task.default_profile not in task.without_judge


def _flag(task: Task) -> str:
    return " ".join(f"--judge {name}:MODEL" for name in task.judges.values())
