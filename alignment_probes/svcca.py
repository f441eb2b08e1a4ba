"""SVCCA (Raghu et al. 2017): canonical correlations of the leading singular directions of two sides.

`svcca` is the deterministic value. `svcca_reference` repeats what the reference implementation computes: a
randomised SVD and iterative CCA, whose value depends on the seed (standard deviation up to 0.06) and is
low where the spectrum is flat.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from alignment_probes.kernels import Centred, centre, scatter_matrix
from alignment_probes.neighbours import CHUNK_BYTES, check_features, check_pair

DEFAULT_DIM = 10
STD_EPS = 1e-8


def svcca(a: Tensor, b: Tensor, dim: int = DEFAULT_DIM) -> float:
    """Mean canonical correlation of the `dim` leading directions of each side, in [0, 1]. Symmetric.

    Chance grows with dim / n. ValueError if a side has fewer than `dim` independent directions.
    """
    return float(canonical_correlations(a, b, dim).mean())


def canonical_correlations(a: Tensor, b: Tensor, dim: int = DEFAULT_DIM) -> Tensor:
    """The `dim` canonical correlations, descending, (dim,) float64."""
    check_pair(a, b)
    return basis_correlations(
        leading_directions(centre(a, "A"), dim, "A"), leading_directions(centre(b, "B"), dim, "B")
    )


def basis_correlations(a: Tensor, b: Tensor) -> Tensor:
    """Canonical correlations of two orthonormal bases (n, dim)."""
    correlations: Tensor = torch.linalg.svdvals(a.T @ b)
    return correlations.clamp(max=1.0)


def leading_directions(
    x: Centred, dim: int, name: str, scatter: Tensor | None = None, chunk_bytes: int = CHUNK_BYTES
) -> Tensor:
    """Leading left singular vectors (n, dim) float64 of the standardised columns.

    From the eigenvectors of the smaller of the two Gram matrices. `scatter`, if known already, is Xc^T Xc.
    """
    n, d = x.features.shape
    if not 1 <= dim <= min(n - 1, d):
        raise ValueError(f"svcca dim={dim}: {name} of shape {(n, d)} has at most {min(n - 1, d)}; lower it")
    variance = sum_of_squares(x, chunk_bytes) / (n - 1) if scatter is None else scatter.diagonal() / (n - 1)
    scale = 1 / (variance.sqrt() + STD_EPS)  # (d,)
    if d <= n:
        matrix = scatter_matrix(x, x, chunk_bytes=chunk_bytes) if scatter is None else scatter
        eigenvalues, vectors = torch.linalg.eigh(matrix * scale * scale.unsqueeze(1))
    else:
        matrix = torch.zeros(n, n, dtype=torch.float64, device=scale.device)
        step = max(1, chunk_bytes // (8 * n))
        for start in range(0, d, step):
            columns = slice(start, start + step)
            block = x.block(slice(None), columns) * scale[columns]
            matrix.addmm_(block, block.T)
        eigenvalues, vectors = torch.linalg.eigh(matrix)
    leading: Tensor = eigenvalues[-dim:]
    vectors = vectors[:, -dim:]
    if float(leading[0]) <= float(leading[-1]) * max(n, d) * torch.finfo(torch.float64).eps:
        raise ValueError(f"svcca dim={dim}: {name} has fewer independent directions; lower dim")
    if d > n:
        directions: Tensor = vectors
        return directions
    weights = vectors * scale.unsqueeze(1) / leading.sqrt()  # (d, dim)
    step = max(1, chunk_bytes // (8 * d))
    return torch.cat([x.block(slice(start, start + step)) @ weights for start in range(0, n, step)])


def sum_of_squares(x: Centred, chunk_bytes: int = CHUNK_BYTES) -> Tensor:
    """Centred sum of squares of every column (d,) float64."""
    n, d = x.features.shape
    step = max(1, chunk_bytes // (8 * d))
    pieces = (x.block(slice(start, start + step)).square_().sum(dim=0) for start in range(0, n, step))
    return sum(pieces, torch.zeros_like(x.mean))


def svcca_reference(a: Tensor, b: Tensor, dim: int = DEFAULT_DIM, seed: int = 0) -> float:
    """The reference implementation's estimate for one seed; runs on the CPU in the dtype of the features."""
    from sklearn.cross_decomposition import CCA  # half a second to import, used here alone

    check_pair(a, b)
    sides = [check_features(a, "A").cpu(), check_features(b, "B").cpu()]
    reduced = []
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for name, x in zip("AB", sides, strict=True):
            if not 1 <= dim <= min(x.shape):
                raise ValueError(f"svcca dim={dim}: {name} has shape {tuple(x.shape)}; lower it")
            standardised = (x - x.mean(dim=0)) / (x.std(dim=0) + STD_EPS)
            reduced.append(torch.svd_lowrank(standardised, q=dim, niter=2)[0].numpy())
    left, right = CCA(n_components=dim).fit_transform(*reduced)
    noise = np.random.RandomState(seed)  # keeps a constant component from dividing by zero
    left = left + 1e-10 * noise.standard_normal(left.shape)
    right = right + 1e-10 * noise.standard_normal(right.shape)
    return float(np.mean([np.corrcoef(left[:, i], right[:, i])[0, 1] for i in range(dim)]))
