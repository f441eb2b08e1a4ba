"""The layouts of all tables: which column is what, and what of a run fills it."""

from __future__ import annotations

from collections.abc import Mapping

from reports.papers import nexus_o, vita15, vita_audio
from reports.papers.layout import Layout

LAYOUTS: Mapping[str, Layout] = {**vita15.LAYOUTS, **vita_audio.LAYOUTS, **nexus_o.LAYOUTS}
"""Name -> layout, in the order of the papers."""
