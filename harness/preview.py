"""What a run would do (`--dry-run`), and scores of a responses file, as text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harness.config import RunConfig
from harness.contracts import DataChoice, TokenRates
from harness.plan import TaskPlan, plan
from harness.run import prepare
from harness.schedule import batches
from harness.types import Media, Message


class Preview(dict[str, Any]):
    """The plan of a run as a mapping that prints as text."""

    def __str__(self) -> str:
        lines = [f"model {self['model']} on {self['device']} ({self['dtype']}), data {self['data']}"]
        for task in self["tasks"]:
            lines += [
                f"\n{task['task']}: {task['samples']} samples in {task['batches']} batches, "
                f"{task['tokens']} tokens at most, longest {task['longest']}",
                f"  prompt preset {task['prompt']}, scoring profile {task['profile']}",
                *(f"  | {line}" for line in task["first"].splitlines()),
            ]
            if task["broken"]:
                lines.append(f"  {task['broken']} rows cannot be asked; first: {task['first_problem']}")
        return "\n".join(lines)


def preview(config: RunConfig) -> Preview:
    """Plan every task without loading weights or decoding media."""
    prepared = prepare(config)
    return Preview(
        model=config.model,
        device=prepared.device,
        dtype=prepared.dtype,
        data=str(DataChoice.parse(config.data)),
        tasks=[_task(chosen, prepared.model.capabilities.token_rates, config) for chosen in prepared.plans],
    )


def _task(chosen: TaskPlan, rates: TokenRates, config: RunConfig) -> dict[str, Any]:
    planned = list(plan(chosen, rates))
    broken = [item.failure.message for item in planned if item.failure]
    return {
        "task": chosen.task.name,
        "prompt": chosen.prompt,
        "profile": chosen.profile,
        "samples": len(planned),
        "batches": sum(1 for _ in batches(planned, config.batch_tokens)),
        "tokens": sum(item.tokens for item in planned),
        "longest": max((item.tokens for item in planned), default=0),
        "first": _show(planned[0].sample.messages) if planned else "",
        "broken": len(broken),
        "first_problem": broken[0] if broken else None,
    }


def _show(messages: Sequence[Message]) -> str:
    lines = []
    for message in messages:
        parts = [f"<{p.kind}: {p.path}>" if isinstance(p, Media) else p.text for p in message.parts]
        lines.append(f"{message.role}: " + "\n".join(parts))
    return "\n".join(lines)


def print_scores(result: dict[str, Any]) -> None:
    """A scored responses file as text."""
    print(
        f"{result['task']}, profile {result['profile']}: {result['n_scored']} of {result['n_expected']} scored, "
        f"{result['n_failed']} failed, {result['n_unscored']} unscored"
    )
    if failed := next((row for row in result["samples"] if "failure" in row), None):
        print(f"  first failure, id {failed['id']}: {failed['failure']['message']}")
    for name, metric in result["metrics"].items():
        value = "–" if metric["value"] is None else f"{metric['value']:.4g} {metric['unit']}"
        interval = "" if metric["ci"] is None else "  [{:.4g}, {:.4g}]".format(*metric["ci"])
        print(f"  {name:24} {value}{interval}")
