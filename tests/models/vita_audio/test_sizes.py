"""The table of sizes."""

from __future__ import annotations

from models.vita_audio.sizes import sizes


def test_the_parts_make_up_the_whole() -> None:
    found = {size.part: size.parameters for size in sizes()}
    whole = found["language model with ten modules (Boost, Balance)"]
    assert found["language model"] + found["ten prediction modules"] == whole
    assert found["ten prediction modules"] == 10 * found["one prediction module"]


def test_the_counts_follow_from_the_released_shapes() -> None:
    """Section 1 of the specification: 28 layers, rows padded to 168072, a projection [H, 2H] and two norms a module."""
    found = {size.part: size.parameters for size in sizes()}
    hidden, inner, keys = 3584, 18944, 4 * 128
    attention = 2 * hidden * hidden + 2 * hidden * keys + hidden + 2 * keys
    layer = attention + 3 * hidden * inner + 2 * hidden
    assert found["language model"] == 28 * layer + 2 * 168072 * hidden + hidden
    assert found["one prediction module"] == layer + 2 * hidden * hidden + 2 * hidden
    assert found["hearing, Plus: projector"] == 2 * 512 + 512 * hidden + hidden * hidden
