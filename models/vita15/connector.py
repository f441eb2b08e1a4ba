"""From vision patches to language-model embeddings: halving, pixel shuffle and a two-layer projector.

Facts from the reference implementation and the released checkpoint (`model.mm_projector.`, mlp2x_gelu).
"""

from __future__ import annotations

from torch import Tensor, nn

# The reference implementation halves the features before the pixel shuffle. Its weights were trained so.
FEATURE_SCALE = 0.5


def pixel_shuffle(patches: Tensor) -> Tensor:
    """Put each 2x2 square of patches side by side: [N, R, C, D] -> [N, R/2, C/2, 4D].

    The channel blocks are, in order, the top-left, top-right, bottom-left and bottom-right patch.
    Raises ValueError if R or C is odd.
    """
    rows, columns = patches.shape[1:3]
    if rows % 2 or columns % 2:
        raise ValueError(f"a grid of {rows}x{columns} patches cannot be merged 2x2: both sides must be even")
    squares = patches.unflatten(2, (columns // 2, 2)).unflatten(1, (rows // 2, 2))  # [N, R/2, 2, C/2, 2, D]
    return squares.transpose(2, 3).flatten(3)


def vision_features(patches: Tensor) -> Tensor:
    """Patch features of the tower [N, R, C, D] -> the projector's input [N, R*C/4, 4D], row by row."""
    return pixel_shuffle(FEATURE_SCALE * patches).flatten(1, 2)


class Projector(nn.Sequential):
    """[..., mm_hidden_size] -> [..., hidden_size of the language model]."""

    def __init__(self, mm_hidden_size: int, language_hidden_size: int) -> None:
        super().__init__(
            nn.Linear(mm_hidden_size, language_hidden_size),
            nn.GELU(),
            nn.Linear(language_hidden_size, language_hidden_size),
        )
