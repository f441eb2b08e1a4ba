"""axe-core, as axe-core-python ships it, run in a page that the browser shows."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

GRAVE = ("serious", "critical")


def faults(page: Any) -> list[str]:
    """What axe calls serious or critical: rule, and the nodes at fault."""
    page.evaluate(files("axe_core_python").joinpath("axe.min.js").read_text(encoding="utf-8"))
    found = page.evaluate("async () => (await axe.run(document, {resultTypes: ['violations']})).violations")
    return [
        f"{fault['id']}: {[node['html'][:120] for node in fault['nodes'][:5]]}"
        for fault in found
        if fault["impact"] in GRAVE
    ]
