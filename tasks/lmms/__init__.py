"""Tasks of lmms-eval as tasks of ours: `lmms:NAME` (docs/lmms-eval.md)."""

from tasks.lmms.index import members, names
from tasks.lmms.made import task

__all__ = ["members", "names", "task"]
