import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from alignment_probes.kernels import cka
from alignment_probes.metrics import KNOWN_METRICS, METRICS, compare, prepare, score_all
from alignment_probes.neighbour_metrics import cknna, edit_distances, lcs_lengths, local_kernel
from alignment_probes.neighbours import l2_normalize, nearest_neighbours, ranks
from alignment_probes.svcca import canonical_correlations, svcca_reference

DEVICES = ["cpu"] + (["cuda"] if torch.cuda.is_available() else [])
quick = settings(max_examples=15)


def gaussian(n, d, seed):
    return torch.randn(n, d, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def related(n, seed, da=12, db=14):
    latent = gaussian(n, 6, seed)
    return (
        latent @ gaussian(6, da, seed + 1) + gaussian(n, da, seed + 2),
        latent @ gaussian(6, db, seed + 3) + gaussian(n, db, seed + 4),
    )


def close(got, want, tolerance=1e-9):
    assert got.keys() == want.keys()
    for metric, value in got.items():
        assert value == pytest.approx(want[metric], abs=tolerance), metric


@quick
@given(st.integers(0, 10_000), st.floats(0.5, 20))
def test_orthogonal_maps_and_scaling_change_nothing(seed, scale):
    a, b = related(40, seed)
    kept = [metric for metric in KNOWN_METRICS if metric != "svcca"]  # standardises columns
    turned = a @ torch.linalg.qr(gaussian(12, 12, seed + 9))[0] * scale
    close(score_all(turned, b, 7, kept), score_all(a, b, 7, kept), 1e-5)  # the denominators' 1e-6


@quick
@given(st.integers(0, 10_000))
def test_exchanging_the_sides(seed):
    a, b = related(40, seed)
    forth, back = score_all(a, b, 7, KNOWN_METRICS), score_all(b, a, 7, KNOWN_METRICS)
    for metric in ("mutual_knn", "lcs_knn", "edit_distance_knn", "cka", "unbiased_cka", "svcca"):
        assert forth[metric] == pytest.approx(back[metric], abs=1e-9)
    assert forth["cycle_knn"] == back["cycle_knn_reverse"]
    assert forth["cycle_knn_reverse"] == back["cycle_knn"]


@quick
@given(st.integers(0, 10_000), st.integers(2, 20))
def test_identical_sides_give_the_most(seed, k):
    a, _ = related(40, seed)
    scores = score_all(a, a, k)
    assert scores.pop("lcs_knn") == k
    scores.pop("cycle_knn")  # a neighbour need not have the row in its own list
    for metric, value in scores.items():
        assert value == pytest.approx(1, abs=1e-4), metric


@quick
@given(st.integers(0, 10_000))
def test_the_same_permutation_of_both_sides_changes_nothing(seed):
    a, b = related(40, seed)
    order = torch.randperm(40, generator=torch.Generator().manual_seed(seed))
    close(score_all(a[order], b[order], 7, KNOWN_METRICS), score_all(a, b, 7, KNOWN_METRICS))


def test_a_prepared_side_is_permuted_without_computing_it_again():
    a, b = related(60, 3)
    order = torch.randperm(60, generator=torch.Generator().manual_seed(1))
    sides = [prepare(x, 9, KNOWN_METRICS) for x in (a, b)]
    close(compare(sides[0], sides[1].permuted(order), KNOWN_METRICS), score_all(a, b[order], 9, KNOWN_METRICS))


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(("n", "d"), [(50, 12), (30, 80)])
def test_chunks_and_wide_features_give_the_dense_values(n, d, device):
    a, b = (x.to(device) for x in related(n, 5, d, d + 3))
    close(score_all(a, b, 8, KNOWN_METRICS, chunk_bytes=1500), score_all(a, b, 8, KNOWN_METRICS))
    h = torch.eye(n, dtype=a.dtype) - 1 / n
    k, l = (x.cpu() @ x.cpu().T for x in (a, b))  # noqa: E741

    def hsic(p, q):
        return torch.trace(p @ h @ q @ h)

    assert cka(a, b, eps=0) == pytest.approx(float(hsic(k, l) / (hsic(k, k) * hsic(l, l)).sqrt()), abs=1e-10)
    for sigma in (2.0, 9.0):
        p, q = (torch.exp(-(torch.cdist(x.cpu(), x.cpu()) ** 2) / (2 * sigma**2)) for x in (a, b))
        want = float(hsic(p, q) / (hsic(p, p) * hsic(q, q)).sqrt())
        assert cka(a, b, rbf_sigma=sigma, eps=0, chunk_bytes=900) == pytest.approx(want, abs=1e-8)


def test_cknna_over_all_neighbours_is_unbiased_cka():
    a, b = related(30, 2)
    kernels = [local_kernel(nearest_neighbours(x, 29)) for x in (a, b)]
    assert cknna(kernels[0], kernels[1]) == pytest.approx(cka(a, b, unbiased=True), abs=1e-7)


@quick
@given(st.integers(0, 10_000), st.integers(1, 12), st.integers(12, 30))
def test_list_distances_equal_the_textbook_tables(seed, k, alphabet):
    generator = torch.Generator().manual_seed(seed)
    a, b = (torch.stack([torch.randperm(alphabet, generator=generator)[:k] for _ in range(alphabet)]) for _ in "ab")
    place = ranks(a, b)
    lcs, edit = lcs_lengths(place).tolist(), edit_distances(place).tolist()
    for row, (left, right) in enumerate(zip(a.tolist(), b.tolist(), strict=True)):
        assert (lcs[row], edit[row]) == textbook(left, right)


def textbook(a, b):
    common = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
    edits = [[i + j if not i * j else 0 for j in range(len(b) + 1)] for i in range(len(a) + 1)]
    for i, x in enumerate(a, 1):
        for j, y in enumerate(b, 1):
            common[i][j] = common[i - 1][j - 1] + 1 if x == y else max(common[i - 1][j], common[i][j - 1])
            edits[i][j] = min(edits[i - 1][j] + 1, edits[i][j - 1] + 1, edits[i - 1][j - 1] + (x != y))
    return common[-1][-1], edits[-1][-1]


def test_ties_are_broken_by_index():
    x = torch.tensor([[1.0, 0], [0, 1], [1, 0], [1, 0], [0, 1], [1, 0]])
    lists = nearest_neighbours(x, 3).indices
    assert lists[0].tolist() == [2, 3, 5]
    assert lists[3].tolist() == [0, 2, 5]
    assert lists[1].tolist() == [4, 0, 2]


def test_duplicate_rows_tie_exactly_in_wide_float32_features():
    x = gaussian(300, 257, 0).float().repeat(2, 1)
    value = nearest_neighbours(x, 40)
    for row in (0, 150, 299):
        pairs = value.indices[row, 1:39].reshape(-1, 2)  # after its own duplicate: each row, then its duplicate
        assert (pairs[:, 1] - pairs[:, 0] == 300).all()


def test_half_precision_is_promoted():
    a, b = related(40, 1)
    close(score_all(a.half(), b.half(), 7), score_all(a.half().float(), b.half().float(), 7))


def test_normalising_leaves_a_zero_row_zero():
    x = l2_normalize(torch.tensor([[3.0, 4.0], [0.0, 0.0]]))
    assert x.tolist() == [[pytest.approx(0.6), pytest.approx(0.8)], [0.0, 0.0]]


def test_reference_svcca_is_near_the_exact_value_and_repeats():
    a, b = related(200, 4)
    assert svcca_reference(a, b, 5, seed=3) == svcca_reference(a, b, 5, seed=3)
    assert abs(svcca_reference(a, b, 5) - float(canonical_correlations(a, b, 5).mean())) < 0.15


def bad(change):
    x = gaussian(20, 12, 0)
    return change(x)


@pytest.mark.parametrize(
    ("a", "k", "message"),
    [
        (bad(lambda x: x.index_fill(0, torch.tensor([4]), math.nan)), 5, "A: NaN or infinity in row 4"),
        (bad(lambda x: x[:1].expand(20, 12)), 5, "A: all rows are equal"),
        (bad(lambda x: x[:3]), 2, "at least 4 samples"),
        (bad(lambda x: x[0]), 2, "pass \\(samples, features\\)"),
        (bad(lambda x: x.long()), 2, "floating-point"),
        (bad(lambda x: x), 20, "k=20: must be between 1 and 19"),
        (bad(lambda x: x), 0, "k=0"),
        (bad(lambda x: x[:, :1] @ torch.ones(1, 12).double()), 5, "fewer independent directions"),
    ],
)
def test_bad_input_is_named(a, k, message):
    with pytest.raises(ValueError, match=message):
        score_all(a, gaussian(len(a), 12, 1), k)


def test_bad_arguments_are_named():
    a, b = related(20, 0)
    with pytest.raises(ValueError, match="B: 19 rows, but A has 20"):
        score_all(a, b[1:], 3)
    with pytest.raises(ValueError, match="unknown cca"):
        score_all(a, b, 3, ["cca"])
    with pytest.raises(ValueError, match="svcca dim=13"):
        score_all(a, b, 3, ["svcca"], svcca_dim=13)
    with pytest.raises(ValueError, match="not prepared"):
        compare(prepare(a, 3, ["cka"]), prepare(b, 3, ["cka"]), METRICS)
    with pytest.raises(ValueError, match="rbf_sigma"):
        cka(a, b, rbf_sigma=0)
