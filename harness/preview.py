"""What a run would do (`--dry-run`), as text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harness.config import RunConfig
from harness.contracts import DataChoice
from harness.failures import UsageError
from harness.plan import Planned, TaskPlan, given_to_all, planned, rows_of
from harness.run import Prepared, prepare
from harness.schedule import groups
from harness.types import Media, Message


class Preview(dict[str, Any]):
    """The plan of a run as a mapping that prints as text."""

    def __str__(self) -> str:
        lines = [
            f"model {self['model']} on {self['device']} ({self['dtype']}), data {self['data']}: "
            f"{self['samples']} answers in {self['groups']} groups of like length",
        ]
        for task in self["tasks"]:
            published = f" of {task['published']} published rows" if task["published"] else ""
            lines += [
                f"\n{task['task']}: {task['samples']} answers{published}, {task['tokens']} tokens, "
                f"longest {task['longest']}",
                f"  prompt preset {task['prompt']}, scoring profiles {', '.join(task['profiles'])} (headline first)",
                *(f"  | {line}" for line in task["first"].splitlines()),
            ]
            if task["broken"]:
                lines.append(f"  {task['broken']} rows cannot be asked; first: {task['first_problem']}")
        lines += [f"\n{task}: left out, as the model has no {lacks}" for task, lacks in self["left_out"].items()]
        return "\n".join(lines)


def preview(config: RunConfig) -> Preview:
    """Plan every task without loading weights or decoding media."""
    prepared = prepare(config)
    items: list[Planned] = []
    tasks: list[dict[str, Any]] = []
    missing: list[str] = []
    for chosen in prepared.plans:
        try:
            own = _planned(chosen, prepared)
        except UsageError as error:
            missing.append(str(error))
            continue
        items += own
        tasks.append(_task(chosen, own))
    if missing:
        raise UsageError("\n\n".join(dict.fromkeys(missing)))
    return Preview(
        model=config.model,
        device=prepared.device,
        dtype=prepared.dtype,
        data=str(DataChoice.parse(config.data)),
        samples=len(items),
        groups=sum(1 for _ in groups(items, config.batch_tokens)),
        tasks=tasks,
        left_out=dict(prepared.left_out),
    )


def _planned(chosen: TaskPlan, prepared: Prepared) -> list[Planned]:
    given = given_to_all(prepared.config.ablate, prepared.model.capabilities.channels)
    rows = rows_of(chosen, chosen.task.rows(chosen.data), prepared.model)
    return list(planned(chosen, rows, prepared.config.seed, given))


def _task(chosen: TaskPlan, items: Sequence[Planned]) -> dict[str, Any]:
    broken = [item.failure.message for item in items if item.failure]
    others = [profile for profile in chosen.profiles if profile != chosen.profile]
    published = None if chosen.data.kind == "mini" else chosen.task.source.published
    return {
        "task": chosen.name,
        "prompt": chosen.prompt,
        "profile": chosen.profile,
        "profiles": [chosen.profile, *others],
        "samples": len(items),
        "published": published,
        "tokens": sum(item.tokens for item in items),
        "longest": max((item.tokens for item in items), default=0),
        "first": _show(items[0].sample.messages) if items else "",
        "broken": len(broken),
        "first_problem": broken[0] if broken else None,
    }


def _show(messages: Sequence[Message]) -> str:
    lines = []
    for message in messages:
        parts = [f"<{p.kind}: {p.path}>" if isinstance(p, Media) else p.text for p in message.parts]
        lines.append(f"{message.role}: " + "\n".join(parts))
    return "\n".join(lines)
