"""Names of the alignment metrics, so that the command line need not load what computes them."""

from __future__ import annotations

METRICS = ("cycle_knn", "mutual_knn", "lcs_knn", "cka", "cknna", "svcca", "edit_distance_knn")
"""In the order of table 7 of the NEXUS-O paper."""
KNOWN_METRICS = (*METRICS, "cycle_knn_reverse", "unbiased_cka", "cknna_biased")
