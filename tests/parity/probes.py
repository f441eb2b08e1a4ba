"""Alignment metrics against recorded values of the reference implementation."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from alignment_probes.kernels import CHUNK_BYTES, centre, cka, linear_hsic, rbf_hsics
from alignment_probes.layers import best_pair, clamp_outliers, score_grid, truncate
from alignment_probes.metrics import score_all
from alignment_probes.neighbour_metrics import edit_distances, lcs_lengths
from alignment_probes.neighbours import l2_normalize, nearest_neighbours, ranks
from alignment_probes.statistics import analytic_chance
from alignment_probes.svcca import canonical_correlations, svcca, svcca_reference
from tests.parity.check import Check
from tests.parity.goldens import locate

FOLDER = "nexus_o_and_alignment"
FLOAT64, FLOAT32 = 1e-6, 2e-4  # the reference averages rows in float32; float32 kernels are relative


class Scored(NamedTuple):
    name: str  # case/raw|l2
    a: Tensor  # float32
    b: Tensor
    expected: dict[str, Any]


def _arrays(root: Path) -> Any:
    return np.load(locate(root, FOLDER, "alignment.npz"))


def _expected(root: Path) -> dict[str, Any]:
    return json.loads(locate(root, FOLDER, "alignment_expected.json").read_text())


def _cases(root: Path) -> Iterator[Scored]:
    arrays = _arrays(root)
    for case, variants in _expected(root).items():
        if case == "layers":
            continue
        a, b = (torch.from_numpy(arrays[f"{case}__{side}"]) for side in "AB")
        for variant, expected in variants.items():
            if variant == "raw":
                yield Scored(f"{case}/raw", a, b, expected)
            elif variant == "l2":
                yield Scored(f"{case}/l2", l2_normalize(a), l2_normalize(b), expected)


def _number(value: float | None) -> float:
    return float("nan") if value is None else value


def _by_k(component: str, names: dict[str, str]) -> Callable[[Path], Check]:
    """Compare metrics with a `k`; names: recorded -> ours."""

    def run(root: Path) -> Check:
        check = Check(component, FLOAT64)
        for case in _cases(root):
            stable = case.expected["knn_A_f32_equals_f64"] and case.expected["knn_B_f32_equals_f64"]
            for dtype in ("f32", "f64"):
                a, b = (case.a, case.b) if dtype == "f32" else (case.a.double(), case.b.double())
                for label, values in case.expected[dtype].items():
                    if not label.startswith("k="):
                        continue
                    k = int(label.removeprefix("k="))
                    got = score_all(a, b, k, list(names.values()))
                    for recorded, ours in names.items():
                        bound = FLOAT64
                        if dtype == "f32" and component == "cknna":
                            bound = FLOAT32
                        if dtype == "f32" and not stable:  # a neighbour or two in float32's rounding
                            bound = max(bound, 4 / len(a))
                        want = _number(values[recorded])
                        check.close(f"{case.name}/{dtype}/{label}/{recorded}", got[ours], want, bound)
        return check

    return run


def check_cka(root: Path) -> Check:
    check = Check("cka", FLOAT64)
    for case in _cases(root):
        for dtype in ("f32", "f64"):
            a, b = (case.a, case.b) if dtype == "f32" else (case.a.double(), case.b.double())
            x, y = centre(a), centre(b, "B")
            for key, recorded in case.expected[dtype].items():
                want, bound, name = _number(recorded), FLOAT64, f"{case.name}/{dtype}/{key}"
                unbiased = "unbiased" in key
                if "cka" in key:
                    sigma = float(key.split("=")[1]) if "rbf" in key else None
                    if dtype == "f32":
                        bound = FLOAT32
                        if sigma is not None and unbiased:
                            # The recorded float32 sums lose what distinguishes kernel values near 1.
                            within_a, _, within_b = rbf_hsics(x, y, sigma, True, CHUNK_BYTES)
                            spread = x.squared_norms.mean() + y.squared_norms.mean()
                            product = math.exp(-float(spread) / sigma**2)  # of typical kernel values
                            if within_a * within_b > 0:
                                bound += min(0.2, 5e-7 * product / math.sqrt(within_a * within_b))
                    check.close(name, cka(a, b, unbiased=unbiased, rbf_sigma=sigma), want, bound)
                elif "hsic" in key:
                    scale = abs(case.expected[dtype][key[:-2] + "kk"])
                    relative = FLOAT32 if dtype == "f32" else FLOAT64
                    got = linear_hsic(x, x if key.endswith("kk") else y, unbiased)
                    check.close(name, got / scale, want / scale, relative)
    return check


def check_svcca(root: Path) -> Check:
    check = Check("svcca", FLOAT64)
    for case in _cases(root):
        for label, want in case.expected["svcca"].items():
            dim, name = int(label.split("=")[1]), f"{case.name}/{label}"
            check.close(f"{name}/exact", svcca(case.a.double(), case.b.double(), dim), want["exact_f64"])
            correlations = canonical_correlations(case.a.double(), case.b.double(), dim)
            check.close(f"{name}/correlations", correlations, want["exact_canonical_corrs"])
            spread = max(4 * want["ref_std"], 0.05)
            got = svcca_reference(case.a, case.b, dim, seed=0)
            check.close(f"{name}/reference", got, want["ref_mean"], spread)
            check.close(f"{name}/reference seed 0", got, want["ref_seed0"], spread)
    return check


def check_knn_lists(root: Path) -> Check:
    check, arrays = Check("knn_lists"), _arrays(root)
    for case in _cases(root):
        prefix = case.name.replace("/", "__")
        for side, x in (("A", case.a), ("B", case.b)):
            want = arrays[f"{prefix}_knn_{side}"]
            k = want.shape[1]
            exact = nearest_neighbours(x.double(), k).indices
            check.equal(f"{case.name}/{side}", exact, want)
            if case.expected[f"knn_{side}_f32_equals_f64"]:
                check.equal(f"{case.name}/{side}/f32", nearest_neighbours(x, k).indices, want)
    return check


def check_row_distances(root: Path) -> Check:
    """LCS lengths and Levenshtein distances row by row, on the recorded lists."""
    check, arrays = Check("row_distances"), _arrays(root)
    for case in _cases(root):
        prefix = case.name.replace("/", "__")
        a, b = (torch.from_numpy(arrays[f"{prefix}_knn_{side}"].astype(np.int64)) for side in "AB")
        for kind, distance in (("lcs", lcs_lengths), ("edit", edit_distances)):
            for key in arrays.files:
                if key.startswith(f"{prefix}_{kind}_k"):
                    k = int(key.rsplit("_k", 1)[1])
                    check.equal(key, distance(ranks(a[:, :k], b[:, :k])), arrays[key])
    return check


def check_layers(root: Path) -> Check:
    check, arrays, expected = Check("layers", FLOAT64), _arrays(root), _expected(root)["layers"]
    x, y = (torch.from_numpy(arrays[f"layers__{side}"]) for side in "XY")
    for label, want in expected["results"].items():
        metric, _, exact = label.partition("|exact=")
        sides = [clamp_outliers(side, expected["q"], "exact" if exact == "True" else "approx") for side in (x, y)]
        if expected["normalize"]:
            sides = [l2_normalize(side) for side in sides]
        grid = score_grid(sides[0], sides[1], expected["topk"], [metric])[metric]
        bound = FLOAT32 if "cka" in metric or "cknna" in metric else FLOAT64  # recorded in float32
        check.close(f"{label}/grid", grid, want["grid"], bound)
        best = best_pair(grid)
        check.close(f"{label}/best", best.value if best else 0.0, want["best"], bound)
        got = [best.x_layer, best.y_layer] if best else None
        if best and want["best_idx"] and abs(float(grid[tuple(want["best_idx"])]) - best.value) <= FLOAT64:
            got = want["best_idx"]  # equal scores, of which the recorded rounding made another the largest
        check.equal(f"{label}/layers", got, want["best_idx"])
    return check


def check_clamp(root: Path) -> Check:
    check, arrays = Check("clamp", 1e-6), _arrays(root)
    for key in arrays.files:
        source, found, rest = key.partition("_clamp_")
        if found:
            mode, q = rest.split("_q")
            check.close(key, clamp_outliers(torch.from_numpy(arrays[source]), float(q), mode), arrays[key])
    return check


def check_table7(root: Path) -> Check:
    """The paper's printed digits are truncated fractions of n; chance levels in closed form."""
    check = Check("table7", 1e-9)
    table = json.loads(locate(root, FOLDER, "table7.json").read_text())
    derived = table["derived"]
    n, chance = derived["n"], derived["chance"]
    for column, counts in (("cycle_knn", "cycle_counts"), ("lcs_knn", "lcs_sums")):
        for row, count in derived[counts].items():
            printed = table["rows"][row][table["columns"].index(column)]
            check.close(f"{row}/{column}", truncate(count / n), printed)
    ours = analytic_chance(n, derived["topk"])
    check.close("mutual_knn", ours["mutual_knn"], chance["mutual_knn"])
    check.close("cycle_knn", ours["cycle_knn"], chance["cycle_knn_no_hubs"])
    check.close("edit_distance_knn", ours["edit_distance_knn"], chance["edit_knn"])
    return check


COMPONENTS: dict[str, Callable[[Path], Check]] = {
    "cka": check_cka,
    "cknna": _by_k("cknna", {"cknna": "cknna", "cknna_biased": "cknna_biased"}),
    "svcca": check_svcca,
    "knn_lists": check_knn_lists,
    "row_distances": check_row_distances,
    "mutual_knn": _by_k("mutual_knn", {"mutual_knn": "mutual_knn"}),
    "cycle_knn": _by_k("cycle_knn", {"cycle_knn": "cycle_knn", "cycle_knn_swapped": "cycle_knn_reverse"}),
    "lcs_knn": _by_k("lcs_knn", {"lcs_knn": "lcs_knn"}),
    "edit_distance_knn": _by_k("edit_distance_knn", {"edit_distance_knn": "edit_distance_knn"}),
    "layers": check_layers,
    "clamp": check_clamp,
    "table7": check_table7,
}
