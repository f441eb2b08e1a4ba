"""Which rows of the papers' tables are a registry model's own: the rows of its own paper, and of its final stage.

A row of another paper about the same model is not its own. A model whose paper has rows for several of its weights
names those of the weights that are released under it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class OwnRows(NamedTuple):
    """A paper and the names that its tables give the model."""

    source: str
    names: frozenset[str]


OWN: Mapping[str, OwnRows] = {
    "vita15": OwnRows(
        "VITA-1.5 (arXiv:2501.01957)",
        frozenset({"VITA-1.5", "VITA-1.5 (Stage 3)", "VITA-1.5-Audio (Stage 3)"}),
    ),
    "vita_audio": OwnRows("VITA-Audio", frozenset({"VITA-Audio-Boost", "VITA-Audio Boost"})),
    # its vocoder is that of Fish-Speech 1.4
    "nexus_o": OwnRows("NEXUS-O", frozenset({"NEXUS-O", "NEXUS-O (Fishspeech1.4)"})),
}
"""Model -> its rows. VITA-Audio's Turbo is the Boost weights in another mode, and not a row of its own here."""
