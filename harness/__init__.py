"""Evaluation of omni models with numbers that can be trusted. See `harness.api` for use from Python."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.api import Run, evaluate, load_run, resume, score, score_responses

__all__ = ["Run", "evaluate", "load_run", "resume", "score", "score_responses"]


def __getattr__(name: str) -> Any:
    """Imported on first use, so that the command line starts at once."""
    if name in __all__:
        from harness import api

        return getattr(api, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
