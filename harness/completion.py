"""What the shell completes: names of tasks, models, judges and modes. Nothing heavy is imported for it."""

from __future__ import annotations


def task_names(incomplete: str) -> list[str]:
    """Completions of a comma-separated list of tasks and suites."""
    from harness import registry

    before, comma, last = incomplete.rpartition(",")
    known = [*registry.SUITES, *registry.names("tasks"), *registry.PREFIXES["tasks"]]
    if (prefix := registry.prefix_of("tasks", last)) is not None:
        known = registry.names_after("tasks", prefix)
    return [f"{before}{comma}{name}" for name in known if name.startswith(last)]


def model_names(incomplete: str) -> list[str]:
    from harness import registry

    known = [*registry.names("models"), *registry.PREFIXES["models"]]
    return [name for name in known if name.startswith(incomplete)]


def judge_names(incomplete: str) -> list[str]:
    from harness import registry

    return [name for name in [*registry.names("judges"), "none"] if name.startswith(incomplete)]


def mode_names(incomplete: str) -> list[str]:
    return [name for name in ("vanilla", "balance", "boost", "turbo") if name.startswith(incomplete)]
