import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from models.vita15.config import Vita15Config
from models.vita15.connector import Projector, pixel_shuffle, vision_features


def test_blocks_are_top_left_top_right_bottom_left_bottom_right() -> None:
    patches = torch.tensor([[[[0], [1], [2], [3]], [[10], [11], [12], [13]]]])  # [1, 2, 4, 1]: 10 * row + column
    assert pixel_shuffle(patches).tolist() == [[[[0, 1, 10, 11], [2, 3, 12, 13]]]]


@given(st.integers(1, 4), st.integers(1, 4), st.integers(1, 3))
def test_every_value_is_kept_once(rows: int, columns: int, width: int) -> None:
    patches = torch.arange(4 * rows * columns * width).reshape(1, 2 * rows, 2 * columns, width)
    merged = pixel_shuffle(patches)
    assert merged.shape == (1, rows, columns, 4 * width)
    assert sorted(merged.flatten().tolist()) == list(range(4 * rows * columns * width))


def test_features_are_halved() -> None:
    patches = torch.randn(2, 4, 6, 3)
    torch.testing.assert_close(vision_features(patches), pixel_shuffle(patches).reshape(2, 6, 12) / 2)


@pytest.mark.parametrize("grid", [(3, 2), (2, 3)])
def test_odd_grids_are_refused(grid: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match=r"both sides must be even"):
        pixel_shuffle(torch.zeros(1, *grid, 4))


def test_published_projector_has_the_released_parameters() -> None:
    config = Vita15Config.published()
    with torch.device("meta"):
        state = Projector(config.mm_hidden_size, config.language.hidden_size).state_dict()
    assert {name: tuple(value.shape) for name, value in state.items()} == {
        "0.weight": (3584, 4096),
        "0.bias": (3584,),
        "2.weight": (3584, 3584),
        "2.bias": (3584,),
    }
    assert config.tokens_per_tile == 256
