"""The two conventions that published alignment scores follow.

paper: table 7 of the NEXUS-O paper as its printed digits imply it (50 neighbours, raw features, nothing
clamped, values cut after 5 decimals). platonic: the defaults of the platonic representation metrics (Huh et
al. 2024): 10 neighbours, outliers clamped at the 0.95 quantile, unit rows, the best pair of layers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Variant = Literal["raw", "l2"]
VARIANTS: tuple[Variant, ...] = ("raw", "l2")
"""Rows as they are, and rows scaled to length 1. Both are always reported; the profile names the headline."""


@dataclass(frozen=True)
class Profile:
    name: str
    k: int
    variant: Variant
    clamp: float | None
    """Quantile of absolute values beyond which features are clamped, before rows are scaled."""
    best_pair: bool
    """Score every layer of one side against every layer of the other, and name the best pair."""
    digits: int | None
    """Decimals after which a printed value is cut; None rounds."""


PROFILES: Mapping[str, Profile] = {
    "paper": Profile("paper", k=50, variant="raw", clamp=None, best_pair=False, digits=5),
    "platonic": Profile("platonic", k=10, variant="l2", clamp=0.95, best_pair=True, digits=None),
}
